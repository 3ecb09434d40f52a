"""The pictures of one company: whole XML, named for those who do not see them, without styles or scripts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from markupsafe import Markup

from monitor import charts
from monitor.charts import marks
from monitor.charts.survival import survival_limits
from monitor.disclosure.rows import PublicTable, public_table
from monitor.score.table import AgeCount, OnTime, Share, SurvivalPoint
from monitor.wording.language import EN, LANGUAGES, NL, Language
from monitor.wording.words import STANDINGS
from tests.support.drawings import SVG, labels, paths, whole
from tests.support.published import COMPANIES, estimate, invent, point

NOTHING = Share(None, None, None, None)


def shown() -> PublicTable:
    """What may be shown of the invented release."""
    return public_table(invent())


def curve_chart(language: Language = NL, width: float = charts.WIDE, name: str = "Acme <b>&") -> Markup:
    """The survival chart of an invented company."""
    item = estimate(COMPANIES[0], 1, "below")
    network = [point(t, 10, 400) for t in range(169)]
    return charts.survival_chart("s", name, item.curve, network, 24.0, 0.95, language, width)


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
@pytest.mark.parametrize("language", LANGUAGES)
def test_charts_have_a_name_and_a_description(language: Language, width: float) -> None:
    item = estimate(COMPANIES[0], 1, "below")
    for svg in (
        curve_chart(language, width),
        charts.counts_bar("c", item.on_time, language, width),
        charts.age_chart("a", item.outstanding_by_age, 24.0, language, width),
    ):
        root = whole(svg)
        ids = {part.get("id") for part in root if part.tag in (f"{SVG}title", f"{SVG}desc")}
        assert ids == {root.get("aria-labelledby"), root.get("aria-describedby")}
        assert root.get("role") == "img"
        assert float(root.get("width") or 0) == width


def test_a_name_cannot_break_out_of_the_chart() -> None:
    svg = curve_chart()
    assert "<b>" not in svg
    assert "Acme &lt;b&gt;&amp;" in svg


def test_signs_that_no_xml_may_hold_are_left_out() -> None:
    root = whole(curve_chart(name="Ac\x00me\x1b"))
    assert "Acme" in [label.text for label in labels(root)]


def test_the_curve_breaks_where_nothing_is_known() -> None:
    gap = [SurvivalPoint(t, None if 40 < t < 60 else 0.5, None, None, None, None) for t in range(169)]
    (line,) = (d for d in paths(whole(charts.survival_chart("s", "Acme", gap, [], 24.0, 0.95, EN))) if "V" in d)
    assert line.count("M") == 2
    whole(charts.survival_chart("s", "Acme", [], [], 24.0, 0.95, EN))


def test_the_survival_figure_says_what_its_curve_says() -> None:
    table = shown()
    row = table.rows[0]
    figure = charts.survival_figure(row, table.network, table.method, EN)
    assert figure.description == (
        "The lower the line, the more is gone. Solid line: Rietkraag Cloud, with the band from the lenient to the"
        " strict reading and around it the 95% confidence interval. Dashed line: all companies together. After the"
        " deadline of 24\u00a0hours (dotted line) an estimated 78.7% was not yet removed; at all companies"
        " together 18.5%."
    )
    assert [line[0] for line in figure.rows] == ["1", "4", "12", "24", "48", "72", "168"]
    assert figure.rows[3][:2] == ("24", 78.7)
    assert figure.rows[3][-1] == 18.5
    assert {len(line) for line in figure.rows} == {len(figure.columns)}


def test_a_deadline_beyond_the_curve_is_not_drawn_at_its_end() -> None:
    item = estimate(COMPANIES[0], 1, "below")
    for hours, drawn in ((168.0, True), (200.0, False)):
        svg = charts.survival_chart("s", "Acme", item.curve, [], hours, 0.95, EN)
        assert any(label.text.startswith("deadline") for label in labels(whole(svg))) == drawn


def test_a_withheld_company_has_a_picture_of_the_network_only() -> None:
    table = shown()
    row = table.find("as64509")
    assert row is not None
    assert row.figures is None
    figure = charts.survival_figure(row, table.network, table.method, NL)
    assert figure.rows == ()
    assert figure.description == "Van =Watersnip VPS zijn geen cijfers te tonen."
    root = whole(figure.draw("s", charts.WIDE))
    assert "Er zijn geen cijfers om te tonen." in [label.text for label in labels(root)]
    assert not paths(root, stroke="#154273")


def test_the_networks_own_curve_has_no_other_beside_it() -> None:
    table = shown()
    figure = charts.network_figure(table.network, table.method, EN)
    assert "Dashed" not in figure.description
    assert len(figure.columns) == len(figure.rows[0]) == 6
    unknown = replace(table.network, curve=(), survival=())
    assert charts.network_figure(unknown, table.method, EN).rows == ()


def test_the_three_counts_share_the_bar_by_their_size() -> None:
    timing = OnTime(24.0, 100, 60, 30, 10, NOTHING, NOTHING)
    figure = charts.counts_figure(timing, EN)
    assert figure.rows == (("On time", 60), ("Undetermined", 10), ("Late", 30))
    bars = [part.attrib for part in whole(figure.draw("c", 500)).iter(f"{SVG}rect")]
    assert [(bar["x"], bar["width"]) for bar in bars[:3]] == [("0", "298"), ("300", "48"), ("350", "148")]
    assert "on time 60, undetermined 10, late 30" in figure.description


def test_counts_of_nothing_draw_no_part() -> None:
    figure = charts.counts_figure(OnTime(24.0, 0, 0, 0, 0, NOTHING, NOTHING), EN)
    assert figure.description == "The deadline has passed of no episode yet."
    assert not list(whole(figure.draw("c", charts.WIDE)).iter(f"{SVG}rect"))
    whole(charts.age_chart("a", (), 24, EN))


def test_ages_past_the_deadline_have_another_colour_and_so_has_the_group_that_it_runs_through() -> None:
    ages = (AgeCount(0, 24, 3), AgeCount(24, 48, 6), AgeCount(48, None, 0))
    assert _colours(ages, 24.0) == ["#154273", "#b84a00", "#b84a00"]
    assert _colours(ages, 12.0) == ["#c9d3de", "#b84a00", "#b84a00"]
    assert charts.age_figure(ages, 24.0, EN).rows == (
        ("0 to 24 hours", 3),
        ("24 to 48 hours", 6),
        ("2 days or more", 0),
    )


def _colours(ages: tuple[AgeCount, ...], deadline: float) -> list[str]:
    """Of the bars, which are 22 pixels high, from the top."""
    root = whole(charts.age_figure(ages, deadline, EN).draw("a", charts.WIDE))
    return [part.attrib["fill"] for part in root.iter(f"{SVG}rect") if part.get("height") == "22"]


def test_nothing_outstanding_is_said() -> None:
    assert charts.age_figure((AgeCount(0, 24, 0),), 24.0, NL).description == "Er staat niets open."


def test_ages_in_words() -> None:
    ages = [AgeCount(0, 24, 1), AgeCount(24, 48, 1), AgeCount(48, 168, 1), AgeCount(720, None, 1)]
    assert [EN.age_group(age) for age in ages] == [
        "0 to 24 hours",
        "24 to 48 hours",
        "2 to 7 days",
        "30 days or more",
    ]


def test_small_signs_are_hidden_from_assistive_technology() -> None:
    signs = [marks.icon(words.icon) for words in STANDINGS.values()]
    signs += [marks.share_strip(NOTHING, NOTHING, 0.9), marks.sort_mark("asc"), marks.sort_mark("")]
    assert all('aria-hidden="true"' in sign for sign in signs)


def test_limits_are_those_of_the_log_log_scale() -> None:
    # by hand, for 3 of 5 left: 0.6 ** exp(1.95996 * 0.219089 / 0.306495), and with the sign turned
    low, high = survival_limits(0.6, math.sqrt(0.6 * 0.4 / 5), 0.95)
    assert low == pytest.approx(0.1257, abs=1e-4)
    assert high == pytest.approx(0.8818, abs=1e-4)
    assert survival_limits(1.0, 0.0, 0.95) == (1.0, 1.0)
    assert survival_limits(0.0, None, 0.95) == (None, None)
    assert survival_limits(0.0, 0.1, 0.95) == (0.0, None)
