"""Two tables, and what differs between them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.release.compare import Change, Differences, differences
from monitor.score.table import (
    Bounds,
    Estimate,
    Flow,
    Incidence,
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


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (table(A, B), table(A, B), Differences((), (), ())),
        (table(A), replace(table(A), known_at="later"), Differences((), (), ())),
        (table(A, B), table(A, C), Differences((), ("c",), ("b",))),
        (
            table(A, B),
            replace(table(replace(B, rank=1), company("a", 2, late=1)), unattributed=Unattributed(0, 1)),
            Differences(
                (
                    Change("b", "rank", 2, 1),
                    Change("a", "rank", 1, 2),
                    Change(None, "unattributed.episodes", 1, 0),
                    Change("a", "on_time.late", 2, 1),
                ),
                (),
                (),
            ),
        ),
        (
            table(A),
            table(replace(A, survival=(replace(POINT, npmle=None),))),
            Differences((Change("a", "survival[24].npmle", 0.5, None),), (), ()),
        ),
        (
            table(A),
            table(replace(A, relocation=(Relocation(None, 1, (Incidence(168.0, 0.25, None, None, None),)),))),
            Differences(
                (
                    Change("a", "relocation[any].episodes", None, 1),
                    Change("a", "relocation[any].incidence[168].p", None, 0.25),
                ),
                (),
                (),
            ),
        ),
    ],
    ids=["same", "known later", "one comes, one goes", "ranks first", "unknown", "relocated"],
)
def test_what_differs(old: Table, new: Table, expected: Differences) -> None:
    assert differences(old, new) == expected
    assert bool(differences(old, new)) == bool(expected.changes or expected.added)


LINE = NormLine("a", OnTime(12.0, 3, 1, 2, 0, UNKNOWN, UNKNOWN), 40.0, 1, 1, 1, "A", "below")


def whole(*flows: Flow, line: NormLine = LINE, quality: Quality | None = None) -> Table:
    """A table as a release holds it."""
    return replace(table(A), flows=flows, norms=(Norm(12.0, (line,)),), quality=quality)


MOVED = Flow("a", "b", "NL", 2)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (whole(MOVED), whole(replace(MOVED, episodes=3)), [Change(None, "flows[a to b, NL]", 2, 3)]),
        (
            whole(MOVED),
            whole(Flow("a", None, "", 2)),
            [Change(None, "flows[a to unknown, unknown]", None, 2), Change(None, "flows[a to b, NL]", 2, None)],
        ),
        (
            whole(),
            whole(line=replace(LINE, standing="not_proven", on_time=replace(LINE.on_time, late=1))),
            [
                Change("a", "norms[12].on_time.late", 2, 1),
                Change("a", "norms[12].standing", "below", "not_proven"),
            ],
        ),
        (whole(quality=Quality((), (), ())), whole(), []),  # a correction always knows more
        (table(A), whole(MOVED), []),  # of before releases had flows and norms
        (table(A), replace(whole(), companies=(replace(A, announced_ipv4=256),)), []),
    ],
)
def test_what_differs_beside_the_figures(old: Table, new: Table, changes: list[Change]) -> None:
    assert list(differences(old, new).changes) == changes


def test_a_curve_is_named_by_the_first_hour_at_which_it_differs() -> None:
    curve = (replace(POINT, t=0.0), replace(POINT, strict=0.75, lenient=0.25), replace(POINT, t=48.0))
    found = differences(table(A), table(replace(A, curve=curve)))
    assert found.changes == (Change("a", "curve[24].lenient", 0.5, 0.25),)


ROWS = st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(0, 2)))


@given(ROWS, ROWS)
def test_seen_from_the_other_side_it_is_the_same(
    one: dict[str, tuple[int, int, int]], other: dict[str, tuple[int, int, int]]
) -> None:
    old, new = (table(*(company(key, *figures) for key, figures in rows.items())) for rows in (one, other))
    there, back = differences(old, new), differences(new, old)
    assert {(c.company, c.field, c.new, c.old) for c in there.changes} == {
        (c.company, c.field, c.old, c.new) for c in back.changes
    }
    assert (set(there.added), set(there.gone)) == (set(back.gone), set(back.added))
    assert bool(there) == (one != other)
