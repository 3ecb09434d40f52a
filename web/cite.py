"""The pages on citing and embedding: `/en/cite/<period>`, and the files behind it at `/cite/<period>.<form>`."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor.disclosure.rows import Row
from monitor.wording.words import LANGUAGES, Language
from web import languages
from web.addresses import absolute, settings, shareable
from web.badge import HEIGHT, WIDTH, asked_language
from web.citation import FORMS, Work, key_of, plain, title_of
from web.pages import release_tables, session, to_latest
from web.releases import ReleaseIndex, ReleaseVersion, release_index
from web.views import Query


def add_cite(app: Flask) -> None:
    """Register the page in both languages, and the files."""
    for language in LANGUAGES:
        path = f"/{language}/{languages.PATHS[language]['cite']}/<period>"
        app.add_url_rule(path, "cite", cite, defaults={"lang": language})
    app.add_url_rule(f"/cite/<period>.<any({','.join(FORMS)}):form>", "cite_file", cite_file)


def cite(lang: Language, period: str) -> BaseResponse:
    """How to cite a release; with `?company=`, how to cite that company's figures and embed its badge."""
    known = release_index(session())
    if period == "latest":
        return to_latest(known, "cite", lang=lang)
    edition, row = _asked(known, period)
    work = _work(edition, row, lang)
    page = render_template(
        "cite.html",
        edition=edition,
        versions=known.versions(period),
        row=row,
        sentence=plain(work),
        forms=FORMS,
        work=work,
        badge=row and _embedded(edition, row, lang),
    )
    return shareable(make_response(page))


def cite_file(period: str, form: str) -> Response:
    """The citation as a file."""
    edition, row = _asked(release_index(session()), period)
    work, wanted = _work(edition, row, asked_language()), FORMS[form]
    response = Response(wanted.write(work), content_type=f"{wanted.mimetype}; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{work.key}.{form}")
    return shareable(response)


def _asked(known: ReleaseIndex, period: str) -> tuple[ReleaseVersion, Row | None]:
    """The release and, where one is asked for, the company; 404 where either is not there."""
    edition = known.find(period, Query.read(request.args).version) or abort(404)
    key = request.args.get("company")
    if not key:
        return edition, None
    return edition, release_tables().table(session(), edition).find(key) or abort(404)


def _work(edition: ReleaseVersion, row: Row | None, lang: Language) -> Work:
    values: dict[str, Any] = {"lang": lang, "form": "html", "period": edition.period, "version": edition.version}
    key, name = (row.company, row.name) if row else (None, None)
    values |= {"key": key} if key else {}
    known = settings()
    return Work(
        key=key_of(known.site_name, edition.period, key, edition.version),
        title=title_of(edition.period, name, lang),
        publisher=known.site_name,
        published=edition.published_at and edition.published_at.date(),
        version=edition.version,
        address=absolute(url_for("company" if row else "ranking", **values)),
        manifest_sha256=edition.manifest_sha256,
        language=lang,
        licence=known.licence,
    )


def _embedded(edition: ReleaseVersion, row: Row, lang: Language) -> str:
    """The HTML that shows a company's badge on another site, with a link to the figures behind it."""
    page = url_for("company", lang=lang, form="html", period=edition.period, key=row.company)
    picture = url_for("badge", period=edition.period, key=row.company, lang=lang)
    return render_template(
        "badge_code.html",
        page=absolute(page),
        picture=absolute(picture),
        words=title_of(edition.period, row.name, lang),
        width=WIDTH,
        height=HEIGHT,
    )
