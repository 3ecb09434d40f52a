"""Across releases: what differs between any two, and the trend over the quarters, as page, CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts.frame import Chart
from monitor.comparison.changes import (
    Changes,
    Line,
    changes,
    changes_csv,
    changes_json,
    lines,
    network_lines,
)
from monitor.comparison.decomposition import Contribution, Step, step, steps
from monitor.comparison.share_change import Direction, Movement, movements, network_movement
from monitor.comparison.trend import (
    Moved,
    TrendLine,
    TrendPoint,
    a_year_before,
    company_trend,
    moved_beyond_doubt,
    network_trend,
    step_json,
    trend_csv,
    trend_json,
    trend_lines,
)
from monitor.comparison.trend_sentences import remarks, what_moved
from monitor.disclosure.rows import PublicTable
from monitor.instants import is_quarter, quarters_between
from monitor.release.published import ReleaseIndex, ReleaseVersion
from monitor.wording.language import EN, NL, Language
from web.public.releases import (
    csv_file,
    figure_file,
    file_stem,
    json_file,
    release_index,
    release_json,
    table_of,
    version_before,
)
from web.shared.headers import released

bp = Blueprint("comparison", __name__)
_MOST_NAMED = 10
_READABLE = 0.0005  # a change of which is told as 0.1 percentage points


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


@bp.get("/nl/vergelijken", defaults={"lang": NL, "form": "html"})
@bp.get("/nl/vergelijken.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/nl/vergelijken.json", defaults={"lang": NL, "form": "json"})
@bp.get("/en/compare", defaults={"lang": EN, "form": "html"})
@bp.get("/en/compare.csv", defaults={"lang": EN, "form": "csv"})
@bp.get("/en/compare.json", defaults={"lang": EN, "form": "json"})
def compare(lang: Language, form: str) -> BaseResponse:
    """What differs between two releases, as page, CSV or JSON; what is not named is the newest and the one before."""
    known = release_index()
    if not known.editions:
        return released(make_response(render_template("empty.html"))) if form == "html" else abort(404)
    before, after = _chosen(known)
    address = _address(known, before, after)
    if request.args.to_dict() != address:
        return redirect(url_for("comparison.compare", lang=lang, form=form, **address))
    view = known.derived.get(("compare", before, after), lambda: compare_page(before, after))
    if form == "csv":
        return csv_file(changes_csv(_tables(view)), f"{file_stem('compare', before, after)}.csv")
    if form == "json":
        return json_file(_compare_json(view))
    return _compare_html(view, lang)


def _chosen(known: ReleaseIndex) -> tuple[ReleaseVersion, ReleaseVersion]:
    """The two releases that the reader asked for; raises NotFound where there is no such release."""
    after = _named(known, "to") or known.editions[0]
    before = _named(known, "from") or version_before(after) or known.versions(after.period)[-1]
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


def compare_page(before: ReleaseVersion, after: ReleaseVersion) -> ComparePage:
    """What the page of a comparison shows."""
    old, new = (table_of(edition) for edition in (before, after))
    return ComparePage(
        before=before,
        after=after,
        old=old,
        new=new,
        found=changes(old, new),
        hits=changes(old.hash_hits, new.hash_hits) if old.hash_hits and new.hash_hits else None,
        step=step(old, new),
        corrections=corrections(before, after),
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


def _compare_html(view: ComparePage, lang: Language) -> Response:
    known = release_index()
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
class CorrectionNotice:
    """What a corrected page says on top; `names` are the companies of which a figure differs, None on the page of one.

    `address`: the query of the page with the differences.
    """

    reason: str | None
    names: tuple[str, ...] | None
    address: Mapping[str, str]


def correction_notice(edition: ReleaseVersion, key: str | None = None) -> CorrectionNotice | None:
    """What is said on top of the pages of a corrected version; of a company only where its own figures differ."""
    known = release_index()
    before = known.find(edition.period, edition.corrects) if edition.corrects else None
    if before is None:
        return None
    differing = known.derived.get(("corrected", before, edition), lambda: _differing_names(before, edition))
    if key is not None and key not in differing:
        return None
    ends = {"from": edition.period, "to": edition.period}
    versions = {"from_version": str(before.version), "to_version": str(edition.version)}
    return CorrectionNotice(edition.reason, None if key else tuple(differing.values()), ends | versions)


def _differing_names(before: ReleaseVersion, after: ReleaseVersion) -> Mapping[str, str]:
    """By key the companies of which any figure differs, came or went, of the notices or of the hash hits."""
    view = compare_page(before, after)
    parts = [part for part in (view.found, view.hits) if part is not None]
    rows = [row for part in parts for row in (*(each.after for each in part.companies), *part.came, *part.gone)]
    return {row.company: row.name for row in rows}


@dataclass(frozen=True, slots=True)
class CompanyCorrection:
    """A later version of a period in which figures of one company differ, and those of them that read otherwise."""

    period: str
    before: ReleaseVersion
    after: ReleaseVersion
    reason: str | None
    lines: tuple[Line, ...]


def all_quarters() -> tuple[PublicTable, ...]:
    """The newest published table of every quarter, oldest first."""
    quarters = sorted((e for e in release_index().newest if is_quarter(e.period)), key=lambda e: e.period)
    return tuple(map(table_of, quarters))


def company_history(key: str) -> tuple[TrendPoint, ...]:
    """The company in every quarter from the first release to the last; withheld or missing is a point without values.

    A company that no quarter knows has no points.
    """
    quarters = all_quarters()
    return company_trend(quarters, key) if any(table.find(key) for table in quarters) else ()


def company_corrections(key: str, language: Language) -> tuple[CompanyCorrection, ...]:
    """Later versions of any period in which something the site says of the company reads otherwise, newest first.

    A version in which it appeared or no longer stands is one of them, with no lines.
    """
    found = []
    for before, after in _successive():
        old, new = (table_of(edition).find(key) for edition in (before, after))
        told = lines(old, new, language) if old and new else ()
        if told or (old is None) != (new is None):
            found.append(CompanyCorrection(after.period, before, after, after.reason, told))
    return tuple(found)


def corrections(*editions: ReleaseVersion) -> tuple[Correction, ...]:
    """What was corrected on the way to each of these editions, or between them where they are of one period."""
    one_period = len({edition.period for edition in editions}) == 1
    since = min(edition.version for edition in editions) if one_period else 0
    reached = {edition.period: edition.version for edition in sorted(editions, key=lambda edition: edition.version)}
    return tuple(
        Correction(before, after, after.reason)
        for before, after in _successive()
        if since < after.version <= reached.get(after.period, 0)
    )


def _successive() -> Iterator[tuple[ReleaseVersion, ReleaseVersion]]:
    """Each published version with the one before it of its period, newest first."""
    for newer, older in pairwise(release_index().editions):
        if newer.period == older.period:
            yield older, newer


@dataclass(frozen=True, slots=True)
class Since:
    """From an earlier quarter to the latest: how the network moved, and which companies did so by more than chance.

    `network` is None where the two cannot be compared, and `behaviour` too where a quarter between has no release: it
    says what the companies did, apart from how the material is divided over them. `moved` begins with the largest rise.
    """

    period: str
    same_method: bool
    network: Movement | None
    behaviour: Direction | None
    moved: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class TrendPage:
    """The network over the quarters, what moved it from release to release, and the companies that moved too.

    `last` is the latest of the steps; None before the second release.
    """

    points: tuple[TrendPoint, ...]
    steps: tuple[Step, ...]
    last: Step | None
    since: tuple[Since, ...]

    @property
    def lines(self) -> tuple[TrendLine, ...]:
        """The table of the quarters."""
        return trend_lines(self.points)


@bp.get("/nl/verloop", defaults={"lang": NL, "form": "html"})
@bp.get("/nl/verloop.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/nl/verloop.json", defaults={"lang": NL, "form": "json"})
@bp.get("/en/trend", defaults={"lang": EN, "form": "html"})
@bp.get("/en/trend.csv", defaults={"lang": EN, "form": "csv"})
@bp.get("/en/trend.json", defaults={"lang": EN, "form": "json"})
def trend(lang: Language, form: str) -> BaseResponse:
    """The trend over all quarters, as page, CSV or JSON."""
    tables = all_quarters()
    if not tables and form == "html":
        newest = next(iter(release_index().newest), None)
        return released(make_response(render_template("no_quarter.html" if newest else "empty.html", edition=newest)))
    view = release_index().derived.get("trend", lambda: trend_page(tables))
    if form == "csv":
        return csv_file(trend_csv(view.points, view.steps), f"{file_stem('trend')}.csv")
    if form == "json":
        return json_file(trend_json(view.points, view.steps))
    said = what_moved(view.last.found, lang) if view.last and view.last.found else ()
    page = render_template(
        "trend.html",
        view=view,
        pictures=_pictures(view.points, lang),
        newest=tables[-1],
        remarks=remarks(view.points, lang),
        said=said,
        told=_told_apart(view.last.found.companies) if view.last and view.last.found else (),
    )
    return released(make_response(page))


def _told_apart(companies: Sequence[Contribution]) -> tuple[Contribution, ...]:
    """The companies that moved the share most, as far as that reads otherwise than 0.0."""
    return tuple(company for company in companies[:_MOST_NAMED] if abs(company.total) >= _READABLE)


def trend_page(tables: Sequence[PublicTable]) -> TrendPage:
    """What the page of the trend shows of these tables, one a quarter and the oldest first."""
    found = steps(tables)
    return TrendPage(
        points=network_trend(tables),
        steps=found,
        last=found[-1] if found else None,
        since=tuple(_since(table, tables) for table in _earlier(tables)),
    )


def _earlier(tables: Sequence[PublicTable]) -> tuple[PublicTable, ...]:
    """What the latest is held against: the release before it, the same quarter a year before, and the first."""
    if len(tables) < 2:
        return ()
    year_before = [table for table in tables if table.period == a_year_before(tables[-1].period)]
    return tuple({table.period: table for table in (tables[-2], *year_before, tables[0])}.values())


def _since(old: PublicTable, tables: Sequence[PublicTable]) -> Since:
    new, released = tables[-1], {table.period for table in tables}
    moved = tuple(reversed(moved_beyond_doubt(old, new)))
    found = step(old, new).found if released.issuperset(quarters_between(old.period, new.period)) else None
    same_method = old.method == new.method
    return Since(
        old.period, same_method, network_movement(new, old), found.behaviour_direction if found else None, moved
    )


def _pictures(points: Sequence[TrendPoint], language: Language) -> Mapping[str, Chart]:
    drawn = (charts.trend_figure(points, language), charts.median_figure(points, language))
    return {figure.name: figure for figure in drawn}


@bp.get("/nl/verloop/<figure>.svg", defaults={"lang": NL, "form": "svg"})
@bp.get("/nl/verloop/<figure>.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/en/trend/<figure>.svg", defaults={"lang": EN, "form": "svg"})
@bp.get("/en/trend/<figure>.csv", defaults={"lang": EN, "form": "csv"})
def trend_figure(lang: Language, figure: str, form: str) -> Response:
    """A picture of the trend as a file."""
    points = network_trend(all_quarters())
    return figure_file(_pictures(points, lang).get(figure) or abort(404), form, file_stem("trend", figure))
