"""A release in three answers, each no more than the figures prove."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.comparison.share_change import movements
from monitor.comparison.summary import Answer, how_sure, is_it_better, named, summary, who_is_slow
from monitor.disclosure.rows import PublicTable, public_table
from monitor.wording.language import EN, NL, Language
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
            "3 companies meet the norm: 90% gone in time. The lowest share on time is that of one of these:"
            " Rietkraag Cloud and Klinker Colo. Which of them is not certain."
        ),
    )
    assert who_is_slow(certain_first(table), NL) == (
        "5 van de 11 onder de norm",
        "3 bedrijven voldoen aan de norm: 90% op tijd weg. Zeker het laagste aandeel op tijd heeft Rietkraag Cloud.",
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
    assert who_is_slow(table, EN) == ("Cannot be told yet", "This release gives no judgement about the norm.")
    small = public_table(invent(companies=COMPANIES[-5:]))
    assert who_is_slow(small, EN) == (
        "Cannot be told yet",
        "No company has enough episodes for a place in the ranking.",
    )


def test_how_sure_says_what_the_checks_leave_open() -> None:
    short, said = how_sure(public_table(invent()), EN)
    assert short == "For 3 of 11 not proven"
    assert said.endswith(
        "For 3.7% of all episodes the checks do not show whether the material was gone in time."
        " These never count as late."
    )


@pytest.mark.parametrize(
    ("periods", "short", "part"),
    [
        ((0.2, 0.5), "Yes, better", "That is more than chance explains."),
        ((0.5, 0.2), "No, worse", "That is more than chance explains."),
        ((0.5, 0.5), "Not proven", "That difference can be chance."),
    ],
)
def test_better_is_said_of_the_network_only_where_it_is_certain(
    periods: tuple[float, float], short: str, part: str
) -> None:
    def network(p: float, period: str) -> PublicTable:
        table = public_table(invent(period))
        share = replace(table.network.lenient, p=p, low=p - 0.1, high=p + 0.1)
        return replace(table, network=replace(table.network, lenient=share))

    before, now = (network(p, period) for p, period in zip(periods, ("2026Q1", "2026Q2"), strict=True))
    said = better(now, before, EN)
    assert said[0] == short
    assert part in said[1]
    assert "in the first quarter of 2026" in said[1]
    assert said[1].endswith("Better by more than chance explains: 0 of the companies; worse: 0.")


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
    assert [answer.question for answer in answers] == ["Who is slow?", "How sure is that?", "Is it getting better?"]
    assert all(isinstance(answer, Answer) and answer.short and answer.sentences for answer in answers)


def test_no_withheld_company_is_in_the_answers() -> None:
    table = public_table(invent())
    words = " ".join(answer.sentences for answer in summary(table, public_table(invent("2026Q1")), EN))
    assert not any(row.name in words for row in table.rows if row.figures is None)
