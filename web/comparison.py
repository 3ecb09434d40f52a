"""What differs between any two published releases: the page, and the same as CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from monitor.comparison.changes import Changes, Line, changes, changes_csv, changes_json, lines, network_lines
from monitor.comparison.decomposition import Step, step
from monitor.comparison.share_change import Movement, movements
from monitor.comparison.trend import TrendPoint, company_trend, is_quarter, step_json
from monitor.comparison.trend_sentences import what_moved
from monitor.disclosure.rows import PublicTable
from monitor.wording.words import Language
from web.pages import csv_file, json_file, release_json, release_tables, session
from web.releases import ReleaseIndex, ReleaseTables, ReleaseVersion, announcements, release_index
from web.transfer import released
from web.views import edition_before


@dataclass(frozen=True, slots=True)
class ComparePage:
    """Two releases and what differs between them; `hits` is None where either has no table of hash hits."""

    before: ReleaseVersion
    after: ReleaseVersion
    old: PublicTable
    new: PublicTable
    found: Changes
    hits: Changes | None
    step: Step
    corrections: tuple[Correction, ...]

    @property
    def one_period(self) -> bool:
        """Whether these are two versions of the same period."""
        return self.before.period == self.after.period

    def counts(self, figure: str) -> int:
        """How many companies differ in that figure."""
        return sum(any(change.figure == figure for change in each.changes) for each in self.found.companies)


def compare(lang: Language, form: str) -> BaseResponse:
    """What differs between two releases, as page, CSV or JSON; what is not named is the newest and the one before."""
    known = release_index(session())
    if not known.editions:
        return released(make_response(render_template("empty.html"))) if form == "html" else abort(404)
    before, after = _chosen(known)
    address = _address(known, before, after)
    if request.args.to_dict() != address:
        return redirect(url_for("compare", lang=lang, form=form, **address))
    view = compare_page(known, before, after)
    if form == "csv":
        return csv_file(changes_csv(_tables(view)), f"{before.period}-{after.period}.csv")
    if form == "json":
        return json_file(_compare_json(view))
    return _compare_html(view, known, lang)


def _chosen(known: ReleaseIndex) -> tuple[ReleaseVersion, ReleaseVersion]:
    """The two releases that the reader asked for; raises NotFound where there is no such release."""
    after = _named(known, "to") or known.editions[0]
    before = _named(known, "from") or edition_before(known, after) or known.versions(after.period)[-1]
    return before, after


def _named(known: ReleaseIndex, end: str) -> ReleaseVersion | None:
    """The release at that end; the form says `2026Q1@2` for version 2."""
    period, version = _asked(end)
    if not period:
        return None
    if version and not (version.isascii() and version.isdigit() and len(version) < 8):
        abort(404)
    return known.find(period, int(version) if version else None) or abort(404)


def _asked(end: str) -> tuple[str, str]:
    period, _, version = request.args.get(end, "").partition("@")
    return period, version or request.args.get(f"{end}_version", "")


def _address(known: ReleaseIndex, before: ReleaseVersion, after: ReleaseVersion) -> dict[str, Any]:
    """The query of a comparison: both periods, and each version that was asked for or is not the newest."""
    ends = {"from": before, "to": after}
    versions = {
        f"{end}_version": str(edition.version)
        for end, edition in ends.items()
        if _asked(end)[1] or edition != known.find(edition.period, None)
    }
    return {end: edition.period for end, edition in ends.items()} | versions


def compare_page(known: ReleaseIndex, before: ReleaseVersion, after: ReleaseVersion) -> ComparePage:
    """What the page of a comparison shows."""
    old, new = (release_tables().table(session(), edition) for edition in (before, after))
    return ComparePage(
        before=before,
        after=after,
        old=old,
        new=new,
        found=changes(old, new),
        hits=changes(old.hash_hits, new.hash_hits) if old.hash_hits and new.hash_hits else None,
        step=step(old, new),
        corrections=corrections(session(), known, before, after),
    )


def _tables(view: ComparePage) -> Mapping[str, Changes]:
    return {"notices": view.found} | ({"hash_hits": view.hits} if view.hits is not None else {})


def _compare_json(view: ComparePage) -> dict[str, Any]:
    ends = {"from": view.before, "to": view.after}
    return {
        **{name: {"period": edition.period, **release_json(edition)} for name, edition in ends.items()},
        "corrections": [
            {"period": each.after.period, "version": each.after.version, "reason": each.reason}
            for each in view.corrections
        ],
        "step": step_json(view.step),
        **{name: changes_json(found) for name, found in _tables(view).items()},
    }


def _compare_html(view: ComparePage, known: ReleaseIndex, lang: Language) -> Response:
    page = render_template(
        "compare.html",
        view=view,
        editions=known.editions,
        newest=known.newest,
        network=network_lines(view.old, view.new, lang),
        notices=_differing(view.found, view.old, view.new, lang),
        hits=_differing(view.hits, view.old.hash_hits, view.new.hash_hits, lang),
        said=what_moved(view.step.found, lang) if view.step.found else (),
    )
    return released(make_response(page))


@dataclass(frozen=True, slots=True)
class Differing:
    """What differs in one table, as its part of the page says it.

    `moved` and `told` are by company: how its share moved, and which of its figures read otherwise. The second is for
    versions of one period only: of two periods all figures differ.
    """

    found: Changes
    moved: Mapping[str, Movement]
    told: Mapping[str, tuple[Line, ...]]


def _differing(
    found: Changes | None, old: PublicTable | None, new: PublicTable | None, lang: Language
) -> Differing | None:
    if found is None or old is None or new is None:
        return None
    told = _told(found, lang) if old.period == new.period else {}
    return Differing(found, movements(new, old), told)


def _told(found: Changes, language: Language) -> Mapping[str, tuple[Line, ...]]:
    """By company the figures that read otherwise, where there are some."""
    told = {each.after.company: lines(each.before, each.after, language) for each in found.companies}
    return {key: said for key, said in told.items() if said}


@dataclass(frozen=True, slots=True)
class Correction:
    """A later version of a period and the one it replaced; `reason` is None where the release gives none."""

    before: ReleaseVersion
    after: ReleaseVersion
    reason: str | None


@dataclass(frozen=True, slots=True)
class CompanyCorrection:
    """A later version of a period in which figures of one company differ, and those of them that read otherwise."""

    period: str
    before: ReleaseVersion
    after: ReleaseVersion
    reason: str | None
    lines: tuple[Line, ...]


def all_quarters(session: Session, tables: ReleaseTables, known: ReleaseIndex) -> tuple[PublicTable, ...]:
    """The newest published table of every quarter, oldest first."""
    quarters = sorted((edition for edition in known.newest if is_quarter(edition.period)), key=lambda e: e.period)
    return tuple(tables.table(session, edition) for edition in quarters)


def company_history(session: Session, tables: ReleaseTables, known: ReleaseIndex, key: str) -> tuple[TrendPoint, ...]:
    """The company in every quarter from the first release to the last; withheld or missing is a point without values.

    A company that no quarter knows has no points.
    """
    quarters = all_quarters(session, tables, known)
    return company_trend(quarters, key) if any(table.find(key) for table in quarters) else ()


def company_corrections(
    session: Session, tables: ReleaseTables, known: ReleaseIndex, key: str, language: Language
) -> tuple[CompanyCorrection, ...]:
    """Later versions of any period in which something the site says of the company reads otherwise, newest first.

    A version in which it appeared or no longer stands is one of them, with no lines.
    """
    found, reasons = [], _reasons(session)
    for before, after in _successive(known):
        old, new = (tables.table(session, edition).find(key) for edition in (before, after))
        told = lines(old, new, language) if old and new else ()
        if told or (old is None) != (new is None):
            found.append(CompanyCorrection(after.period, before, after, reasons[after.id], told))
    return tuple(found)


def corrections(session: Session, known: ReleaseIndex, *editions: ReleaseVersion) -> tuple[Correction, ...]:
    """What was corrected on the way to each of these editions, or between them where they are of one period."""
    one_period = len({edition.period for edition in editions}) == 1
    since = min(edition.version for edition in editions) if one_period else 0
    reached = {edition.period: edition.version for edition in sorted(editions, key=lambda edition: edition.version)}
    reasons = _reasons(session)
    return tuple(
        Correction(before, after, reasons[after.id])
        for before, after in _successive(known)
        if since < after.version <= reached.get(after.period, 0)
    )


def _reasons(session: Session) -> dict[int, str | None]:
    """Why each edition replaced the one before it, by its id."""
    return {said.edition.id: said.reason for said in announcements(session)}


def _successive(known: ReleaseIndex) -> Iterator[tuple[ReleaseVersion, ReleaseVersion]]:
    """Each published version with the one before it of its period, newest first."""
    for newer, older in pairwise(known.editions):
        if newer.period == older.period:
            yield older, newer
