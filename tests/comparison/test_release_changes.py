"""What differs between all that two releases hold, also of companies whose figures are not published."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.comparison.changes import Change, TableChanges, changes_json, release_changes
from monitor.score.table import (
    Bounds,
    Estimate,
    Flow,
    Incidence,
    LegalEntity,
    Norm,
    NormLine,
    OnTime,
    Quality,
    Quantile,
    Relocation,
    Share,
    SurvivalPoint,
    Table,
    Unattributed,
)

UNKNOWN = Share(None, None, None, None)
UNTOLD = LegalEntity(None, None)
POINT = SurvivalPoint(24.0, 0.5, 0.5, 0.0, 0.5, 0.0)


def company(key: str, rank: int | None = 1, episodes: int = 3, late: int = 2) -> Estimate:
    """A row of a table with hardly anything known."""
    return Estimate(
        key, key.upper(), "NL", False, episodes, 1, 3, 0, OnTime(24.0, 3, 1, late, 0, UNKNOWN, UNKNOWN),
        Quantile(None, None, None), Quantile(None, None, None), Bounds(None, None), (POINT,),
        0, 0, 0, None, 0.0, 0, 0, 0, (), (replace(POINT, t=0.0), POINT), rank=rank, standing="below",
    )  # fmt: skip


def table(*companies: Estimate) -> Table:
    return Table("2026.1", "as of", "known at", "2026Q1", companies, company("network", None), Unattributed(1, 1))


A, B, C = company("a"), company("b", rank=2), company("c", rank=3)


def differing(found: TableChanges[Estimate]) -> list[tuple[str | None, Change]]:
    """Every difference, those of the whole under None."""
    of_companies = [(each.after.company, change) for each in found.companies for change in each.changes]
    return [*((None, change) for change in found.whole), *of_companies]


def told(old: Table, new: Table) -> list[tuple[str | None, Change]]:
    found = release_changes(old, new)
    assert bool(found) == bool(differing(found.notices) or found.notices.came or found.notices.gone)
    return differing(found.notices)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (table(A, B), table(A, B), []),
        (table(A), replace(table(A), known_at="later"), []),
        (
            table(A, B),
            replace(table(replace(B, rank=1), company("a", 2, late=1)), unattributed=Unattributed(0, 1)),
            [
                (None, Change("unattributed_episodes", 1, 0)),
                ("b", Change("rank", 2, 1)),
                ("a", Change("on_time_late", 2, 1)),
                ("a", Change("rank", 1, 2)),
            ],
        ),
        (
            table(A),
            table(replace(A, survival=(replace(POINT, npmle=None),))),
            [("a", Change("survival_24h_npmle", 0.5, None))],
        ),
        (
            table(A),
            table(replace(A, relocation=(Relocation(None, 1, (Incidence(168.0, 0.25, None, None, None),)),))),
            [
                ("a", Change("relocation_any_episodes", None, 1)),
                ("a", Change("relocation_any_incidence_168h_p", None, 0.25)),
            ],
        ),
    ],
    ids=["same", "known later", "ranks", "unknown", "relocated"],
)
def test_what_differs(old: Table, new: Table, expected: list[tuple[str | None, Change]]) -> None:
    assert told(old, new) == expected


def test_one_comes_and_one_goes() -> None:
    found = release_changes(table(A, B), table(A, C))
    assert (found.notices.came, found.notices.gone, differing(found.notices)) == ((C,), (B,), [])
    assert changes_json(found.notices)["came"] == [{"company": "c", "name": "C"}]


LINE = NormLine("a", OnTime(12.0, 3, 1, 2, 0, UNKNOWN, UNKNOWN), 40.0, 1, 1, 1, "A", "below")


def whole(*flows: Flow, line: NormLine = LINE, quality: Quality | None = None, legal: LegalEntity = UNTOLD) -> Table:
    """A table as a release holds it."""
    return replace(table(replace(A, legal=legal)), flows=flows, norms=(Norm(12.0, (line,)),), quality=quality)


MOVED = Flow("a", "b", "NL", 2)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (whole(MOVED), whole(replace(MOVED, episodes=3)), [(None, Change("flows_a to b, NL", 2, 3))]),
        (
            whole(MOVED),
            whole(Flow("a", None, "", 2)),
            [(None, Change("flows_a to unknown, unknown", None, 2)), (None, Change("flows_a to b, NL", 2, None))],
        ),
        (
            whole(),
            whole(line=replace(LINE, standing="not_proven", on_time=replace(LINE.on_time, late=1))),
            [
                ("a", Change("norms_12h_on_time_late", 2, 1)),
                ("a", Change("norms_12h_standing", "below", "not_proven")),
            ],
        ),
        (whole(quality=Quality((), (), ())), whole(), []),  # a correction always knows more
        (table(A), whole(MOVED), []),  # of before releases had flows and norms
        (table(A), replace(whole(), companies=(replace(A, announced_ipv4=256),)), []),
        (whole(), whole(legal=LegalEntity("A B.V.", "90000000")), [
            ("a", Change("legal_name", None, "A B.V.")), ("a", Change("registration", None, "90000000")),
        ]),
        (replace(whole(), companies=(A,)), whole(legal=LegalEntity("A B.V.", None)), []),  # before there was such
    ],
)  # fmt: skip
def test_what_differs_beside_the_figures(old: Table, new: Table, expected: list[tuple[str | None, Change]]) -> None:
    assert told(old, new) == expected


def test_a_curve_is_named_by_the_first_hour_at_which_it_differs() -> None:
    curve = (replace(POINT, t=0.0), replace(POINT, strict=0.75, lenient=0.25), replace(POINT, t=48.0))
    assert told(table(A), table(replace(A, curve=curve))) == [("a", Change("curve_24h_lenient", 0.5, 0.25))]


ROWS = st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(0, 2)))


@given(ROWS, ROWS)
def test_seen_from_the_other_side_it_is_the_same(
    one: dict[str, tuple[int, int, int]], other: dict[str, tuple[int, int, int]]
) -> None:
    old, new = (table(*(company(key, *figures) for key, figures in rows.items())) for rows in (one, other))
    there, back = release_changes(old, new).notices, release_changes(new, old).notices
    assert {(key, c.figure, c.after, c.before) for key, c in differing(there)} == {
        (key, c.figure, c.before, c.after) for key, c in differing(back)
    }
    assert (set(there.came), set(there.gone)) == (set(back.gone), set(back.came))
    assert bool(there) == (one != other)
