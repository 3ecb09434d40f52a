"""The pictures over the quarters: they break where one is missing and mark where the method changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor import charts
from monitor.charts.trend import breaks, runs
from monitor.comparison.trend import TrendPoint
from monitor.score.table import Share
from monitor.wording.language import EN, NL
from tests.support.drawings import SVG, labels, paths, whole


def quarter(period: str, p: float, median: float | None = 5.0, method: str = "2026.1") -> TrendPoint:
    """A quarter with an interval of ten percent on both sides and a strict share ten under the lenient one."""
    lenient, strict = Share(p, 0.05, p - 0.1, p + 0.1), Share(p - 0.1, 0.05, p - 0.2, p)
    return TrendPoint(period, method, lenient, strict, median, 10, 100)


POINTS = (
    quarter("2025Q1", 0.5, 20.0),
    quarter("2025Q2", 0.6, 10.0),
    TrendPoint("2025Q3"),
    quarter("2025Q4", 0.8, 8.0, method="2026.2"),
)


def lines(name: str) -> list[str]:
    """The lines of the trend or the median, without the sample in the legend."""
    figure = {"trend": charts.trend_figure, "median": charts.median_figure}[name](POINTS, EN)
    return [
        d for d in paths(whole(figure.draw("t", 490)), stroke="#154273", stroke_width="2") if not d.startswith("M0 ")
    ]


def test_runs_and_breaks() -> None:
    assert runs([1.0, 2.0, None, 3.0, None]) == [[0, 1], [3]]
    assert runs([]) == []
    assert breaks(POINTS) == [3]
    assert breaks(POINTS[1:3]) == []


def test_the_line_never_crosses_a_missing_quarter() -> None:
    # 54 to 480 in four columns of 106.5; the share goes down from 100% to 0% in 260 pixels
    trend = lines("trend")
    assert [d[1:].replace("L", " ").split()[::2] for d in trend] == [["107.2", "213.8"], ["426.8"]]
    heights = [[float(y) for y in d[1:].replace("L", " ").split()[1::2]] for d in trend]
    assert heights[0][0] - heights[0][1] == pytest.approx(26, abs=0.2)
    assert [d.count("L") for d in lines("median")] == [1, 0]


def test_the_trend_in_words_and_numbers() -> None:
    figure = charts.trend_figure(POINTS, EN)
    assert figure.title == "Share on time by quarter: all companies together"
    assert figure.description.endswith(
        "The share was 50.0% in 2025-Q1 and 80.0% in 2025-Q4. Without figures: 2025-Q3; the line is broken there."
        " The method changed in 2025-Q4; compare across that mark with care."
    )
    assert figure.rows[-1] == ("2025-Q1", 40.0, 50.0, 40.0, 60.0, "2026.1")
    assert figure.rows[1] == ("2025-Q3", None, None, None, None, None)
    assert charts.trend_figure(POINTS, NL, "Rietkraag Cloud").title == "Aandeel op tijd per kwartaal: Rietkraag Cloud"


def test_quarters_that_leave_companies_out_are_named() -> None:
    points = (POINTS[0], replace(POINTS[1], partial=True))
    for figure in (charts.trend_figure(points, EN), charts.median_figure(points, EN)):
        assert figure.description.endswith(" In 2025-Q2 without the companies of which no figures are shown.")


def test_a_change_of_method_is_marked_before_its_quarter() -> None:
    root = whole(charts.trend_figure(POINTS, EN).draw("t", 490))
    (mark,) = (part for part in root.iter(f"{SVG}line") if part.get("stroke-dasharray") == "6 4")
    assert mark.get("x1") == mark.get("x2") == "373.5"
    assert "method 2026.2" in [label.text for label in labels(root)]


def test_each_quarter_has_its_interval_and_its_dot() -> None:
    root = whole(charts.trend_figure(POINTS[:1], EN).draw("t", 490))
    (dot,) = list(root.iter(f"{SVG}circle"))[1:]
    whisker = next(
        p for p in root.iter(f"{SVG}line") if p.get("stroke-width") == "1.5" and p.get("x1") == dot.get("cx")
    )
    assert float(whisker.attrib["y1"]) - float(whisker.attrib["y2"]) == pytest.approx(0.2 * 260)
    assert float(dot.attrib["cy"]) == pytest.approx((float(whisker.attrib["y1"]) + float(whisker.attrib["y2"])) / 2)


def test_a_median_that_was_not_reached_is_no_missing_quarter() -> None:
    points = (quarter("2025Q1", 0.5, None), quarter("2025Q2", 0.6, 30.0), TrendPoint("2025Q3"))
    figure = charts.median_figure(points, EN)
    assert figure.rows == (("2025-Q3", None, None), ("2025-Q2", 30.0, "yes"), ("2025-Q1", None, "no"))
    assert "It was 30.0\u00a0hours in 2025-Q2." in figure.description
    assert "Not reached in 2025-Q1: half" in figure.description
    assert "Without figures: 2025-Q3" in figure.description
    root = whole(figure.draw("m", charts.WIDE))
    assert len(paths(root, stroke="#b84a00")) == 2  # in the legend and above the axis
    assert [label.text for label in labels(root)][3:8] == ["0", "6", "12", "18", "24"]


@pytest.mark.parametrize("points", [(), (TrendPoint("2025Q1"),), (TrendPoint("2025Q1", "2026.1"),)])
def test_quarters_without_figures_give_a_picture_that_says_so(points: tuple[TrendPoint, ...]) -> None:
    for figure in (charts.trend_figure(points, NL), charts.median_figure(points, NL)):
        assert figure.description == "Er is geen kwartaal met cijfers."
        assert [label.text for label in labels(whole(figure.draw("t", 340)))] == ["Er zijn geen cijfers om te tonen."]
