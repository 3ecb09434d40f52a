"""What differs between two public tables, as values, in words and in files; never more than both publish."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.comparison.changes import (
    Change,
    Line,
    changes,
    changes_csv,
    changes_json,
    lines,
    network_lines,
    told,
)
from monitor.disclosure.rows import PublicTable, Row, public_table
from monitor.score.table import AgeCount, Estimate, Incidence, Relocation
from monitor.tables.sentences import figure_lines
from monitor.tables.sheets import flat, ranking_csv, row_json
from monitor.wording.language import EN, NBSP, NL
from monitor.wording.readings import rank_words
from tests.support.plain_tables import SMALL, Counted, company, release
from tests.support.published import invent

OLD = release("2026Q1", company("a", 60, 12), company("b", 40, 20), company("gone", 50, 1), *SMALL)
NEW = release("2026Q2", company("a", 60, 40), company("b", 40, 20), company("came", 50, 1), *SMALL)
FICTION = public_table(invent())


def row_of(table: PublicTable, key: str) -> Row:
    row = table.find(key)
    assert row is not None
    return row


def differing(old: Row, new: Row) -> dict[str, tuple[object, object]]:
    found = changes(replace(OLD, rows=(old,)), replace(OLD, rows=(new,))).companies
    return {change.figure: (change.before, change.after) for each in found for change in each.changes}


def with_figures(row: Row, **figures: Any) -> Row:
    assert row.figures is not None
    return replace(row, figures=replace(row.figures, **figures))


def test_companies_come_go_and_change_rank_and_standing() -> None:
    found = changes(OLD, NEW)
    assert ([row.company for row in found.came], [row.company for row in found.gone]) == (["came"], ["gone"])
    assert [each.after.company for each in found.companies] == ["a", "b"]
    assert [each.after.company for each in found.judged_otherwise] == ["a", "b"]
    figures = differing(row_of(OLD, "a"), row_of(NEW, "a"))
    assert (figures["rank"], figures["on_time_late"]) == ((2, 1), (12, 40))
    assert Change("period", "2026Q1", "2026Q2") in found.whole
    assert {each.figure for each in found.whole} >= {"network_counts_late", "network_lenient_p"}
    assert not [each for each in found.whole if each.figure.startswith("known_at")]


def test_a_table_does_not_differ_from_itself() -> None:
    assert not changes(OLD, OLD)
    assert changes(FICTION, replace(FICTION, known_at="2026-09-01T00:00:00Z")) == changes(OLD, OLD)
    assert {line.before == line.after for line in network_lines(OLD, OLD, EN)} == {True}


@given(st.sampled_from([OLD, NEW, FICTION]), st.sampled_from([OLD, NEW, FICTION]))
def test_looked_at_from_the_other_side_before_and_after_change_places(old: PublicTable, new: PublicTable) -> None:
    there, back = changes(old, new), changes(new, old)
    assert (there.came, there.gone) == (back.gone, back.came)
    assert {each.figure for each in there.whole} == {each.figure for each in back.whole}
    ends = {(each.after.company, c.figure, c.before, c.after) for each in there.companies for c in each.changes}
    assert ends == {(each.after.company, c.figure, c.after, c.before) for each in back.companies for c in each.changes}


def test_of_a_company_withheld_on_one_side_only_what_both_say_is_compared() -> None:
    """The figures it has now are in their own release; a difference to nothing says no more."""
    old = release("2026Q1", company("a", 60, 12), Counted("b", 2, 4, 1, 5), *SMALL)
    assert differing(row_of(old, "b"), row_of(NEW, "b")) == {
        "standing": ("too_few", "below"),
        "episodes": ("<10", 40),
    }
    assert lines(row_of(old, "b"), row_of(NEW, "b"), EN) == (
        Line("Rank", "–", "2 (2–2)"),
        Line("Standing", "Too few to judge", "Below the norm"),
        Line("Episodes", "fewer than 10", "40"),
    )


def test_of_two_withheld_companies_nothing_differs_whatever_they_have() -> None:
    """So no count of theirs is in any file; the whole is that of the releases, where it may be told."""
    swapped = [replace(one, key=other.key) for one, other in zip(SMALL, SMALL[::-1], strict=True)]
    assert not changes(
        OLD, release("2026Q1", company("a", 60, 12), company("b", 40, 20), company("gone", 50, 1), *swapped)
    )
    said = json.dumps(changes_json(changes(OLD, NEW)))
    assert not [each.key for each in SMALL if f'"{each.key}"' in said]


SAID = {
    "via_proxy": (True, Line("Via proxy", "no", "yes")),
    "name": ("Other", Line("Name", "Company a", "Other")),
    "country": (None, Line("Country", "NL", "–")),
}


@pytest.mark.parametrize("field", SAID)
def test_who_a_company_is_can_differ_too(field: str) -> None:
    value, line = SAID[field]
    changed: Mapping[str, Any] = {field: value}
    assert lines(row_of(OLD, "a"), replace(row_of(OLD, "a"), **changed), EN) == (line,)


FIGURES: Mapping[str, tuple[Mapping[str, Any], Line]] = {
    "rank": ({"rank_high": 4}, Line("Plaats", "2 (2–2)", "2 (2–4)")),
    "band": ({"band": "B"}, Line("Groep", "A", "B")),
    "outstanding": ({"outstanding": 1_234}, Line("Openstaand", "0", "1.234")),
    "exposure": ({"exposure_hours": 7.25}, Line("Uren online na melding", f"8,0{NBSP}uur", f"7,2{NBSP}uur")),
    "age": ({"outstanding_by_age": (AgeCount(0, 24, 3),)}, Line("Openstaand: 0 tot 24 uur", "0", "3")),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_that_differs_is_told_in_words(figure: str) -> None:
    changed, line = FIGURES[figure]
    row = row_of(OLD, "a")
    assert line in lines(row, with_figures(row, **changed), NL)


def test_every_figure_of_the_page_of_a_company_is_compared() -> None:
    row = row_of(FICTION, "as64496")
    assert row.figures is not None
    keys = told(row, NL).keys()
    assert keys >= {line.key for line in figure_lines(row.figures, NL)}
    assert keys >= {"rank", "standing", "count_on_time", "count_late", "count_undetermined", "left_24", "age_0"}


def test_only_the_figures_that_are_asked_for_are_told() -> None:
    found = lines(row_of(OLD, "a"), row_of(NEW, "a"), EN, only=("count_late",))
    assert found == (Line("Late", "12", "40"),)


def test_a_difference_too_small_to_read_is_in_the_files_and_not_in_the_words() -> None:
    row = row_of(OLD, "a")
    nearly = with_figures(row, exposure_hours=8.000001)
    assert differing(row, nearly) == {"exposure_hours": (8, 8.000001)}
    assert lines(row, nearly, EN) == ()


def test_the_whole_is_told_as_far_as_either_table_tells_it() -> None:
    told_of_both = {line.name: (line.before, line.after) for line in network_lines(OLD, NEW, EN)}
    assert told_of_both["Late"] == ("42", "70")
    assert told_of_both["Median time"] == (f"5.5{NBSP}hours", f"5.5{NBSP}hours")
    alone = release("2026Q2", company("a", 60, 40), SMALL[0])
    names = {line.name: line.after for line in network_lines(alone, alone, EN)}
    assert "Late" not in names
    assert "Share on time" in names
    assert {line.name: line.after for line in network_lines(OLD, alone, EN)}["Late"] == "–"


def test_ranks_in_words() -> None:
    figures = row_of(OLD, "a").figures
    assert figures is not None
    unsure, unranked = replace(figures, rank_low=None), replace(figures, rank=None)
    assert [rank_words(each) for each in (None, figures, unsure, unranked)] == ["–", "2 (2–2)", "2", "–"]


def test_the_file_names_each_difference_of_each_table() -> None:
    text = changes_csv({"notices": changes(OLD, NEW), "hash_hits": changes(OLD, OLD)})
    found = list(csv.DictReader(io.StringIO(text)))
    assert {line["table"] for line in found} == {"notices"}
    assert [(line["company"], line["before"], line["after"]) for line in found if line["figure"] == "listed"] == [
        ("came", "false", "true"),
        ("gone", "true", "false"),
    ]
    late = next(line for line in found if (line["company"], line["figure"]) == ("a", "on_time_late"))
    assert (late["name"], late["before"], late["after"]) == ("Company a", "12", "40")


def test_a_name_that_a_spreadsheet_would_run_is_guarded() -> None:
    named = replace(row_of(NEW, "came"), name="=1+1")
    table = replace(NEW, rows=tuple(named if row.company == "came" else row for row in NEW.rows))
    assert "'=1+1" in changes_csv({"notices": changes(OLD, table)})


def test_relocations_are_flat_figures_under_their_country_and_hours() -> None:
    moves = (
        Relocation(None, 3, (Incidence(168.0, 0.1, 0.02, 0.05, 0.2),)),
        Relocation("BE", 2, (Incidence(168.0, 0.07, None, None, None),)),
        Relocation("", 1, ()),
    )
    row = with_figures(row_of(OLD, "a"), relocation=moves)
    found = flat(row_json(row))
    assert found["relocation_any_episodes"] == 3
    assert found["relocation_any_incidence_168h_low"] == 0.05
    assert (found["relocation_BE_episodes"], found["relocation_unknown_episodes"]) == (2, 1)
    assert "relocation_BE_incidence_168h_p" in ranking_csv([row]).splitlines()[0]


def test_estimates_without_anything_to_say_are_compared_as_such() -> None:
    row = row_of(OLD, "a")
    assert isinstance(row.figures, Estimate)
    bare = with_figures(row, survival=(), outstanding_by_age=(), relocation=())
    assert lines(row, bare, EN) == tuple(
        Line(f"Outstanding: {age}", "0", "–")
        for age in ("0 to 24 hours", "24 to 48 hours", "2 to 7 days", "7 to 30 days", "30 days or more")
    )
