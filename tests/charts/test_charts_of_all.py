"""The pictures of all companies: funnel, ranks, curves, norms and flows, each against a small case done by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import charts
from monitor.charts.companies import _straightened
from monitor.charts.funnel import sites_axis
from monitor.disclosure.rows import PublicTable, Row, public_table
from monitor.score.table import Flow, Norm, NormLine, OnTime, Share, Standing, SurvivalPoint
from monitor.wording.language import EN, NL
from tests.support.drawings import SVG, labels, paths, whole
from tests.support.published import COMPANIES, invent

NOTHING = Share(None, None, None, None)


def shown() -> PublicTable:
    """What may be shown of the invented release."""
    return public_table(invent())


def texts(svg: str) -> list[str]:
    """All labels of a picture."""
    return [label.text for label in labels(whole(svg))]


def test_the_funnel_names_who_lies_outside_and_tells_all_in_its_table() -> None:
    figure = charts.funnel_figure(shown(), EN)
    first = figure.rows[0]
    assert first[:4] == ("Rietkraag Cloud", 41, 16.7, 12.1)
    assert first[-1] == "Below the 99.8% limit"
    assert len(figure.rows) == 11
    assert "11 in all" in figure.description
    assert "3 below, 3 above" in figure.description
    drawn = texts(figure.draw("f", charts.WIDE))
    assert {"Rietkraag Cloud", "Klinker Colo", "Veenland Colo"} <= set(drawn)
    assert "Haven Carrier" not in drawn


def test_the_company_that_is_looked_at_is_named_and_drawn_last() -> None:
    svg = charts.funnel_figure(shown(), EN, "as64501").draw("f", charts.WIDE)
    assert "Haven Carrier" in texts(svg)
    assert [c.attrib["r"] for c in whole(svg).iter(f"{SVG}circle")][-1] == "7"
    assert charts.funnel_figure(shown(), EN, "nobody").draw("f", 760) == charts.funnel_figure(shown(), EN).draw(
        "f", 760
    )


def test_a_funnel_without_the_networks_share_has_dots_and_no_bands() -> None:
    table = shown()
    figure = charts.funnel_figure(replace(table, network=replace(table.network, lenient=NOTHING)), NL)
    assert "daarom staan er geen grenzen in" in figure.description
    assert all(row[4:] == (None,) * 5 for row in figure.rows)
    root = whole(figure.draw("f", charts.WIDE))
    assert not paths(root, fill="#b9cbe0")
    assert len([c for c in root.iter(f"{SVG}circle") if c.get("r") == "4.5"]) == 11


def test_it_is_said_where_the_network_is_without_some() -> None:
    table = shown()
    words = "All companies together: without the companies of which no figures are shown."
    for gives_way in (False, True):
        network = replace(table.network, gives_way=gives_way)
        figures = (
            charts.funnel_figure(replace(table, network=network), EN),
            charts.all_companies_figure(replace(table, network=network), EN),
            charts.network_figure(network, table.method, EN),
            charts.survival_figure(table.rows[0], network, table.method, EN),
        )
        assert {words in figure.description for figure in figures} == {gives_way}


def test_the_axis_of_sites_is_logarithmic_where_they_span_decades() -> None:
    assert sites_axis([5, 60], 0, 100).low == 0
    axis = sites_axis([5, 200], 0, 1000)
    assert axis.ticks() == [5, 10, 20, 50, 100, 200]
    assert axis.x(10) - axis.x(5) == pytest.approx(axis.x(20) - axis.x(10))
    assert sites_axis([12, 60], 0, 600).ticks() == [0, 20, 40, 60]


def test_ranks_run_from_the_first_to_the_last_possible_one() -> None:
    rows = shown().rows[:3]
    figure = charts.ranks_figure(rows, EN)
    assert figure.rows == (
        ("Rietkraag Cloud", 1, 1, 2, "A"),
        ("Klinker Colo", 2, 1, 3, "A"),
        ("Veenland Colo", 3, 2, 4, "A"),
    )
    root = whole(figure.draw("r", charts.WIDE))
    lines = [part.attrib for part in root.iter(f"{SVG}line") if part.get("stroke-linecap") == "round"]
    dots = [part.attrib["cx"] for part in root.iter(f"{SVG}circle")][1:]  # the first is that of the legend
    step = float(lines[1]["x2"]) - float(dots[1])
    assert [float(line["x2"]) - float(line["x1"]) for line in lines] == pytest.approx(
        [step, 2 * step, 2 * step], abs=0.02
    )
    assert lines[0]["x1"] == dots[0] == lines[1]["x1"]


def test_bands_are_separated_and_ranks_without_an_interval_are_dots_only() -> None:
    rows = shown().rows
    separators = paths_of_bands(rows)
    assert separators == 2  # A to B, B to C
    bare = [_without_interval(row) for row in rows[:2]]
    figure = charts.ranks_figure(bare, NL)
    assert figure.rows[0] == ("Rietkraag Cloud", 1, None, None, "A")
    assert figure.description.endswith("Deze publicatie geeft geen andere mogelijke plaatsen.")
    assert not [x for x in whole(figure.draw("r", 760)).iter(f"{SVG}line") if x.get("stroke-linecap") == "round"]


def paths_of_bands(rows: tuple[Row, ...]) -> int:
    """How many dashed lines cross the plot."""
    root = whole(charts.ranks_figure(rows, EN).draw("r", charts.WIDE))
    return sum(part.get("stroke-dasharray") == "6 4" for part in root.iter(f"{SVG}line"))


def _without_interval(row: Row) -> Row:
    assert row.figures is not None
    return replace(row, figures=replace(row.figures, rank_low=None, rank_high=None))


def test_every_ranked_companys_curve_is_drawn_and_the_chosen_one_in_colour() -> None:
    figure = charts.all_companies_figure(shown(), EN, "as64499")
    root = whole(figure.draw("a", charts.WIDE))
    assert len([d for d in paths(root) if "l" in d]) == 10
    assert len(paths(root, stroke="#b84a00", stroke_width="3")) == 2  # in the legend and in the plot
    assert figure.rows[0][0] == "All companies together"
    assert len(figure.rows) == 12
    assert figure.columns[4] == "Not yet removed after 24\u00a0hours (%)"
    assert figure.description.endswith("The orange dashed line is Dijkgraaf IT.")


def test_companies_whose_curves_were_not_read_are_not_said_to_be_absent() -> None:
    table = shown()
    rows = tuple(
        row if row.figures is None else replace(row, figures=replace(row.figures, curve=())) for row in table.rows
    )
    figure = charts.all_companies_figure(replace(table, rows=rows), EN)
    assert figure.description == "There are no figures to show."


def test_a_faint_curve_goes_through_its_points_in_whole_pixels() -> None:
    steps = [SurvivalPoint(t, 1.0 if t < 84 else 0.5, None, None, None, None) for t in range(169)]
    steps[30] = replace(steps[30], npmle=None)
    table = shown()
    first = table.rows[0]
    assert first.figures is not None
    rows = (replace(first, figures=replace(first.figures, curve=tuple(steps))),)
    root = whole(charts.all_companies_figure(replace(table, rows=rows), EN).draw("a", charts.WIDE))
    # 692 pixels for 168 hours from 54 on, 300 for the share from 54 on: hours 29, 31, 84 and 168
    assert [d for d in paths(root) if "l" in d] == ["M54 54l119 0", "M182 54l218 0 0 150 346 0"]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), min_size=2, max_size=60))
def test_a_faint_curve_stays_within_a_pixel_and_a_half_of_its_steps(steps: list[tuple[int, int]]) -> None:
    points = list(accumulate(steps, lambda at, step: (at[0] + step[0], at[1] + step[1])))
    kept = _straightened(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    for point in points:
        assert min(_distance(point, *ends) for ends in pairwise(kept)) <= 1.5 + 1e-9


def _distance(point: tuple[int, int], start: tuple[int, int], end: tuple[int, int]) -> float:
    """From a point to the nearest one between two others."""
    (x, y), (x1, y1), (x2, y2) = point, start, end
    length = (x2 - x1) ** 2 + (y2 - y1) ** 2
    part = min(1.0, max(0.0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length)) if length else 0.0
    return math.hypot(x - x1 - part * (x2 - x1), y - y1 - part * (y2 - y1))


def norm(hours: float, *standings: Standing) -> Norm:
    """A norm under which the companies stand so."""
    timing = OnTime(hours, 0, 0, 0, 0, NOTHING, NOTHING)
    return Norm(
        hours, tuple(NormLine(str(i), timing, None, None, None, None, None, s) for i, s in enumerate(standings))
    )


def test_norms_count_the_companies_of_each_standing() -> None:
    norms = [norm(1.0, "below", "below", "not_proven", "too_few"), norm(24.0, "below", "meets", "meets", "meets")]
    figure = charts.norms_figure(norms, EN)
    assert figure.columns == ("Deadline", "Below the norm", "Not proven", "Meets the norm", "Too few to judge")
    assert figure.rows == (("1\u00a0hour", 2, 1, 0, 1), ("24\u00a0hours", 1, 0, 3, 0))
    bars = [part.attrib for part in whole(figure.draw("n", 400)).iter(f"{SVG}rect") if part.get("height") == "30"]
    assert [(bar["x"], bar["width"]) for bar in bars] == [("0", "198"), ("200", "98"), ("0", "98"), ("100", "298")]
    assert "At 1\u00a0hour: below the norm 2, not proven 1, meets the norm 0." in figure.description


def test_norms_that_nobody_is_judged_by_are_said_to_be_empty() -> None:
    assert "geen bedrijf met genoeg gegevens" in texts(charts.norms_figure([norm(1.0, "too_few")], NL).draw("n", 340))
    assert charts.norms_figure(None, EN).description == "This release has no figures for other deadlines."


FLOWS = (Flow("a", "b", "NL", 6), Flow("a", None, "BE", 3), Flow("c", None, "", 1), Flow("c", "b", "NL", 2))
NAMES = {"a": "Rietkraag Cloud", "b": "Polderhost"}


def test_flows_go_from_the_company_to_the_company_and_country_the_largest_first() -> None:
    figure = charts.flow_figure(FLOWS, NAMES, EN)
    assert figure.rows == (
        ("Rietkraag Cloud", "Polderhost", "NL", 6),
        ("Rietkraag Cloud", "Not named", "BE", 3),
        ("c", "Polderhost", "NL", 2),
        ("c", "Not named", None, 1),
    )
    assert "Relocated episodes: 12; companies of origin: 2; destinations: 3." in figure.description
    assert "The widest ribbon runs from Rietkraag Cloud to Polderhost (NL): 6." in figure.description
    assert "By country, with its code of two letters (ISO 3166): NL 8, BE 3, country not known 1." in figure.description
    drawn = texts(figure.draw("f", charts.WIDE))
    assert drawn == [
        "From", "To", "Rietkraag Cloud: 9", "c: 3", "Polderhost (NL): 8", "Not named (BE): 3",
        "Not named (country not known): 1",
    ]  # fmt: skip


def test_ribbons_are_as_high_as_their_episodes() -> None:
    root = whole(charts.flow_figure(FLOWS, NAMES, EN).draw("f", charts.WIDE))
    heights = sorted(float(d.split("v")[1].split("C")[0]) for d in paths(root) if "C" in d)
    assert heights == [12, 24, 36, 72]  # at most 12 pixels an episode
    bars = [float(part.attrib["height"]) for part in root.iter(f"{SVG}rect")]
    assert bars == [108, 36, 96, 36, 12]


def test_many_flows_are_pooled_in_the_picture_and_not_in_the_table() -> None:
    flows = [Flow(f"a{i}", f"b{i % 30}", "NL", 60 - i) for i in range(60)]
    figure = charts.flow_figure(flows, {}, EN)
    assert len(figure.rows) == 60
    drawn = texts(figure.draw("f", charts.NARROW))
    assert [text for text in drawn if text.startswith("Other")] == ["Other (53): 1,431", "Other (23): 1,242"]
    assert not [text for text in texts(figure.draw("f", charts.WIDE)) if text.startswith("Other (53)")]


def test_no_widest_ribbon_is_named_where_two_are_as_wide() -> None:
    equal = (Flow("a", "b", "NL", 2), Flow("b", "a", "NL", 2))
    assert "widest" not in charts.flow_figure(equal, NAMES, EN).description
    assert charts.flow_figure(None, {}, EN).description == "There are no relocations to show."


def test_nothing_of_a_withheld_company_is_in_any_picture() -> None:
    table = shown()
    hidden = [row for row in table.rows if row.figures is None]
    assert hidden
    figures = [
        charts.funnel_figure(table, EN, hidden[0].company),
        charts.all_companies_figure(table, EN, hidden[0].company),
        charts.ranks_figure(table.rows, EN),
        charts.norms_figure(table.norms, EN),
    ]
    for figure in figures:
        said = figure.draw("x", charts.WIDE) + figure.description + figure.csv()
        for row in hidden:
            assert row.name not in said
            assert row.company not in said


def test_no_companies_give_a_picture_that_says_so() -> None:
    table = public_table(invent(companies=(COMPANIES[12],)))
    for figure in (
        charts.funnel_figure(table, NL),
        charts.all_companies_figure(table, NL),
        charts.ranks_figure(table.rows, NL),
    ):
        assert figure.description == "Er zijn geen bedrijven met een plaats in de ranglijst."
        assert texts(figure.draw("x", charts.NARROW)) == ["Er zijn geen cijfers om te tonen."]
