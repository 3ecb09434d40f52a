"""Public tables of companies in four counts, without curves: quick to make, for what compares releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from monitor.disclosure.rows import PublicTable, public_table
from monitor.score.table import Estimate, OnTime, Share, Table, Unattributed
from tests.support.published import Invented, estimate, share, standing_of


@dataclass(frozen=True)
class Counted:
    """A company of which every episode is mature."""

    key: str
    on_time: int
    undetermined: int
    late: int
    sites: int

    @property
    def episodes(self) -> int:
        return self.on_time + self.undetermined + self.late


NOTHING = Counted("", 0, 0, 0, 0)
# Withheld together: no count is alike in all but one of them, so their sums may be told (docs/adr/0008).
SMALL = (Counted("s", 3, 1, 2, 2), Counted("t", 5, 0, 1, 4), Counted("u", 1, 2, 5, 3), Counted("v", 0, 3, 1, 1))


def company(key: str, mature: int, late: int) -> Counted:
    """One whose every episode is on time or late, five to a site."""
    return Counted(key, mature - late, 0, late, max(1, mature // 5))


def release(
    period: str, *companies: Counted, stray: Counted = NOTHING, limits: Mapping[str, Share] | None = None
) -> PublicTable:
    """What is published of these; `stray` is unattributed, `limits` replaces the lenient share of companies."""
    return public_table(raw(period, *companies, stray=stray, limits=limits))


def raw(period: str, *companies: Counted, stray: Counted = NOTHING, limits: Mapping[str, Share] | None = None) -> Table:
    """The table before anything is withheld; worst first."""
    order = sorted(companies, key=lambda each: (each.episodes < 30, -each.late / max(each.episodes, 1), each.key))
    rows = tuple(_row(each, place, (limits or {}).get(each.key)) for place, each in enumerate(order, 1))
    return Table(
        method="2026.1",
        as_of="2026-07-01T00:00:00Z",
        known_at="2026-07-06T06:00:00Z",
        period=period,
        companies=rows,
        network=_sum((*companies, stray)),
        unattributed=Unattributed(stray.episodes, stray.episodes),
        rest=_sum((*[each for each in companies if each.episodes >= 10], stray)),
    )


def _row(each: Counted, place: int, lenient: Share | None) -> Estimate:
    standing = standing_of(Invented(each.key, "", each.on_time, each.undetermined, each.late, each.sites, 1))
    counts = _counts(each)
    if lenient is not None:
        counts["on_time"] = replace(counts["on_time"], lenient=lenient)
    ranked = standing != "too_few"
    rank: dict[str, Any] = {"rank": place, "rank_low": place, "rank_high": place, "band": "A"} if ranked else {}
    return replace(_plain(), company=each.key, name=f"Company {each.key}", standing=standing, **counts, **rank)


def _sum(parts: Sequence[Counted]) -> Estimate:
    sums = {name: sum(getattr(part, name) for part in parts) for name in ("on_time", "undetermined", "late", "sites")}
    return replace(_plain(), **_counts(Counted("", **sums)))


def _counts(each: Counted) -> dict[str, Any]:
    most = max(each.episodes, 1)
    shares = [share(p, each.sites) for p in (1 - each.late / most, each.on_time / most)]
    if not each.episodes:
        shares = [Share(None, None, None, None)] * 2
    lenient, strict = shares
    timing = OnTime(24.0, each.episodes, each.on_time, each.late, each.undetermined, lenient, strict)
    return {"episodes": each.episodes, "sites": each.sites, "notices": each.episodes, "on_time": timing}


@cache
def _plain() -> Estimate:
    """A company of which nothing but the time is counted."""
    base = estimate(Invented("", "", 1, 0, 0, 1, 8), None, None)
    return replace(base, curve=(), survival=(), relocation=(), announced_ipv4=None)
