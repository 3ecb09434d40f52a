"""The language of a request, the same page in the other languages, and what templates say and write numbers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, g, request, url_for
from markupsafe import Markup

from monitor.wording.language import EN, FORMATS, LANGUAGES, NL, Language, Message
from web.shared.addresses import asked


def current() -> Language:
    """The language of this request: what its path starts with, else Dutch."""
    if "language" not in g:
        g.language = EN if request.path.split("/")[1:2] == ["en"] else NL
    language: Language = g.language
    return language


def init_languages(app: Flask) -> None:
    """Give every template `_`, `pgettext` and `ngettext`, and each page its language, formats and alternates."""
    app.jinja_env.globals.update(_=_translated, pgettext=_translated_in, ngettext=_translated_number)

    @app.context_processor
    def words() -> dict[str, Any]:
        language = current()
        formats = {name: getattr(language, name) for name in FORMATS}
        return formats | {"lang": language, "languages": LANGUAGES, "alternates": alternates()}


def _translated(message: str | Message, **values: object) -> Markup:
    return current().markup(message, **values)


def _translated_in(context: str, text: str, **values: object) -> Markup:
    return current().markup(Message(text, context), **values)


def _translated_number(singular: str, plural: str, n: int, /, **values: object) -> Markup:
    return current().nmarkup(singular, plural, n, **values)


def alternates() -> Mapping[Language, str]:
    """The address of this page in each language, its query kept; of an error, which repeats nothing, the first page."""
    if "is_error" in g or request.url_rule is None or "lang" not in (request.url_rule.defaults or {}):
        return {language: f"/{language}/" for language in LANGUAGES}
    assert request.endpoint is not None
    values = {**asked(), **(request.view_args or {})}
    return {language: url_for(request.endpoint, **(values | {"lang": language})) for language in LANGUAGES}
