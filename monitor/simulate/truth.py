"""Writes what the exports do not say: the registry of the companies, the true course, and the shape to expect."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.instants import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from monitor.simulate.companies import Company
    from monitor.simulate.items import Items
    from monitor.simulate.scenario import Scenario

TRUTH_COLUMNS = ("url", "company_key", "sent_at", "removed_at", "relocated", "delivery")


def write_registry(path: Path, scenario: Scenario) -> None:
    """The companies and what is theirs, as the operator would keep it."""
    proxies = {plan.company.key for quarter in scenario.quarters for plan in quarter.plans if plan.proxy}
    lines = ["companies:"]
    for company in scenario.companies:
        lines += _entry(company, proxy=company.key in proxies)
    path.write_bytes(("\n".join(lines) + "\n").encode())


def _entry(company: Company, *, proxy: bool) -> Iterator[str]:
    """One company in YAML; every value is written as JSON, which YAML reads as it is."""
    values: dict[str, Any] = {
        "key": company.key,
        "name": company.name,
        "country": "NL",
        "registration": company.registration,
        "aliases": list(company.aliases),
        "abuse_addresses": [company.abuse_address],
        "asns": [] if company.asn is None else [company.asn],
        "prefixes": list(company.prefixes),
        "domains": [f"{company.key}.example"],
        "proxy": proxy,
    }
    for place, (name, value) in enumerate(values.items()):
        yield f"{'    ' if place else '  - '}{name}: {json.dumps(value, ensure_ascii=False)}"


def write_truth(path: Path, items: Items, urls: Sequence[str], keys: Mapping[int, str], as_of: int) -> None:
    """One row an item. `relocated` is when it moved abroad, `removed_at` when it went; empty where it did not."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(TRUTH_COLUMNS)
        moments = (_iso(items.sent), _iso(np.where(items.left <= as_of, items.left, -1)))
        flags = (items.moved.tolist(), delivery(items))
        for url, company, sent, left, moved, state in zip(urls, items.company.tolist(), *moments, *flags, strict=True):
            rows.writerow((url, keys[company], sent, "" if moved else left, left if moved else "", state))


def delivery(items: Items) -> list[str]:
    """What became of the notices of each item, in the words of the facts."""
    words = np.where(items.failed, "failed", np.where(items.api, "delivered", "assumed"))
    return [str(word) for word in words]


def _iso(at: np.ndarray[Any, np.dtype[np.int64]]) -> list[str]:
    """Instants as ISO 8601 in UTC; empty where negative."""
    texts = np.datetime_as_string(np.maximum(at, 0).astype("datetime64[s]"), timezone="UTC")
    return [text if moment >= 0 else "" for text, moment in zip(texts.tolist(), at.tolist(), strict=True)]


def write_scenario(path: Path, scenario: Scenario, items: Items, run: Mapping[str, Any]) -> None:
    """Which scenario this is, and what a right table of it must show."""
    content = {
        "scenario": scenario.name,
        "about": scenario.about,
        **run,
        "period": scenario.period,
        "periods": [quarter.period for quarter in scenario.quarters],
        "as_of": iso(scenario.as_of),
        "expected": _shape(scenario, items),
    }
    path.write_bytes((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _shape(scenario: Scenario, items: Items) -> dict[str, Any]:
    """Shares on time in truth: over all, and of each company; failed notices start no clock and stay out."""
    by_company = {}
    for company in scenario.companies:
        mine = items.company == company.index
        by_company[company.key] = {
            **_counts(items, mine),
            "sites": len(np.unique(items.site[mine])),
            "share_of_items": round(float(mine.mean()), 4),
        }
    return {"network": _counts(items, np.ones(len(items), bool)), "companies": by_company}


def _counts(items: Items, mine: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, Any]:
    clocked = mine & ~items.failed
    on_time = int((clocked & items.on_time).sum())
    episodes = int(clocked.sum())
    return {
        "items": int(mine.sum()),
        "failed": int((mine & items.failed).sum()),
        "episodes": episodes,
        "on_time": on_time,
        "on_time_share": round(on_time / episodes, 4) if episodes else None,
        "relocated": int((clocked & items.moved).sum()),
    }
