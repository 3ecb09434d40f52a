"""Writes what the exports do not say: the registry of the companies, the true course, and the shape to expect."""

from __future__ import annotations

import csv
import json
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.instants import iso
from monitor.simulate.hours import midnight, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from monitor.simulate.companies import Company
    from monitor.simulate.hours import Flags, Instants
    from monitor.simulate.items import Items
    from monitor.simulate.scenario import Merger, Scenario

TRUTH_COLUMNS = ("url", "company_key", "sent_at", "removed_at", "relocated", "delivery")


def write_registry(path: Path, scenario: Scenario) -> None:
    """The companies and what is theirs, as the operator would keep it."""
    proxies = {plan.company.key for quarter in scenario.quarters for plan in quarter.plans if plan.proxy}
    lines = ["companies:"]
    for company in scenario.companies:
        lines += _entry(company, scenario.mergers, proxy=company.key in proxies)
    path.write_bytes(("\n".join(lines) + "\n").encode())


def write_networks(path: Path, companies: Sequence[Company]) -> None:
    """A table of address ranges: what each company with an ASN announces, from 256 addresses to 16,384.

    They lie in the range that RFC 2544 keeps for benchmarks: those for documentation are too few to differ.
    """
    start = int(IPv4Address("198.18.0.0"))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("start", "end", "asn", "organisation"))
        for company in (company for company in companies if company.asn is not None):
            end = start + (256 << (company.index * 5 % 7))
            rows.writerow((IPv4Address(start), IPv4Address(end - 1), company.asn, company.name))
            start = end


def _entry(company: Company, mergers: Sequence[Merger], *, proxy: bool) -> Iterator[str]:
    """One company in YAML; every value but a day is written as JSON, which YAML reads as it is."""
    plain = {
        "key": company.key, "name": company.name, "country": "NL", "legal_name": company.legal_name,
        "legal_form": company.legal_form, "registration": company.registration, "natural_person": "no",
    }  # fmt: skip
    values = {name: _json(value) for name, value in plain.items()}
    for merger in (merger for merger in mergers if merger.absorbed == company):
        values |= {"successor": _json(merger.into.key), "ended_on": str(merger.day)}
    left = [f"valid_to: {merger.day}" for merger in mergers if merger.absorbed == company]
    claims = {name: [_claim(value, *left) for value in own] for name, own in _claims(company).items()}
    for merger in mergers:
        if merger.into == company:
            for name, taken in _claims(merger.absorbed).items():
                claims[name] += [_claim(value, f"valid_from: {merger.day}") for value in taken]
    values |= {name: f"[{', '.join(texts)}]" for name, texts in claims.items()} | {"proxy": _json(proxy)}
    for place, (name, text) in enumerate(values.items()):
        yield f"{'    ' if place else '  - '}{name}: {text}"


def _claims(company: Company) -> dict[str, list[Any]]:
    """What is a company's own; its name in capitals, one of its aliases, is its name to the registry."""
    return {
        "aliases": list(company.aliases),
        "abuse_addresses": [company.abuse_address],
        "asns": [] if company.asn is None else [company.asn],
        "prefixes": list(company.prefixes),
        "domains": [f"{company.key}.example"],
    }


def _claim(value: Any, *days: str) -> str:
    return f"{{{', '.join((f'value: {_json(value)}', *days))}}}" if days else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_truth(path: Path, scenario: Scenario, items: Items, urls: Sequence[str]) -> None:
    """One row an item. `relocated` is when it moved abroad, `removed_at` when it went; empty where it did not.

    Of a scenario of several quarters each row ends in the one of the first notice.
    """
    several = len(scenario.quarters) > 1
    keys = {company.index: company.key for company in scenario.companies}
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow((*TRUTH_COLUMNS, "quarter") if several else TRUTH_COLUMNS)
        moments = (_iso(items.sent), _iso(np.where(items.left <= scenario.as_of, items.left, -1)))
        columns = (owners(scenario, items).tolist(), *moments, items.moved.tolist(), delivery(items))
        quarters = [(period,) for period in _periods(scenario, items)] if several else [()] * len(items)
        for url, owner, sent, left, moved, state, quarter in zip(urls, *columns, quarters, strict=True):
            rows.writerow((url, keys[owner], sent, "" if moved else left, left if moved else "", state, *quarter))


def owners(scenario: Scenario, items: Items) -> Instants:
    """The company each item is judged under: after a merger the one that took its company over."""
    owner = items.company
    for merger in scenario.mergers:
        taken = (items.company == merger.absorbed.index) & (items.sent >= midnight(merger.day))
        owner = np.where(taken, merger.into.index, owner)
    return owner


def _periods(scenario: Scenario, items: Items) -> list[str]:
    """The quarter of each item's first notice."""
    begins = [midnight(quarter.first_day) for quarter in scenario.quarters]
    places = np.searchsorted(begins, items.sent, side="right") - 1
    return [scenario.quarters[place].period for place in places.tolist()]


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
        "expected": _shape(scenario, items, np.ones(len(items), bool)),
    }
    if len(scenario.quarters) > 1:
        content |= {"releases": _releases(scenario, items), **_routine(scenario)}
    path.write_bytes((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _releases(scenario: Scenario, items: Items) -> list[dict[str, Any]]:
    """What to release when: each period, its reference date, and the shape of its table; None without data."""
    period = np.array(_periods(scenario, items))
    return [
        {
            "period": quarter.period,
            "as_of": iso(quarter.as_of),
            "expected": _shape(scenario, items, period == quarter.period) if quarter.plans else None,
        }
        for quarter in scenario.quarters
    ]


def _routine(scenario: Scenario) -> dict[str, Any]:
    """How often there is a delivery, when there is none, when nothing was checked, who merged, what was withdrawn."""
    routine = scenario.routine
    return {
        "cadence_minutes": routine.every // 60,
        "gaps": [[iso(moment) for moment in span(days)] for days in routine.gaps],
        "outages": [[iso(moment) for moment in span(days)] for days in routine.outages],
        "mergers": [
            {"day": str(merger.day), "absorbed": merger.absorbed.key, "into": merger.into.key}
            for merger in scenario.mergers
        ],
        "withdrawals": [
            {"day": str(w.day), "period": w.period, "company": w.company.key, "reason": w.reason}
            for w in scenario.withdrawals
        ],
    }


def _shape(scenario: Scenario, items: Items, period: Flags) -> dict[str, Any]:
    """Shares on time in truth: over all, and of each company; failed notices start no clock and stay out."""
    by_company, owner = {}, owners(scenario, items)
    for company in scenario.companies:
        mine = period & (owner == company.index)
        if mine.any():
            by_company[company.key] = {
                **_counts(items, mine),
                "sites": len(set(zip(items.company[mine].tolist(), items.site[mine].tolist(), strict=True))),
                "share_of_items": round(float(mine.sum() / period.sum()), 4),
            }
    return {"network": _counts(items, period), "companies": by_company}


def _counts(items: Items, mine: Flags) -> dict[str, Any]:
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
