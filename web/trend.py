"""Pages across releases: the trend over the quarters; the comparison of two is in `web.comparison`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Flask, Response, abort, make_response, render_template
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts.frame import Chart
from monitor.comparison.decomposition import Contribution, Step, steps
from monitor.comparison.share_change import Movement, network_movement
from monitor.comparison.trend import (
    Moved,
    TrendPoint,
    a_year_before,
    moved_beyond_doubt,
    network_trend,
    trend_csv,
    trend_json,
)
from monitor.comparison.trend_sentences import OBSTACLES, PARTS, in_whole, remarks, what_moved
from monitor.disclosure.rows import PublicTable
from monitor.wording.readings import rank_words
from monitor.wording.words import LANGUAGES, Language
from web import languages
from web.comparison import all_quarters, compare
from web.pages import csv_file, json_file, release_tables, session
from web.pictures import figure_file
from web.releases import release_index
from web.transfer import released

_FORMS = {"html": "", "csv": ".csv", "json": ".json"}
_MOST_NAMED = 10
_READABLE = 0.0005  # a change of which is told as 0.1 percentage points


def add_across(app: Flask) -> None:
    """Register both pages, in each language and form, and the files of the pictures."""
    for language in LANGUAGES:
        words = languages.PATHS[language]
        for form, suffix in _FORMS.items():
            values = {"lang": language, "form": form}
            app.add_url_rule(f"/{language}/{words['trend']}{suffix}", "trend", trend, defaults=values)
            app.add_url_rule(f"/{language}/{words['compare']}{suffix}", "compare", compare, defaults=values)
        for form in ("svg", "csv"):
            rule, values = f"/{language}/{words['trend']}/<figure>.{form}", {"lang": language, "form": form}
            app.add_url_rule(rule, "trend_figure", trend_figure, defaults=values)
    app.jinja_env.globals.update(parts=PARTS, obstacles=OBSTACLES, in_whole=in_whole, rank_words=rank_words)


@dataclass(frozen=True, slots=True)
class Since:
    """From an earlier quarter to the latest: how the network moved, and which companies did so by more than chance.

    `network` is None where the two cannot be compared; `moved` begins with the largest rise.
    """

    period: str
    same_method: bool
    network: Movement | None
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


def trend(lang: Language, form: str) -> BaseResponse:
    """The trend over all quarters, as page, CSV or JSON."""
    known = release_index(session())
    tables = all_quarters(session(), release_tables(), known)
    if not tables and form == "html":
        return released(make_response(render_template("empty.html")))
    view = trend_page(tables)
    if form == "csv":
        return csv_file(trend_csv(view.points, view.steps), "trend.csv")
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
        since=tuple(_since(table, tables[-1]) for table in _earlier(tables)),
    )


def _earlier(tables: Sequence[PublicTable]) -> tuple[PublicTable, ...]:
    """What the latest is held against: the release before it, the same quarter a year before, and the first."""
    if len(tables) < 2:
        return ()
    year_before = [table for table in tables if table.period == a_year_before(tables[-1].period)]
    return tuple({table.period: table for table in (tables[-2], *year_before, tables[0])}.values())


def _since(old: PublicTable, new: PublicTable) -> Since:
    moved = tuple(reversed(moved_beyond_doubt(old, new)))
    return Since(old.period, old.method == new.method, network_movement(new, old), moved)


def _pictures(points: Sequence[TrendPoint], language: Language) -> Mapping[str, Chart]:
    drawn = (charts.trend_figure(points, language), charts.median_figure(points, language))
    return {figure.name: figure for figure in drawn}


def trend_figure(lang: Language, figure: str, form: str) -> Response:
    """A picture of the trend as a file."""
    points = network_trend(all_quarters(session(), release_tables(), release_index(session())))
    return figure_file(_pictures(points, lang).get(figure) or abort(404), form, figure)
