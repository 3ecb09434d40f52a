"""How the share on time moved since the release before, and whether the two intervals prove it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from monitor.disclosure.network import CompetingNetwork, Network
from monitor.disclosure.rows import PublicTable
from monitor.score.table import CompetingOnTime, OnTime, Share
from monitor.wording.language import Language, Message

Direction = Literal["better", "worse", "open"]

DIRECTIONS: Mapping[Direction, Message] = MappingProxyType(
    {
        "better": Message("better"),
        "worse": Message("worse"),
        "open": Message("may be due to chance"),
    }
)
_SAID = {
    "better": Message(
        "Since the {before} the share on time rose by {points} percentage points. That is more than chance explains."
    ),
    "worse": Message(
        "Since the {before} the share on time fell by {points} percentage points. That is more than chance explains."
    ),
    "open": Message(
        "Since the {before} the share on time changed by {points} percentage points. That may be due to chance."
    ),
}


@dataclass(frozen=True, slots=True)
class Movement:
    """`change` of the share (a fraction of one); `direction` is told only where the intervals are apart."""

    change: float
    direction: Direction


def compared_share(timing: OnTime | Network) -> Share:
    """The share that is compared: the lenient one; since method 2026.2 the estimate with the outer limits of both.

    So better or worse is said only where it is true whatever the checks did not see.
    """
    if not isinstance(timing, CompetingOnTime | CompetingNetwork):
        return timing.lenient
    return Share(timing.estimate, None, timing.strict.low, timing.lenient.high)


def movement(now: Share, before: Share) -> Movement | None:
    """The movement between two shares; None where either has no value or no interval."""
    if None in (now.p, now.low, now.high, before.p, before.low, before.high):
        return None
    assert now.p is not None  # for the type checker: the line above says it of all six
    assert before.p is not None
    return Movement(now.p - before.p, _direction(now, before))


def _direction(now: Share, before: Share) -> Direction:
    if (now.low or 0) > (before.high or 0):
        return "better"
    return "worse" if (now.high or 0) < (before.low or 0) else "open"


def comparable(table: PublicTable, before: PublicTable | None) -> bool:
    """Whether the two were measured alike: a change of method would look like a change of behaviour."""
    return before is not None and before.method == table.method


def movements(table: PublicTable, before: PublicTable | None) -> Mapping[str, Movement]:
    """By company, where it has a rank in both tables and these were measured by the same method."""
    if before is None or not comparable(table, before):
        return {}
    now, then = ranked_shares(table), ranked_shares(before)
    pairs = {key: movement(now[key], then[key]) for key in now if key in then}
    return {key: moved for key, moved in pairs.items() if moved is not None}


def ranked_shares(table: PublicTable) -> dict[str, Share]:
    """The share on time of each company with a rank, as it is compared."""
    rows = (row for row in table.rows if row.ranked and row.figures is not None)
    return {row.company: compared_share(row.figures.on_time) for row in rows if row.figures is not None}


def ranks_by_share(table: PublicTable) -> Mapping[str, int]:
    """The rank that the share on time alone would give, by company, where that is another than the one of the score."""
    shares = {key: share.p for key, share in ranked_shares(table).items() if share.p is not None}
    ranks = {row.company: row.figures.rank for row in table.rows if row.figures and row.company in shares}
    ordered, found = sorted(shares.values()), {}
    for key, share in shares.items():
        lower, up_to, rank = bisect_left(ordered, share), bisect_right(ordered, share), ranks[key]
        if rank is not None and not lower < rank <= up_to:
            found[key] = lower + 1
    return found


def network_movement(table: PublicTable, before: PublicTable | None) -> Movement | None:
    """The same for all companies together; None where only one of the two leaves out the smallest companies."""
    if before is None or not comparable(table, before) or table.network.gives_way != before.network.gives_way:
        return None
    return movement(compared_share(table.network), compared_share(before.network))


def points(change: float, language: Language) -> str:
    """A change of a share in percentage points, with its sign: `+12,3`, `−4,0`, `0,0`."""
    size = language.decimal(abs(change) * 100)
    sign = "" if not size.strip("0,.") else "+" if change > 0 else "−"
    return f"{sign}{size}"


def how_it_moved(moved: Movement, before: str, language: Language) -> str:
    """The movement since the period `before` in a sentence."""
    said = points(moved.change, language)
    size = said if moved.direction == "open" else said.lstrip("+−")
    return language.gettext(_SAID[moved.direction], before=language.period(before), points=size)
