"""Runs a scenario: draws the true course of everything, and writes what each party would hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from numpy.random import PCG64, Generator

from monitor.errors import MonitorError
from monitor.instants import iso
from monitor.simulate import scart, truth
from monitor.simulate.hours import ZONE, Hours, hours_between
from monitor.simulate.item_exports import EXPORTS, ITEM_EXPORTS, Hotline, write_items
from monitor.simulate.items import Items, draw_items, item_addresses, item_urls, joined
from monitor.simulate.scart import by_mail, closed_rows, notice_rows
from monitor.simulate.scenarios import scenario_named
from monitor.simulate.truth import write_hits
from monitor.simulate.waits import SCENARIO as WAITS
from monitor.simulate.waits import write_waits

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from monitor.simulate.scenario import Scenario


@dataclass(frozen=True)
class Summary:
    """What was written: `notices` counts first notices, the two rows counts what the exports hold."""

    scenario: str
    period: str
    as_of: str
    zone: str
    companies: int
    notices: int
    ntd_rows: int
    closed_rows: int
    files: int


def simulate(
    scenario: str, out: Path, seed: int = 1, scale: float = 1.0, exports: Collection[str] | None = None
) -> Summary:
    """Write exports, registry and truth of a scenario into `out`; the same seed gives the same bytes.

    `scale` multiplies the numbers of items (at least one a company). `exports` are some of EXPORTS (None: those of the
    scenario); with those about items among them, `ntd` leaves out what was sent by API, as SCART does. Raises
    MonitorError on a name that is not a scenario or an export, a scale or seed that makes no sense, and a folder that
    already holds deliveries.
    """
    chosen = scenario_named(scenario)
    wanted = chosen.exports if exports is None else frozenset(exports)
    if unknown := wanted - EXPORTS:
        raise MonitorError(f"no export {', '.join(sorted(unknown))}; there are: {', '.join(sorted(EXPORTS))}")
    if not 0 < scale < float("inf") or seed < 0:
        raise MonitorError(f"scale must be above 0 and seed not below 0, not {scale} and {seed}")
    folder = out / "deliveries"
    if folder.is_dir() and any(folder.iterdir()):
        raise MonitorError(f"{folder} already holds deliveries: name an empty folder")
    if chosen.name == WAITS.name and wanted != WAITS.exports:
        raise MonitorError(f"scenario {chosen.name} has the export {', '.join(WAITS.exports)} alone")
    folder.mkdir(parents=True, exist_ok=True)
    if chosen.name == WAITS.name:
        return Summary(chosen.name, chosen.period, iso(chosen.as_of), ZONE, **write_waits(out, seed, scale))
    closed_days = chosen.closed_days | chosen.routine.closed_days
    hours = hours_between(chosen.quarters[0].first_day, chosen.quarters[-1].end_day, closed_days)
    items = _draw(chosen, hours, seed, scale)
    return _write(chosen, out, hours, items, _Run(seed, scale, wanted))


def _random(scenario: Scenario, seed: int, *place: int) -> Generator:
    """Own random numbers for each place, so that one company's plan never changes another's course."""
    return Generator(PCG64([seed, crc32(scenario.name.encode()), *place]))


def _draw(scenario: Scenario, hours: Hours, seed: int, scale: float) -> Items:
    return joined(
        draw_items(plan, quarter, hours, scale, _random(scenario, seed, 1, number, plan.company.index))
        for number, quarter in enumerate(scenario.quarters)
        for plan in quarter.plans
    )


@dataclass(frozen=True)
class _Run:
    seed: int
    scale: float
    exports: frozenset[str]


def _write(scenario: Scenario, out: Path, hours: Hours, items: Items, run: _Run) -> Summary:
    companies = {company.index: company for company in scenario.companies}
    sites = {index: int(items.site[items.company == index].max()) + 1 for index in companies}
    rng = _random(scenario, run.seed, 2)
    urls = item_urls(items, companies, sites, rng)
    addresses = item_addresses(items, companies, sites)
    texts = scart.ItemTexts.of(items, urls, addresses, hours)
    notices = notice_rows(items, hours, scenario.routine, scenario.as_of, rng)
    closed = closed_rows(items, notices, scenario.routine, scenario.as_of, rng)
    printed = by_mail(notices) if run.exports & ITEM_EXPORTS else notices
    folder, files = out / "deliveries", 0
    if "ntd" in run.exports:
        files += scart.write_notices(folder, items, printed, texts, companies, hours)
    if "ntdclosed" in run.exports:
        files += scart.write_closed(folder, items, closed, notices, texts, companies, hours)
    if run.exports & ITEM_EXPORTS:
        kept = (items, notices, closed, urls, texts.number, addresses, companies, hours)
        hotline = Hotline(*kept, scenario.routine, scenario.as_of)
        files += write_items(folder, hotline, run.exports)
    files += write_hits(folder, scenario.hash_hits, scenario.hash_days, _random(scenario, run.seed, 3))
    counts = {"companies": len(companies), "notices": len(items), "ntd_rows": len(printed.item)}
    counts |= {"closed_rows": len(closed.item), "files": files}
    truth.write_registry(out / "registry.yaml", scenario)
    if len(scenario.quarters) > 1:
        truth.write_networks(out / "networks.csv", scenario.companies)
    truth.write_truth(out / "truth.csv", scenario, items, urls)
    about = {"seed": run.seed, "scale": run.scale, "zone": ZONE, "counts": counts}
    truth.write_scenario(out / "scenario.json", scenario, items, about)
    return Summary(scenario.name, scenario.period, iso(scenario.as_of), ZONE, **counts)
