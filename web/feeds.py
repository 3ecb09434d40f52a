"""Atom feeds (RFC 4287) of releases and corrections, one per language; ids are tag URIs (RFC 4151) and never change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask, Response, render_template, url_for

from monitor.instants import iso, to_instant
from monitor.wording.formatting import period
from monitor.wording.words import LANGUAGES, Language, Text
from web.addresses import absolute, authority, settings, shareable
from web.announced import Announcement, announcements
from web.pages import session

ATOM = "application/atom+xml"
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)  # of the tags; and of a feed in which nothing stands yet
_TITLE = Text("{site}: publicaties en correcties", "{site}: releases and corrections")
_ABOUT = Text(
    "Elke ranglijst die verschijnt, en elke correctie met de reden.",
    "Every ranking that is published, and every correction with its reason.",
)
_RELEASE = Text("Ranglijst: {period}", "Ranking: {period}")
_CORRECTION = Text("Correctie: {period}, versie {version}", "Correction: {period}, version {version}")
_RELEASED = Text(
    "Er is een nieuwe ranglijst, met de cijfers van elk bedrijf.",
    "There is a new ranking, with the figures of every company.",
)
_CORRECTED = Text(
    "Versie {version} komt in de plaats van versie {old}, die te lezen blijft.",
    "Version {version} takes the place of version {old}, which can still be read.",
)
_REASON = Text("Reden: {reason}", "Reason: {reason}")


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


def add_feeds(app: Flask) -> None:
    """Register a feed per language."""
    for language in LANGUAGES:
        app.add_url_rule(f"/{language}/feed.atom", "feed", feed, defaults={"lang": language})


def feed(lang: Language) -> Response:
    """All that was published, the last first."""
    entries = [_entry(item, lang) for item in announcements(session()) if item.edition.published_at]
    text = render_template(
        "feed.xml",
        id=_tag(f"feed/{lang}"),
        title=_TITLE[lang].format(site=settings().site_name),
        about=_ABOUT[lang],
        updated=max((entry.updated for entry in entries), default=iso(to_instant(_BEGAN))),
        entries=entries,
        here=absolute(url_for("feed", lang=lang)),
        home=absolute(url_for("home", lang=lang)),
        type=ATOM,
    )
    return shareable(Response(text, content_type=f"{ATOM}; charset=utf-8"))


def _entry(item: Announcement, lang: Language) -> Entry:
    edition = item.edition
    assert edition.published is not None
    first, version, label = edition.version == 1, edition.version, edition.period
    title = (_RELEASE if first else _CORRECTION)[lang].format(period=period(label, lang), version=version)
    return Entry(
        id=_tag(f"release/{label}/v{version}/{lang}"),
        kind="release" if first else "correction",
        title=title,
        summary=_RELEASED[lang] if first else _why(item, lang),
        updated=edition.published,
        page=absolute(url_for("ranking", lang=lang, form="html", period=label, version=version)),
        data=absolute(url_for("public_api.release", period=label, version=version)),
    )


def _why(item: Announcement, lang: Language) -> str:
    version = item.edition.version
    said = _CORRECTED[lang].format(version=version, old=item.corrects or version - 1)
    return f"{said} {_REASON[lang].format(reason=item.reason)}" if item.reason else said


def _tag(specific: str) -> str:
    return f"tag:{authority()},{_BEGAN:%Y-%m-%d}:{specific}"
