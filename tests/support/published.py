"""An invented published release: companies that do not exist, in numbers whose sums agree."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from monitor.models.release import Release, ReleaseRow, Stage
from monitor.release.draft import serialise
from monitor.score.methods import HASH_HITS
from monitor.score.table import (
    AgeCount,
    Bounds,
    Estimate,
    Norm,
    NormLine,
    OnTime,
    Quantile,
    Share,
    Standing,
    SurvivalPoint,
    Table,
    Unattributed,
)
from tests.support.published_parts import flows_of, quality_of, relocation_of

DEADLINE = 24.0


@dataclass(frozen=True)
class Invented:
    """A company in few words: on time, undetermined, late, sites and the mean hours to removal."""

    key: str
    name: str
    on_time: int
    undetermined: int
    late: int
    sites: int
    mean: float
    outstanding: int = 0
    refused: int = 0
    proxy: bool = False

    @property
    def episodes(self) -> int:
        """All of them are mature."""
        return self.on_time + self.undetermined + self.late


COMPANIES = (
    Invented("as64496", "Rietkraag Cloud", 31, 12, 214, 41, 90, 63, 17),
    Invented("as64497", "Klinker Colo", 58, 9, 96, 33, 52, 27, 4),
    Invented("as64498", "Veenland Colo", 140, 22, 148, 57, 41, 31),
    Invented("as64499", "Dijkgraaf IT", 88, 8, 61, 24, 30, 14, 2),
    Invented("as64500", "Schildwacht Proxy Services", 812, 90, 301, 140, 22, 88, 9, proxy=True),
    Invented("as64501", "Haven Carrier", 118, 10, 30, 39, 15, 9),
    Invented("as64502", "Delta Datacenters", 244, 21, 38, 77, 11, 12, 1),
    Invented("as64503", "Polderhost", 61, 4, 6, 19, 9, 3),
    Invented("as64504", "Windvaan Hosting", 402, 11, 18, 120, 5.5, 6),
    Invented("as64505", "Zilvermeeuw Host", 955, 12, 21, 310, 3.5, 8),
    Invented("as64506", "Lage Landen Servers", 1503, 4, 9, 402, 2.5, 2),
    Invented("as64507", "Oosterschelde Web", 14, 2, 5, 6, 14, 1),
    Invented("as64508", "Grachten Web", 25, 1, 8, 3, 12, 2),
    Invented("as64509", "=Watersnip VPS", 4, 0, 3, 3, 20, 1),
    Invented("kaaskop-hosting", "Kaaskop Hosting", 2, 1, 0, 2, 5, 0),
    Invented("as64511", "Turfschip Networks", 5, 2, 1, 4, 16, 3),
)


def filler(number: int) -> tuple[Invented, ...]:
    """Many more companies, to fill pages."""
    return tuple(
        Invented(
            f"voorbeeld-{i:03}", f"Voorbeeldhost {i:03}", 60 + i, i % 7, 20 - i % 19, 12 + i % 9, 6 + i % 11, i % 4
        )
        for i in range(number)
    )


def announced_by(key: str) -> int | None:
    """Addresses that an invented company announces; None for one that no ASN is known of."""
    number = key.removeprefix("as")
    return 4096 * (int(number) - 64495) if number.isdigit() else None


def share(p: float, sites: int) -> Share:
    """A share with a normal interval on the logit scale, as if each site were one observation."""
    error = math.sqrt(max(p * (1 - p), 1e-6) / max(sites, 1))
    logit, width = math.log(p / (1 - p)) if 0 < p < 1 else 10 * p - 5, 1.96 * error / max(p * (1 - p), 1e-3)
    low, high = (1 / (1 + math.exp(-(logit + sign * width))) for sign in (-1, 1))
    return Share(p, error, low, high)


def point(t: float, mean: float, sites: int) -> SurvivalPoint:
    """The curves at one time: a long tail, the readings a few checks apart."""

    def left(hours: float) -> float:
        return 0.9 * math.exp(-max(hours, 0) / mean) + 0.1 * math.exp(-max(hours, 0) / (12 * mean))

    values = [left(t + 0.25 * mean * 0.3 * (t > 0)), left(t), left(t - min(3.0, t))]
    lenient, middle, strict = values
    errors = [math.sqrt(s * (1 - s) / max(sites, 1)) if 0 < s < 1 else 0.0 for s in (lenient, strict)]
    return SurvivalPoint(t, middle, lenient, errors[0], strict, errors[1])


def estimate(item: Invented, rank: int | None, standing: Standing | None) -> Estimate:
    """All figures of one invented company."""
    most = max(item.episodes, 1)
    lenient, strict = share(1 - item.late / most, item.sites), share(item.on_time / most, item.sites)
    old = item.outstanding // 3
    median = 0.69 * item.mean
    return Estimate(
        company=item.key,
        name=item.name,
        country="NL",
        via_proxy=item.proxy,
        episodes=item.episodes,
        sites=item.sites,
        notices=item.episodes + item.late // 2,
        renotices=item.late // 2,
        on_time=OnTime(DEADLINE, item.episodes, item.on_time, item.late, item.undetermined, lenient, strict),
        median_hours=Quantile(median, median * 0.7, median * 1.5 if item.mean < 80 else None),
        p90_hours=Quantile(None, item.mean * 1.8, None)
        if item.mean > 60
        else Quantile(item.mean * 2.4, item.mean, None),
        mean_online_hours_7d=Bounds(item.mean * 0.8, item.mean * 1.05),
        survival=tuple(point(t, item.mean, item.sites) for t in (1, 4, 12, 24, 48, 72, 168)),
        outstanding=item.outstanding,
        overdue=item.outstanding - item.outstanding // 4,
        unverified=item.outstanding // 5,
        oldest_hours=item.outstanding * 17.3 or None,
        exposure_hours=item.episodes * item.mean,
        relocated=item.late // 20,
        reappeared=item.late // 30,
        refused=item.refused,
        outstanding_by_age=(
            AgeCount(0, 24, item.outstanding // 4),
            AgeCount(24, 48, old),
            AgeCount(48, 168, item.outstanding - item.outstanding // 4 - old),
            AgeCount(168, 720, 0),
            AgeCount(720, None, 0),
        ),
        curve=tuple(point(t, item.mean, item.sites) for t in range(169)),
        score=None if rank is None else 100 * (lenient.p or 0),
        rank=rank,
        rank_low=None if rank is None else max(1, rank - 1),
        rank_high=None if rank is None else rank + (rank < 11),
        band=None if rank is None else "ABC"[min(2, rank // 5)],
        standing=standing,
        relocation=relocation_of(item.key, item.late // 20, most),
        announced_ipv4=announced_by(item.key),
    )


def standing_of(item: Invented) -> Standing:
    """By the rules of the method."""
    if item.episodes < 30 or item.sites < 5:
        return "too_few"
    limits = share(1 - item.late / item.episodes, item.sites)
    if limits.low is not None and limits.low >= 0.9:
        return "meets"
    return "below" if limits.high is not None and limits.high < 0.9 else "not_proven"


STRAY = Invented("", "", 7, 2, 3, 9, 12, 2)


def invent(
    period: str = "2026Q2", companies: tuple[Invented, ...] = COMPANIES, *, ranked: bool = True, stray: Invented = STRAY
) -> Table:
    """A whole table whose sums agree; without ranks and standings where `ranked` is false."""
    judged = judged_in_order(companies, ranked=ranked)
    return Table(
        method="2026.1",
        as_of="2026-07-01T00:00:00Z",
        known_at="2026-07-06T06:00:00Z",
        period=period,
        companies=judged,
        network=together((*companies, stray)),
        unattributed=Unattributed(stray.episodes, stray.episodes + stray.late // 2),
        rest=together((*[c for c in companies if c.episodes >= 10], stray)),
        flows=tuple(flow for row in judged for flow in flows_of(row.company, row.relocated)),
        norms=tuple(norm(companies, hours, ranked=ranked) for hours in (1.0, 12.0, 24.0, 48.0)),
        quality=quality_of(period),
    )


def judged_in_order(companies: Sequence[Invented], *, ranked: bool) -> tuple[Estimate, ...]:
    """The companies worst first, then those too few to judge; without ranks and standings where `ranked` is false."""
    big = sorted((c for c in companies if standing_of(c) != "too_few"), key=lambda c: 1 - c.late / c.episodes)
    rest = [c for c in companies if c not in big]
    if not ranked:
        return tuple(estimate(item, None, None) for item in big + rest)
    judged = [estimate(item, rank, standing_of(item)) for rank, item in enumerate(big, 1)]
    return (*judged, *(estimate(item, None, "too_few") for item in rest))


def norm(companies: Sequence[Invented], hours: float, *, ranked: bool) -> Norm:
    """The same companies under another deadline; under DEADLINE they are what they were."""
    judged = judged_in_order([under(item, hours) for item in companies], ranked=ranked)
    return Norm(hours, tuple(_line(item, hours) for item in judged))


def under(item: Invented, hours: float) -> Invented:
    """A company if its deadline had been `hours`: as many late as its curve leaves online by then."""

    def left(at: float) -> float:
        return 0.9 * math.exp(-at / item.mean) + 0.1 * math.exp(-at / (12 * item.mean))

    late = min(item.episodes, round(item.late * left(hours) / left(DEADLINE)))
    undetermined = min(item.undetermined, item.episodes - late)
    return replace(item, late=late, undetermined=undetermined, on_time=item.episodes - late - undetermined)


def _line(item: Estimate, hours: float) -> NormLine:
    return NormLine(
        item.company,
        replace(item.on_time, deadline_hours=hours),
        item.score,
        item.rank,
        item.rank_low,
        item.rank_high,
        item.band,
        item.standing,
    )


def together(parts: Sequence[Invented]) -> Estimate:
    """The network of these."""
    judged = [estimate(part, None, None) for part in parts]
    times: list[int] = [sum(getattr(part, n) for part in parts) for n in ("on_time", "undetermined", "late", "sites")]
    on_time, undetermined, late, sites = times
    whole = estimate(Invented("", "", on_time, undetermined, late, sites, 11), None, None)
    names = ("notices", "renotices", "outstanding", "overdue", "unverified", "relocated", "reappeared", "refused")
    return replace(whole, **{name: sum(getattr(item, name) for item in judged) for name in names})


HIT = (*COMPANIES[:9], Invented("as64510", "Duinroos Hosting", 40, 3, 20, 9, 18, 4, 1), *COMPANIES[11:14])


def with_hash_hits(table: Table) -> Table:
    """The same table with one of hash hits beside it, which names a company that had no notice."""
    hits = invent(table.period, HIT, stray=replace(STRAY, on_time=1, late=1))
    return replace(table, hash_hits=replace(hits, kinds=HASH_HITS, quality=None))


def publish(session: Session, table: Table, version: int = 1, reason: str | None = None) -> Release:
    """Freeze a table as a published release; with a reason it corrects the version before."""
    serialised = serialise(table)
    corrects = {"version": version - 1, "manifest_sha256": "0" * 64, "reason": reason}
    release = Release(
        period=table.period,
        version=version,
        stage=Stage.PUBLISHED,
        drafted_at=datetime(2026, 7, 6, 8, tzinfo=UTC),
        published_at=datetime(2026, 7, 20, 8, tzinfo=UTC),
        hearing_waived="invented companies",
        table_json=serialised.head,
        manifest={"corrects": corrects} if reason else {},
        manifest_sha256=hashlib.sha256(f"{table.period} {version}".encode()).hexdigest(),
    )
    session.add(release)
    session.flush()
    session.add_all(
        ReleaseRow(release_id=release.id, position=i, company_key=key, row_json=row)
        for i, (key, row) in enumerate(serialised.rows)
    )
    session.commit()
    return release
