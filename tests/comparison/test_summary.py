"""A release in three answers, each no more than the figures prove."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitor.comparison.share_change import movements
from monitor.comparison.summary import Answer, how_sure, is_it_better, named, summary, who_is_slow
from monitor.disclosure.rows import PublicTable, public_table
from monitor.estimators.confidence import wilson_interval
from monitor.score.table import Share
from monitor.wording.language import EN, NL, Language
from tests.support.plain_tables import company, release
from tests.support.published import COMPANIES, invent


def certain_first(table: PublicTable) -> PublicTable:
    """The same table in which nobody but the first can have rank 1."""

    def pushed(index: int, low: int | None) -> int | None:
        return low if low is None or index == 0 else max(low, 2)

    rows = tuple(
        row
        if row.figures is None
        else replace(row, figures=replace(row.figures, rank_low=pushed(i, row.figures.rank_low)))
        for i, row in enumerate(table.rows)
    )
    return replace(table, rows=rows)


def better(table: PublicTable, before: PublicTable | None, language: Language) -> tuple[str, str]:
    """The third answer."""
    return is_it_better(table, before, movements(table, before), language)


def test_who_is_slow_counts_the_standings_and_names_who_may_be_last() -> None:
    table = public_table(invent())
    assert who_is_slow(table, EN) == (
        "5 of 11 below the norm",
        (
            "3 companies meet the norm: 90% gone in time. Which of these 2 companies scores lowest is not certain:"
            " Rietkraag Cloud and Klinker Colo."
        ),
    )
    assert who_is_slow(certain_first(table), NL) == (
        "5 van de 11 onder de norm",
        "3 bedrijven voldoen aan de norm: 90% op tijd weg. De laagste score heeft zeker Rietkraag Cloud.",
    )


def test_nobody_is_named_where_everyone_could_be_last() -> None:
    table = public_table(invent())
    rows = tuple(
        replace(row, figures=replace(row.figures, rank_low=1)) if row.ranked and row.figures else row
        for row in table.rows
    )
    assert not any(item.name in who_is_slow(replace(table, rows=rows), EN)[1] for item in COMPANIES)


def test_a_release_without_judgement_gives_none() -> None:
    table = public_table(invent(ranked=False))
    assert who_is_slow(table, EN) == ("Cannot be said yet", "This release gives no judgement about the norm.")
    small = public_table(invent(companies=COMPANIES[-5:]))
    assert who_is_slow(small, EN) == (
        "Cannot be said yet",
        "No company has enough episodes for a place in the ranking.",
    )


def test_how_sure_says_what_the_checks_leave_open() -> None:
    short, said = how_sure(public_table(invent()), EN)
    assert short == "For 3 of 11 not proven"
    assert said.endswith(
        "For 3.7% of all episodes the checks do not show whether the material was gone in time."
        " These never count as late."
    )


def wilson(n: int, late: int) -> Share:
    low, high = wilson_interval(np.array([1 - late / n]), np.array([float(n)]), 0.95)
    return Share(1 - late / n, None, float(low[0]), float(high[0]))


def quarter(period: str, **late_of: tuple[int, int]) -> PublicTable:
    """A release of companies with so many episodes and so many of them late, and their intervals."""
    limits = {key: wilson(*counts) for key, counts in late_of.items()}
    return release(period, *(company(key, *counts) for key, counts in late_of.items()), limits=limits)


@pytest.mark.parametrize(
    ("before", "now", "short", "network", "behaviour"),
    [
        # Each company does worse, and more of the material is at the better one: the total rises.
        ({"a": (200, 10), "b": (800, 640)}, {"a": (800, 120), "b": (200, 190)}, "No, worse", "+34.0", "−12.5"),
        # Each does better, and more of it is at the worse one: the total falls.
        ({"a": (800, 120), "b": (200, 190)}, {"a": (200, 10), "b": (800, 640)}, "Yes, better", "−34.0", "+12.5"),
        ({"a": (40, 12), "b": (40, 20)}, {"a": (40, 11), "b": (40, 19)}, "Not proven", "+2.5", "+2.5"),
    ],
)
def test_the_verdict_follows_what_the_companies_did_and_names_the_mix(
    before: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]], short: str, network: str, behaviour: str
) -> None:
    said = better(quarter("2026Q2", **now), quarter("2026Q1", **before), EN)
    assert said[0] == short
    assert f": {network} percentage points." in said[1]
    assert f"companies themselves contributed {behaviour} percentage points" in said[1]
    assert ("how the material was divided over companies (" in said[1]) == (network != behaviour)


def test_no_verdict_is_given_across_a_quarter_without_a_release() -> None:
    before, now = ({"a": (200, 150), "b": (200, 150)}, {"a": (200, 5), "b": (200, 5)})
    assert better(quarter("2026Q2", **now), quarter("2026Q1", **before), EN)[0] == "Yes, better"
    said = better(quarter("2026Q2", **now), quarter("2025Q3", **before), EN)
    assert said == (
        "Cannot be said yet",
        "There is no release of the fourth quarter of 2025 and first quarter of 2026. Across a gap we give no verdict.",
    )


def test_nobody_meets_the_norm_in_words() -> None:
    table = public_table(invent(companies=COMPANIES[:6]))
    rows = tuple(replace(row, standing="below") if row.standing == "meets" else row for row in table.rows)
    assert "No company meets the norm: 90% gone in time." in who_is_slow(replace(table, rows=rows), EN)[1]
    assert "Geen enkel bedrijf voldoet aan de norm" in who_is_slow(replace(table, rows=rows), NL)[1]


def test_nothing_is_compared_that_cannot_be() -> None:
    now, before = public_table(invent("2026Q2")), public_table(invent("2026Q1"))
    assert better(now, None, NL) == (
        "Nog niet te zeggen",
        "Er is nog geen eerdere publicatie om mee te vergelijken.",
    )
    other = replace(before, method=replace(before.method, version="2025.1"))
    assert "another method" in better(now, other, EN)[1]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("A", "A"),
        ("AB", "A and B"),
        ("ABCD", "A, B, C and D"),
        ("ABCDEF", "A, B, C and 3 others"),
    ],
)
def test_long_lists_of_names_are_cut(names: str, said: str) -> None:
    assert named(list(names), EN) == said


def test_the_three_questions_are_answered_in_order() -> None:
    answers = summary(public_table(invent()), None, EN)
    assert [answer.question for answer in answers] == ["Who is slow?", "How certain is that?", "Is it getting better?"]
    assert all(isinstance(answer, Answer) and answer.short and answer.sentences for answer in answers)


def test_no_withheld_company_is_in_the_answers() -> None:
    table = public_table(invent())
    words = " ".join(answer.sentences for answer in summary(table, public_table(invent("2026Q1")), EN))
    assert not any(row.name in words for row in table.rows if row.figures is None)
