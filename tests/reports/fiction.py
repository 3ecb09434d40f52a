"""An invented release for the report: some forty companies that do not exist, in numbers whose sums agree."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from monitor.disclosure.rows import public_table
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.release.draft import serialise
from monitor.release.store import digest
from monitor.score.methods import method
from monitor.score.ranking import rank_companies
from monitor.score.table import AgeCount, Bounds, Estimate, OnTime, Quantile, Share, SurvivalPoint, Table, Unattributed
from monitor.wording.language import Language
from reports.document import Report, page
from reports.pdf import write_pdf
from reports.publication import identifier
from reports.sections import Correction
from tests.support.published import COMPANIES, invent, with_hash_hits

PERIOD = "2026Q2"
LONGEST = "Vereenigde Noordzeekanaal Dataverkeer en Colocatiemaatschappij (voorheen Kabeljauwnetwerken) B.V."
_FIRST = "Rietkraag Klinker Veenland Dijkgraaf Haven Delta Polder Windvaan Zilvermeeuw Turfschip Molenwiek Zandbank"
_LAST = ("Hosting", "Colo B.V.", "Datacenters Nederland", "VPS")


def share(p: float, sites: int) -> Share:
    """A share with an interval on the logit scale, as if each site were one observation."""
    inside = min(max(p, 0.005), 0.995)
    error = math.sqrt(inside * (1 - inside) / sites)
    logit, width = math.log(inside / (1 - inside)), 1.96 * error / (inside * (1 - inside))
    low, high = (1 / (1 + math.exp(-(logit + sign * width))) for sign in (-1, 1))
    return Share(p, error, low, high)


def point(t: float, mean: float, sites: int) -> SurvivalPoint:
    """Three curves with a long tail, a few hours apart."""

    def left(hours: float) -> float:
        return 0.85 * math.exp(-max(hours, 0) / mean) + 0.15 * math.exp(-max(hours, 0) / (15 * mean))

    lenient, middle, strict = (left(t + 1.5 * (t > 0)), left(t), left(t - min(3.0, t)))
    errors = [math.sqrt(s * (1 - s) / sites) for s in (lenient, strict)]
    return SurvivalPoint(t, middle, lenient, errors[0], strict, errors[1])


def estimate(key: str, name: str, on_time: int, undetermined: int, late: int, sites: int) -> Estimate:
    """All figures of one invented company from its three counts."""
    mature = on_time + undetermined + late
    mean = 3 + 120 * late / mature
    outstanding = late // 3
    parts = [outstanding // 5, outstanding // 4, outstanding // 4, outstanding // 6]
    ages = (*parts, outstanding - sum(parts))
    bounds = (0, 24, 48, 168, 720, None)
    return Estimate(
        company=key,
        name=name,
        country="NL",
        via_proxy="Proxy" in name,
        episodes=mature,
        sites=sites,
        notices=mature + late // 2,
        renotices=late // 2,
        on_time=OnTime(
            24.0, mature, on_time, late, undetermined, share(1 - late / mature, sites), share(on_time / mature, sites)
        ),
        median_hours=Quantile(None if late > on_time else 0.7 * mean, 0.5 * mean, None if late > on_time else mean),
        p90_hours=Quantile(2.4 * mean, 1.7 * mean, None),
        mean_online_hours_7d=Bounds(0.8 * mean, 1.1 * mean),
        survival=tuple(point(t, mean, sites) for t in (1, 4, 12, 24, 48, 72, 168)),
        outstanding=outstanding,
        overdue=outstanding - ages[0],
        unverified=outstanding // 7,
        oldest_hours=outstanding * 11.0 or None,
        exposure_hours=mature * mean,
        relocated=late // 20,
        reappeared=late // 30,
        refused=late // 9,
        outstanding_by_age=tuple(AgeCount(bounds[i] or 0, bounds[i + 1], n) for i, n in enumerate(ages)),
        curve=tuple(point(float(t), mean, sites) for t in range(169)),
    )


def companies(number: int = 40) -> tuple[Estimate, ...]:
    """Fast ones and slow ones, one with a very long name, one behind a proxy, and a few small ones."""
    names = [f"{first} {_LAST[i % 4]}" for i in range(4) for first in _FIRST.split()]
    many = [
        estimate(
            f"as{64496 + i}", names[i], 60 + 37 * i % 900, 2 + i % 9, (11 * i * i) % (12 + 40 * (i % 3)), 8 + 3 * i
        )
        for i in range(number - 7)
    ]
    return (
        *many,
        estimate("as65001", LONGEST, 1204, 61, 802, 144),
        estimate("as65002", "Schildwacht Proxy Services", 812, 90, 301, 140),
        estimate("as65003", "Grachten & Zonen <Web>", 25, 1, 8, 3),
        estimate("as65004", "Oosterschelde Web", 14, 2, 5, 6),
        estimate("as65005", "Watersnip VPS", 4, 0, 3, 3),
        estimate("as65006", "Kaaskop Hosting", 2, 1, 0, 2),
        estimate("as65007", "Paling Servers", 5, 2, 1, 4),
    )


def network(parts: tuple[Estimate, ...]) -> Estimate:
    """The sum of them all."""

    def total(name: str) -> int:
        return sum(int(getattr(part, name)) for part in parts)

    on_time, undetermined, late = (
        sum(getattr(part.on_time, name) for part in parts) for name in ("on_time", "undetermined", "late")
    )
    whole = estimate("", "", on_time, undetermined, late, total("sites"))
    names = "notices renotices outstanding overdue unverified relocated reappeared refused".split()  # noqa: SIM905
    changes = {name: total(name) for name in names}
    return Estimate(**{name: changes.get(name, getattr(whole, name)) for name in Estimate.__slots__})


def table(number: int = 40) -> Table:
    """A whole table, rank_companies by the method's own rules."""
    known, stray = companies(number), estimate("", "", 7, 2, 3, 9)
    return Table(
        method="2026.1",
        as_of="2026-07-01T00:00:00Z",
        known_at="2026-07-06T06:00:00Z",
        period=PERIOD,
        companies=rank_companies(known, method()),
        network=network((*known, stray)),
        unattributed=Unattributed(stray.episodes, stray.notices),
        rest=network((*[company for company in known if company.episodes >= 10], stray)),
    )


def publish(
    session: Session,
    made: Table,
    version: int = 1,
    stage: Stage = Stage.PUBLISHED,
    published_at: datetime = datetime(2026, 7, 20, 8, tzinfo=UTC),
    reason: str | None = None,
) -> Release:
    """Freeze a table as a release, published unless said otherwise; with a reason it corrects the version before."""
    serialised = serialise(made)
    corrects = {"corrects": {"version": version - 1, "manifest_sha256": "0" * 64, "reason": reason}} if reason else {}
    release = Release(
        period=made.period,
        version=version,
        stage=stage,
        drafted_at=datetime(2023, 7, 6, 8, tzinfo=UTC),
        published_at=published_at,
        hearing_waived="invented companies",
        table_json=serialised.head,
        manifest={"code_version": "0.1.0"} | corrects,
        manifest_sha256=digest(f"{made.period} {version}"),
    )
    session.add(release)
    session.flush()
    session.add_all(
        ReleaseRow(release_id=release.id, position=position, company_key=key, row_json=row)
        for position, (key, row) in enumerate(serialised.rows)
    )
    session.commit()
    return release


def quarter(period: str, faster: int = 0) -> Table:
    """A quarter with hash hits; `faster` takes that many late episodes from every company and adds them on time."""
    moved = tuple(
        replace(one, late=one.late - min(faster, one.late), on_time=one.on_time + min(faster, one.late))
        for one in COMPANIES
    )
    return with_hash_hits(invent(period, moved))


def report(table: Table | None = None, *, first: bool = False) -> Report:
    """The report of an invented quarter after two earlier ones with a gap between, of which one was corrected."""
    earlier = tuple(public_table(quarter(*one)) for one in (("2025Q3", 0), ("2026Q1", 0)))
    correction = Correction(
        period="2026Q1",
        version=2,
        published_at=datetime(2026, 6, 1, 8, tzinfo=UTC),
        reason="One removal was read too late.",
        before=public_table(quarter("2026Q1", 2)),
        after=earlier[-1],
    )
    return Report(
        period=PERIOD,
        version=1,
        published_at=datetime(2026, 7, 20, 8, tzinfo=UTC),
        manifest_sha256="5" * 64,
        code_version="0.1.0",
        table=public_table(quarter(PERIOD, 60) if table is None else table),
        publisher="Hostingmonitor",
        demonstration=True,
        contact="objections@example.org",
        licence="CC0-1.0",
        hearing_waived="invented companies",
        earlier=() if first else earlier,
        corrections=() if first else (correction,),
    )


def pdf(report: Report, language: Language) -> bytes:
    """The report as PDF, made here and not in a process of its own."""
    return write_pdf(page(report, language, "print"), identifier(report, language))
