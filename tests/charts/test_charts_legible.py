"""Every picture can be read at both widths whatever its numbers and names: no text small, cut or over another."""

from __future__ import annotations

import gzip
import hashlib
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import charts
from monitor.charts.frame import Chart
from monitor.charts.svg import shortened, text_width, wrapped
from monitor.comparison.trend import TrendPoint, trend_lines
from monitor.disclosure.rows import PublicTable, Row, public_table
from monitor.score.table import AgeCount, Flow, OnTime, Share, SurvivalPoint
from monitor.wording.language import EN, LANGUAGES, NL, Language
from tests.support.drawings import SVG, assert_legible, labels, whole
from tests.support.published import COMPANIES, Invented, filler, invent

FONTS = Path(__file__).parents[2] / "web" / "shared" / "static" / "vendor"
WIDTHS = (charts.WIDE, charts.NARROW)
slow = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).map(str.strip)
counts = st.integers(0, 400)


@st.composite
def companies(draw: st.DrawFn) -> tuple[Invented, ...]:
    """A few companies of any size and any name."""
    number = draw(st.integers(1, 12))
    return tuple(
        Invented(
            f"as{64496 + i}",
            draw(names) or "x",
            draw(counts),
            draw(counts),
            draw(counts),
            draw(st.integers(1, 900)),
            9.0,
        )
        for i in range(number)
    )


@st.composite
def quarters(draw: st.DrawFn) -> tuple[TrendPoint, ...]:
    """Up to twenty quarters, some without figures, some of a later method."""
    points = []
    for i in range(draw(st.integers(1, 20))):
        period, method = f"{2020 + i // 4}Q{i % 4 + 1}", draw(st.sampled_from(["2026.1", "2026.2"]))
        if draw(st.booleans()):
            p = draw(st.floats(0, 1))
            median = draw(st.none() | st.floats(0, 3000))
            low, high = draw(st.floats(0, p)), draw(st.floats(p, 1))
            strict = Share(p / 2, 0.1, 0.0, 1.0)
            points.append(TrendPoint(period, method, Share(p, 0.1, low, high), strict, median))
        else:
            points.append(TrendPoint(period))
    return tuple(points)


def of_table(table: PublicTable, language: Language) -> list[Chart]:
    """Every picture of a release."""
    chosen = table.rows[-1]
    figures = [
        charts.funnel_figure(table, language, chosen.company),
        charts.all_companies_figure(table, language, chosen.company),
        charts.ranks_figure(table.rows, language),
        charts.network_figure(table.network, table.method, language),
        charts.survival_figure(chosen, table.network, table.method, language),
        charts.flow_figure(table.flows, {row.company: row.name for row in table.rows}, language),
        charts.norms_figure(table.norms, language),
    ]
    if chosen.figures:
        figures.append(charts.counts_figure(chosen.figures.on_time, language))
        figures.append(charts.age_figure(chosen.figures.outstanding_by_age, 24.0, language))
    return figures


@pytest.fixture(scope="module")
def many() -> PublicTable:
    """What may be shown of a release of 516 companies."""
    return public_table(invent(companies=COMPANIES + filler(500)))


@slow
@given(companies(), st.sampled_from(LANGUAGES), st.sampled_from(WIDTHS))
def test_pictures_of_any_release(found: tuple[Invented, ...], language: Language, width: float) -> None:
    for figure in of_table(public_table(invent(companies=found)), language):
        assert_legible(figure.draw(figure.name, width))
        assert {len(row) for row in figure.rows} <= {len(figure.columns)}


@pytest.mark.parametrize("width", WIDTHS)
def test_pictures_of_500_companies(many: PublicTable, width: float) -> None:
    for figure in of_table(many, NL):
        if figure.name != "ranks":
            assert_legible(figure.draw(figure.name, width))
    ranks = whole(charts.ranks_figure(many.rows, NL).draw("r", width))
    assert len(labels(ranks)) > 2 * 500


def test_500_curves_stay_under_60_kb(many: PublicTable) -> None:
    chance = random.Random(1)
    rows = tuple(_with_curve(row, chance) for row in many.rows if row.figures)
    figure = charts.all_companies_figure(replace(many, rows=rows), NL)
    for width in WIDTHS:
        assert len(gzip.compress(figure.draw("a", width).encode())) < 60_000


def _with_curve(row: Row, chance: random.Random) -> Row:
    """The row with a curve as ragged as 60 episodes make it."""
    assert row.figures is not None
    mean = chance.uniform(3, 80)
    times = [chance.expovariate(1 / mean) for _ in range(60)]
    curve = tuple(SurvivalPoint(t, sum(x > t for x in times) / 60, None, None, None, None) for t in range(169))
    return replace(row, figures=replace(row.figures, curve=curve))


@slow
@given(quarters(), st.sampled_from(LANGUAGES), st.sampled_from(WIDTHS))
def test_pictures_of_any_quarters(points: tuple[TrendPoint, ...], language: Language, width: float) -> None:
    for figure in (charts.trend_figure(points, language, "x" * 60), charts.median_figure(points, language)):
        assert_legible(figure.draw(figure.name, width))
        assert len(figure.rows) == len(trend_lines(points))


flows = st.lists(
    st.builds(
        Flow,
        st.sampled_from([f"o{i}" for i in range(20)]),
        st.none() | st.sampled_from([f"d{i}" for i in range(20)]),
        st.sampled_from(["", "NL", "DE"]),
        st.integers(1, 100_000),
    ),
    max_size=60,
)


@slow
@given(flows, st.lists(names, min_size=40, max_size=40), st.sampled_from(LANGUAGES), st.sampled_from(WIDTHS))
def test_pictures_of_any_flows(found: list[Flow], called: list[str], language: Language, width: float) -> None:
    keys = [f"{side}{i}" for side in "od" for i in range(20)]
    figure = charts.flow_figure(found, dict(zip(keys, called, strict=True)), language)
    assert_legible(figure.draw("f", width))
    assert sum(int(row[3] or 0) for row in figure.rows) == sum(flow.episodes for flow in found)


@slow
@given(
    st.tuples(counts, counts, counts), st.lists(st.integers(0, 10**7), min_size=5, max_size=5), st.sampled_from(WIDTHS)
)
def test_bars_of_any_counts(three: tuple[int, int, int], ages: list[int], width: float) -> None:
    nothing = Share(None, None, None, None)
    timing = OnTime(24.0, sum(three), *three, nothing, nothing)
    bounds = [0.0, 24.0, 48.0, 168.0, 720.0, None]
    groups = [AgeCount(bounds[i] or 0, bounds[i + 1], number) for i, number in enumerate(ages)]
    for language in LANGUAGES:
        assert_legible(charts.counts_figure(timing, language).draw("c", width))
        assert_legible(charts.age_figure(groups, 24.0, language).draw("a", width))


@pytest.mark.parametrize(("file", "bold"), [("400", False), ("600", True)])
def test_no_sign_is_wider_than_we_think(file: str, bold: bool) -> None:
    font = TTFont(FONTS / f"source-sans-3-latin-{file}-normal.woff2")
    widths, size = font["hmtx"], font["head"].unitsPerEm
    for code, glyph in font.getBestCmap().items():
        if code >= 32 and chr(code) != "\ufeff":
            assert widths[glyph][0] / size <= text_width(chr(code), 1.0, bold=bold) + 1e-9, chr(code)


def test_texts_are_cut_and_wrapped_to_the_room_there_is() -> None:
    assert shortened("Rietkraag Cloud", 200) == "Rietkraag Cloud"
    assert shortened("Rietkraag Cloud", 100) == "Rietkraag C…"
    assert wrapped("Rietkraag Cloud en Co", 120, lines=2) == ["Rietkraag Cloud", "en Co"]
    assert wrapped("Rietkraag Cloud en Co", 60, lines=2) == ["Rietkr…", "Cloud…"]
    assert wrapped("", 60, lines=2) == [""]


@given(st.text(max_size=80), st.floats(20, 300))
def test_what_is_cut_fits(text: str, room: float) -> None:
    assert text_width(shortened(text, room)) <= room
    assert all(text_width(line) <= room for line in wrapped(text, room, lines=3))


def test_a_file_has_a_white_ground_its_title_and_the_same_bytes_each_time() -> None:
    table = public_table(invent())
    file = charts.standalone(charts.funnel_figure(table, NL))
    assert file == charts.standalone(charts.funnel_figure(table, NL))
    assert file.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<svg ')
    root = whole(file)
    ground = root[0]
    assert ground.tag == f"{SVG}rect"
    assert (ground.get("width"), ground.get("height"), ground.get("fill")) == (
        root.get("width"), root.get("height"), "#ffffff",
    )  # fmt: skip
    assert labels(root)[0].text == "Aandeel op tijd naar aantal sites, met de grenzen van het toeval"
    assert_legible(file.decode())


_ELSEWHERE = """
from tests.charts.test_charts_legible import digest
print(digest())
"""


def digest() -> str:
    """Of the files of the pictures in which sets and orders have a part."""
    table = public_table(invent())
    figures = [figure for figure in of_table(table, NL) if figure.name in ("funnel", "flows", "norms", "all-companies")]
    return hashlib.sha256(b"".join(map(charts.standalone, figures))).hexdigest()


def test_the_bytes_do_not_hang_on_the_process() -> None:
    elsewhere = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE], env={"PYTHONHASHSEED": "7"}, capture_output=True, check=True, text=True
    )
    assert elsewhere.stdout.strip() == digest()


def test_a_name_that_a_spreadsheet_would_run_is_harmless_in_the_csv() -> None:
    table = public_table(invent(companies=(replace(COMPANIES[0], name="=cmd()"), *COMPANIES[1:])))
    assert charts.ranks_figure(table.rows, EN).csv().splitlines()[1].startswith("'=cmd()")
