"""`monitor supplements`: the tables it prints, files of steps, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli.supplements import describe, supplements
from monitor.comparison.decomposition import Pair, Side, split
from monitor.errors import MonitorError
from monitor.instants import parse_period, quarter_number
from monitor.score.methods import method
from monitor.score.pipeline import Request
from monitor.score.table import Share
from monitor.supplements import MEASURES
from monitor.supplements.case_mix import CaseMix, CompanyCaseMix
from monitor.supplements.cusum import CompanyCusum, Cusum, Signal
from monitor.supplements.measures import as_json, measure
from monitor.supplements.recurrence import Recurred, Recurrence, SiteRecurrence
from monitor.supplements.returned import LookedAgain, Returned, ReturnedItems
from monitor.supplements.shares import NOTHING, ClusteredShare
from monitor.supplements.step_effect import step_effect
from monitor.supplements.steps import Displacement, StepEffects, read_steps
from monitor.supplements.trend import CompanyPart, GapChange, TrendStep

HALF = ClusteredShare(6, 3, 6, 0.5, 0.1876, 0.8124)
REQUEST = Request(parse_period("2026Q2"), 0, 0, method())


def test_the_help_says_what_every_measure_is() -> None:
    text = CliRunner().invoke(supplements, ["--help"]).output
    assert all(f"  {name} " in text for name in MEASURES)


def test_recurrence_as_a_table() -> None:
    windows = (Recurred(30, HALF), Recurred(90, NOTHING))
    text = describe(Recurrence((SiteRecurrence("a", "Company A", windows),), windows))
    assert text.splitlines() == [
        "company        again in 30 d   share    95 % interval  again in 90 d  share  95 % interval",
        "Company A                3/6  50.0 %  18.8 % - 81.2 %            0/0      -              -",
        "all companies            3/6  50.0 %  18.8 % - 81.2 %            0/0      -              -",
    ]


def test_returned_as_a_table() -> None:
    row = ReturnedItems("a", "Company A", (LookedAgain(1, HALF),), HALF, NOTHING)
    text = describe(Returned((row,), ReturnedItems("", "", (LookedAgain(1, NOTHING),), NOTHING, HALF)))
    assert text.splitlines() == [
        "company        online after 1 d   share    95 % interval  on time  by first removal",
        "Company A                   3/6  50.0 %  18.8 % - 81.2 %   50.0 %                 -",
        "all companies               0/0       -                -        -            50.0 %",
    ]


def test_case_mix_as_a_table() -> None:
    rows = (
        CompanyCaseMix("a", "Company A", 20, 15, 10.0, 1.5, 1.01, 1.9, 2.24),
        CompanyCaseMix("b", "Company B", 3, 1, 0.5, None, None, None, 0.7),
    )
    assert describe(CaseMix(rows, 2.75)).splitlines() == [
        "company    determined  late  expected  observed/expected  95 % interval     z",
        "Company A          20    15      10.0               1.50    1.01 - 1.90  2.24",
        "Company B           3     1       0.5                  -              -  0.70",
        "dispersion 2.75 (by chance alone: 1 with fewer than ten companies, 0.66 with many)",
    ]


def test_cusum_as_a_table() -> None:
    rows = (CompanyCusum("a", "Company A", 12, 3.5, 1.25, 4.2, (Signal("2026-W17", 4.5), Signal("2026-W20", 5.0))),)
    assert describe(Cusum(0.0312, rows)).splitlines() == [
        "company    weeks  sites a week     W  limit             signals",
        "Company A     12           3.5  1.25    4.2  2026-W17, 2026-W20",
        "correlation of the sites of a week: 0.031",
    ]
    assert describe(Cusum(None, ())).endswith("not known: no signals")


def test_a_trend_whose_recheck_gap_changed_tells_no_behaviour() -> None:
    share = Share(0.8, None, 0.7, 0.9)
    side = Side(10, 2, share)
    parts = split(
        (Pair("a", "Company A", side, Side(10, 5, Share(0.5, None, 0.4, 0.6))),), side, Side(10, 5, share), "network"
    )
    gap = GapChange(2.0, 3.0, changed=True)
    company = CompanyPart("a", "Company A", "stayed", None, 0.0, gap)
    text = describe(TrendStep("2026Q1", "2026Q2", parts, None, None, None, -0.3, gap, (company,)))
    assert text.splitlines() == [
        "2026Q1 to 2026Q2",
        "median recheck gap 2.00 h, then 3.00 h: changed by over 25 %, so that no behaviour is told",
        "",
        "part                      points     95 % interval",
        "share before              80.0 %",
        "share after               50.0 %",
        "behaviour                      -",
        "behaviour or observation  -0.300",
        "mix                       +0.000  +0.000 to +0.000",
        "arrivals                  +0.000",
        "departures                +0.000",
        "unnamed                   +0.000",
        "",
        "company      kind  behaviour  mix, arrival, departure        recheck gap h",
        "Company A  stayed          -                   +0.000  2.00 - 3.00 changed",
    ]


def steps_and_effects() -> StepEffects:
    figures = {name: dict.fromkeys(range(8000, 8120), 0.5) for name in ("a", "b", "c", "d")}
    figures["a"] |= dict.fromkeys(range(8105, 8120), 0.6)
    effects = {"on_time": step_effect(figures, {"a": 8105})}
    return StepEffects({"a": "2026Q2"}, effects, (Displacement("a", {}, {"": 1, "DE": 2}),))


def test_a_step_with_one_company_is_called_a_change() -> None:
    plotted = [*(f"{q} +0.000" for q in range(-4, 0)), *(f"{q} +0.100" for q in range(5))]
    assert describe(steps_and_effects()).splitlines() == [
        "a from 2026Q2",
        "",
        "on_time: companies with a step 1, without 3",
        "  no effect: fewer than 6 companies",
        "  no placebo, four quarters earlier: fewer than 6 companies",
        "  change of a: +0.100",
        f"  quarters from the step: {', '.join(plotted)}",
        "",
        "a: moved away before nothing, after not known 1, DE 2",
    ]


def test_the_answer_in_json_says_what_was_asked_and_names_quarters() -> None:
    figures = {name: {q: 0.5 for q in range(8100, 8110) if (name, q) != ("a", 8106)} for name in ("a", "b", "c", "d")}
    answer = StepEffects({"a": "2026Q2"}, {"on_time": step_effect(figures, {"a": 8105})}, ())
    data = json.loads(json.dumps(as_json("step-effect", REQUEST, answer)))
    assert (data["measure"], data["period"], data["method"]) == ("step-effect", "2026Q2", method().version)
    assert data["effects"]["on_time"]["missing"] == {"a": ["2026Q3"]}
    assert quarter_number("2026Q2") == 8105


def test_steps_are_read_from_a_file_the_first_of_a_company(tmp_path: Path) -> None:
    file = tmp_path / "steps.csv"
    file.write_text("\ufeffcompany,in_force_from,step\na,2026-06-30,order\na,2026-01-01,letter\nb,2025-12-31,\n")
    assert read_steps(file) == {"a": quarter_number("2026Q1"), "b": quarter_number("2025Q4")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("company,day\na,2026-01-01\n", "steps.csv has no column in_force_from; write company,in_force_from first"),
        ("company,in_force_from\n", "steps.csv names no step"),
        ("company,in_force_from\na,2026-01-01\n,2026-01-01\n", "steps.csv, line 3: no company"),
        ("company,in_force_from\na,1-1-2026\n", "steps.csv, line 2: in_force_from is no day; write it as 2026-04-01"),
        ("company,in_force_from\na,2026-02-30\n", "steps.csv, line 2: in_force_from is no day"),
        ("company,in_force_from\na\n", "steps.csv, line 2: in_force_from is no day"),
        ("company,in_force_from\n\udcff,2026-02-03\n", "steps.csv cannot be read as CSV in UTF-8"),
    ],
)
def test_what_a_file_of_steps_lacks_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "steps.csv"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MonitorError) as raised:
        read_steps(file)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "steps", "message"),
    [
        ("speed", None, "no measure 'speed'; there are: recurrence, returned"),
        ("step-effect", None, "step-effect needs --steps FILE"),
        ("cusum", Path("steps.csv"), "--steps is for step-effect alone, not for cusum"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_read(name: str, steps: Path | None, message: str) -> None:
    nothing: Any = None
    with pytest.raises(MonitorError) as raised:
        measure(name, nothing, REQUEST, nothing, steps)
    assert str(raised.value).startswith(message)


def test_a_file_of_steps_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match=r"steps\.csv cannot be read as CSV in UTF-8"):
        read_steps(tmp_path / "steps.csv")
