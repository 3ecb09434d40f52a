"""The scenario `waits`: known times from receipt to classification, notice and removal, in SCART's `report` exports.

Every wait is exact, and the checks lie half an hour before and after each removal, so that all figures of the three
clocks come out at values that a person can count. The later exports have SCART's flaws: `received_at` is that of a
later import, `firstseen_at` that of a later classification.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.instants import DAY, HOUR, iso, to_datetime
from monitor.simulate.hours import hours_between, midnight
from monitor.simulate.item_exports import report_text
from monitor.simulate.scenario import COMPANIES, Company, CompanyPlan, Quarter, Scenario
from monitor.simulate.truth import write_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.simulate.hours import Hours

GAP_HOURS = 1.0  # between two checks: SCART's own words for it go with the source, as `recheck_gap_hours`


@dataclass(frozen=True)
class Wait:
    """Hours from receipt to classification, from there to the notice (None: gone before it), from there to removal."""

    classified: float
    noticed: float | None
    removed: float


# A tenth of the items each.
WAITS = (
    Wait(3, 5, 0.5),
    Wait(3, 5, 1.5),
    Wait(3, 5, 6),
    Wait(3, 5, 6),
    Wait(3, 5, 6),
    Wait(3, 5, 18),
    Wait(9, 5, 30),
    Wait(9, 20, 100),
    Wait(3, 20, 200),
    Wait(9, None, 2),
)
# What must come out, counted by hand from WAITS: medians in hours, then the public definitions.
EXPECTED: dict[str, Any] = {
    "median_hours": {
        "receipt to classification": 3.0,  # 7 of 10 take 3 hours
        "classification to notice": 5.0,  # 7 of 10; one never gets a notice
        "hotline": 8.0,  # 6 of 10: 3 + 5
        "company": 6.0,  # 0.5, 1.5, 6, 6, 6, 18, 30, 100, 200
        "total": 14.0,  # 8.5, 9.5, 11, 14, 14, 14, 26, 44, 129, 223
    },
    "inhope_days": {"less than 1": 6, "1 to 3": 2, "4 to 6": 1, "7 and more": 1},  # of 10, received at 01:00 UTC
    "eco_mean_days": (1 + 2 + 3 * 6.5 + 18.5 + 30.5 + 100.5 + 200.5) / 9 / 24,  # found gone half an hour later
    "iwf": {"1": 1, "2": 2, "24": 6},  # of 9
    "tu_delft": 6,
}
PERIOD, _DAYS, _RECEIVED_AT = "2026Q2", 10, 1 * HOUR
_EXPORTS_AFTER = (11, 19, 27)  # days of the period after which there is an export
_IMPORTED_ANEW, _CLASSIFIED_ANEW = 3, 5  # every so many items, from the second export on
_COMPANIES = 5
_PLANS = tuple(CompanyPlan(each, _DAYS * 10, sites=_DAYS, on_time=2 / 3) for each in COMPANIES[:_COMPANIES])

SCENARIO = Scenario(
    "waits",
    "five companies, and a hotline whose every wait is known to the second",
    (Quarter(PERIOD, _PLANS),),
    exports=frozenset({"report"}),
)


@dataclass(frozen=True)
class _Item:
    number: int
    company: Company
    site: int
    received: int
    wait: Wait

    @property
    def classified(self) -> int:
        return self.received + round(self.wait.classified * HOUR)

    @property
    def noticed(self) -> int | None:
        return None if self.wait.noticed is None else self.classified + round(self.wait.noticed * HOUR)

    @property
    def removed(self) -> int:
        return (self.classified if self.noticed is None else self.noticed) + round(self.wait.removed * HOUR)

    @property
    def url(self) -> str:
        return f"https://s{self.company.index:02d}{self.site:03d}.example/{self.number:x}"

    @property
    def file_number(self) -> str:
        return f"N{to_datetime(self.received):%Y%m%d}{self.number:05d}"


def write_waits(out: Path, seed: int, scale: float) -> dict[str, int]:
    """Write the exports, the registry, the truth and what must come out of it; returns what was counted.

    `scale` multiplies the items, in whole tens a day and company; `seed` shuffles which item has which wait.
    """
    quarter = SCENARIO.quarters[0]
    hours = hours_between(quarter.first_day, quarter.end_day, frozenset())
    items = list(_items(quarter.first_day, seed, max(1, round(scale))))
    folder = out / "deliveries"
    for place, days in enumerate(_EXPORTS_AFTER):
        at = midnight(quarter.first_day + timedelta(days=days)) + 23 * HOUR
        rows = (_row(item, at, hours, anew=place > 0) for item in items if item.received < at)
        path = folder / f"{to_datetime(at):%Y%m%dT%H%M%SZ}-scart-report.csv"
        path.write_bytes(report_text(rows).encode())
    write_registry(out / "registry.yaml", SCENARIO)
    _write_truth(out / "truth.csv", items)
    content = {"scenario": SCENARIO.name, "about": SCENARIO.about, "seed": seed, "scale": scale, "period": PERIOD,
               "as_of": iso(SCENARIO.as_of), "recheck_gap_hours": GAP_HOURS, "expected": EXPECTED}  # fmt: skip
    (out / "scenario.json").write_bytes((json.dumps(content, indent=2) + "\n").encode())
    noticed = sum(item.noticed is not None for item in items)
    return {"companies": _COMPANIES, "notices": noticed, "ntd_rows": 0, "closed_rows": 0, "files": len(_EXPORTS_AFTER)}


def _items(first_day: date, seed: int, batches: int) -> Iterator[_Item]:
    """Each day each company has every wait `batches` times, all received at one time, on a site a day."""
    rng = np.random.Generator(np.random.PCG64([seed, len(WAITS)]))
    number = 0
    for day in range(1, _DAYS + 1):
        received = midnight(first_day) + day * DAY + _RECEIVED_AT
        for company in COMPANIES[:_COMPANIES]:
            for place in rng.permutation(np.repeat(np.arange(len(WAITS)), batches)).tolist():
                number += 1
                yield _Item(number, company, day, received, WAITS[place])


def _row(item: _Item, at: int, hours: Hours, *, anew: bool) -> dict[str, str]:
    """What the export of that moment prints of an item, under the names of `monitor.simulate.item_exports`."""
    half = round(GAP_HOURS * HOUR / 2)
    known, sent = item.classified <= at, item.noticed is not None and item.noticed <= at
    received = at - 2 * HOUR if anew and item.number % _IMPORTED_ANEW == 0 else item.received
    classified = at - HOUR if anew and item.number % _CLASSIFIED_ANEW == 0 else item.classified
    last = max(min(at, item.removed) - half, item.classified)
    stamps = [hours.stamps(np.array([moment]))[0] for moment in (received, classified, last, item.noticed or at)]
    status = "close_offline" if at >= item.removed + half else "scheduler_checkonline"
    return {
        "filenumber": item.file_number, "url": item.url, "host": item.url.split("/")[2],
        "IP": item.company.ipv4(item.site), "status": status, "received": stamps[0],
        "first seen": stamps[1] if known else "", "last seen": stamps[2] if known else "",
        "notice": stamps[3] if sent else "", "hoster owner": item.company.name, "hoster country": "NL",
        "hoster abuse email": item.company.abuse_address, "hashcheck_at": "", "hashcheck_return": "", "referer": "",
    }  # fmt: skip


def _write_truth(path: Path, items: list[_Item]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("url", "company_key", "received_at", "classified_at", "sent_at", "removed_at"))
        for item in items:
            moments = (item.received, item.classified, item.noticed, item.removed)
            rows.writerow((item.url, item.company.key, *("" if at is None else iso(at) for at in moments)))
