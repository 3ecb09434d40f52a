"""For programs that look for what is new: Atom feeds, the sitemap and robots.txt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, render_template, url_for

from monitor.instants import iso, to_instant
from monitor.release.published import ReleaseVersion
from monitor.wording.language import EN, LANGUAGES, NL, Language, Message
from web.public.releases import release_index
from web.shared.addresses import absolute, authority, settings, shareable

bp = Blueprint("feeds", __name__)
ATOM = "application/atom+xml"
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)  # of the tags; and of a feed in which nothing stands yet
_REASON = Message("Reason: {reason}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed; `kind` is `release` or `correction`, `updated` an instant in ISO 8601."""

    id: str
    kind: str
    title: str
    summary: str
    updated: str
    page: str
    data: str


@bp.get("/nl/feed.atom", defaults={"lang": NL})
@bp.get("/en/feed.atom", defaults={"lang": EN})
def feed(lang: Language) -> Response:
    """All that was published, the last first."""
    entries = [_entry(item, lang) for item in release_index().announced if item.published_at]
    text = render_template(
        "feed.xml",
        id=_tag(f"feed/{lang}"),
        title=lang.gettext("{site}: releases and corrections", site=settings().site_name),
        about=lang.gettext("Every ranking that is published, and every correction with its reason."),
        updated=max((entry.updated for entry in entries), default=iso(to_instant(_BEGAN))),
        entries=entries,
        here=absolute(url_for("feeds.feed", lang=lang)),
        home=absolute(url_for("ranking.home", lang=lang)),
        type=ATOM,
    )
    return shareable(Response(text, content_type=f"{ATOM}; charset=utf-8"))


def _entry(edition: ReleaseVersion, lang: Language) -> Entry:
    assert edition.published is not None
    first, version, label = edition.version == 1, edition.version, edition.period
    title = lang.gettext(
        "Ranking: {period}" if first else "Correction: {period}, version {version}",
        period=lang.period(label),
        version=version,
    )
    return Entry(
        id=_tag(f"release/{label}/v{version}/{lang}"),
        kind="release" if first else "correction",
        title=title,
        summary=lang.gettext("There is a new ranking, with the figures of every company.")
        if first
        else _why(edition, lang),
        updated=edition.published,
        page=absolute(url_for("ranking.ranking", lang=lang, form="html", period=label, version=version)),
        data=absolute(url_for("api.release", period=label, version=version)),
    )


def _why(item: ReleaseVersion, lang: Language) -> str:
    version = item.version
    said = lang.gettext(
        "Version {version} takes the place of version {old}, which can still be read.",
        version=version,
        old=item.corrects or version - 1,
    )
    return f"{said} {lang.gettext(_REASON, reason=item.reason)}" if item.reason else said


def _tag(specific: str) -> str:
    return f"tag:{authority()},{_BEGAN:%Y-%m-%d}:{specific}"


MOST = 50_000  # addresses in one file, by the protocol
_ONCE = (
    "about.method",
    "comparison.trend",
    "open_data.open_data",
    "about.accessibility",
    "about.publisher",
    "openapi.api_page",
)
_PER_PERIOD = ("ranking.ranking", "pictures.pictures", "norm.norm", "cite.cite")
_ALSO_AS_FILES = ("ranking.ranking", "ranking.hash_hits", "norm.norm", "comparison.trend")
_XML = "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its path in each language, and when its figures were made public."""

    paths: Mapping[Language, str]
    changed: str | None = None


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    """All public pages of the newest releases, or the list of the files that have them."""
    pages = tuple(_pages())
    if len(pages) * len(LANGUAGES) <= MOST:
        return _listed(pages)
    parts = range(-(-len(pages) // _each()))
    files = [absolute(url_for("feeds.sitemap_part", part=part + 1)) for part in parts]
    return shareable(Response(render_template("sitemap_index.xml", files=files), content_type=_XML))


@bp.get("/sitemap-<int:part>.xml")
def sitemap_part(part: int) -> Response:
    """One of the files, from 1."""
    pages = tuple(_pages())[max(0, part - 1) * _each() : part * _each()]
    return _listed(pages) if pages else abort(404)


@bp.get("/robots.txt")
def robots() -> Response:
    """Crawlers may read every page; sorted and filtered views and the API only say the same again."""
    lines = ("User-agent: *", "Disallow: /*?", "Disallow: /api/", f"Sitemap: {absolute(url_for('feeds.sitemap'))}", "")
    return shareable(Response("\n".join(lines), content_type="text/plain; charset=utf-8"))


def _each() -> int:
    return MOST // len(LANGUAGES)


def _listed(pages: tuple[Page, ...]) -> Response:
    text = render_template("sitemap.xml", pages=pages, base=absolute(""))
    return shareable(Response(text, content_type=_XML))


def _pages() -> Iterator[Page]:
    known = release_index()
    for endpoint in _ONCE:
        yield Page(_paths(endpoint))
    for edition in known.newest:
        page = partial(Page, changed=edition.published)
        for endpoint in _PER_PERIOD:
            yield page(_paths(endpoint, period=edition.period))
        if edition in known.with_hash_hits:
            yield page(_paths("ranking.hash_hits", period=edition.period))
        yield from map(page, _companies_of(edition))


def _paths(endpoint: str, **values: str) -> dict[Language, str]:
    """An address in each language; pages that also come as CSV and JSON are listed as pages."""
    form = {"form": "html"} if endpoint in _ALSO_AS_FILES else {}
    known: dict[str, Any] = form | values
    return {language: url_for(endpoint, lang=language, **known) for language in LANGUAGES}


def _companies_of(edition: ReleaseVersion) -> Iterator[dict[Language, str]]:
    """The addresses of a release's companies; made from one of them, for there are thousands."""
    values: dict[str, Any] = {"form": "html", "period": edition.period, "key": "-"}
    stems = {lang: url_for("company.company", lang=lang, **values).removesuffix("-") for lang in LANGUAGES}
    for key in edition.companies:
        yield {language: stem + quote(key) for language, stem in stems.items()}
