"""Two languages: which one a request asks for, how numbers read in it, and the same page in the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import Babel

from monitor.wording import formatting
from monitor.wording.words import LANGUAGES, Language
from web.shared.addresses import asked

NAMES: Mapping[Language, str] = {"nl": "Nederlands", "en": "English"}
_CATALOGUES = Path(__file__).parent / "translations"
_FORMATS = [
    "count",
    "decimal",
    "ratio",
    "share",
    "percent",
    "share_range",
    "hours",
    "reached",
    "hours_range",
    "age",
    "day",
    "instant",
    "period",
    "short_period",
]


def current() -> Language:
    """The language of this request: what its path starts with, else Dutch."""
    if "language" not in g:
        g.language = "en" if request.path.split("/")[1:2] == ["en"] else "nl"
    language: Language = g.language
    return language


def init_babel(app: Flask) -> None:
    """Set up the catalogues, and give every template its language, formats and alternates."""
    Babel(app, default_locale="en", locale_selector=current, default_translation_directories=str(_CATALOGUES))

    @app.context_processor
    def words() -> dict[str, Any]:
        language = current()
        return formats(language) | {"lang": language, "alternates": alternates(), "language_names": NAMES}


def formats(language: Language) -> dict[str, Callable[..., str]]:
    """The formatting functions in one language."""
    return {name: partial(getattr(formatting, name), language=language) for name in _FORMATS}


def alternates() -> dict[Language, str]:
    """The address of this page in each language, its query kept; of an error, which repeats nothing, the first page."""
    if "is_error" in g or request.url_rule is None or "lang" not in (request.url_rule.defaults or {}):
        return {language: f"/{language}/" for language in LANGUAGES}
    assert request.endpoint is not None
    values = {**asked(), **(request.view_args or {})}
    return {language: url_for(request.endpoint, **(values | {"lang": language})) for language in LANGUAGES}
