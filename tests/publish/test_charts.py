"""Charts: whole XML, named for those who do not see them, without styles or scripts, the same on paper."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from monitor.publish import charts, marks
from monitor.publish.intervals import survival_limits
from monitor.publish.words import LANGUAGES, STANDINGS, Language
from monitor.score.table import AgeCount, OnTime, Share, SurvivalPoint
from tests.publish.fiction import COMPANIES, estimate, point

SVG = "{http://www.w3.org/2000/svg}"
NOTHING = Share(None, None, None, None)


def curve_chart(language: Language = "nl", width: float = charts.WIDE, name: str = "Acme <b>&") -> Markup:
    """The survival chart of an invented company."""
    item = estimate(COMPANIES[0], 1, "below")
    network = [point(t, 10, 400) for t in range(169)]
    return charts.survival_chart("s", name, item.curve, network, 24.0, 0.95, language, width)


def whole(svg: Markup) -> ET.Element:
    """The parsed picture; fails where it is no XML or has what a strict content security policy refuses."""
    root = ET.fromstring(svg)
    for part in root.iter():
        assert not {"style", "href", "onload"}.intersection(part.attrib)
        assert part.tag.removeprefix(SVG) not in ("script", "style", "image", "foreignObject")
    return root


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


def test_the_curve_breaks_where_nothing_is_known_and_stays_within_its_frame() -> None:
    gap = [SurvivalPoint(t, None if 40 < t < 60 else 0.5, None, None, None, None) for t in range(169)]
    root = whole(charts.survival_chart("s", "Acme", gap, [], 24.0, 0.95, "en"))
    line = next(
        part for part in root.iter(f"{SVG}path") if part.get("stroke-width") == "2.5" and "V" in str(part.get("d"))
    )
    assert str(line.get("d")).count("M") == 2
    whole(charts.survival_chart("s", "Acme", [], [], 24.0, 0.95, "en"))


def test_counts_of_nothing_draw_no_part() -> None:
    root = whole(charts.counts_bar("c", OnTime(24, 0, 0, 0, 0, NOTHING, NOTHING), "en"))
    assert not list(root.iter(f"{SVG}rect"))
    whole(charts.age_chart("a", (), 24, "en"))


def test_ages_in_words() -> None:
    ages = [AgeCount(0, 24, 1), AgeCount(24, 48, 1), AgeCount(48, 168, 1), AgeCount(720, None, 1)]
    assert [charts.age_words(age, "en") for age in ages] == [
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
