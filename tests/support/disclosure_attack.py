"""What is published, read by one who wants to know what is withheld: whole numbers that agree with all of it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from monitor.disclosure.rows import PublicTable
from monitor.disclosure.suppression import MEASURES
from monitor.tables import sheets

Counts = dict[str, int]
UNATTRIBUTED = "unattributed"
MOST = 2000.0  # more than anything in these tables
# last seen online and first seen offline, in hours, of an episode that is counted so with a deadline of 24
TIMES = {"on_time": (2.0, 9.0), "undetermined": (20.0, 30.0), "late": (30.0, 40.0)}
# name, coefficients: the sum is 0 or more, for every company and for nobody
RELATIONS: tuple[Mapping[str, int], ...] = (
    {"episodes": 1, "on_time": -1, "undetermined": -1, "late": -1},
    {"outstanding": 1, "overdue": -1},
    {"episodes": 1, "relocated": -1},
    {"episodes": 1, "reappeared": -1},
    {"notices": 1, "episodes": -1, "renotices": -1},
    {"notices": -1, "episodes": 1, "renotices": 1},
)


@dataclass
class Attack:
    """What is known of the counts x of withheld companies and of nobody: low <= a . x <= high."""

    companies: dict[str, int]  # with the largest number of episodes each can have
    known: list[tuple[dict[tuple[str, str], float], float, float]] = field(default_factory=list)
    measures: tuple[str, ...] = tuple(MEASURES)

    def learn(self, terms: Mapping[tuple[str, str], float], low: float, high: float | None = None) -> None:
        """That a sum lies between two values, or is one."""
        self.known.append((dict(terms), low, low if high is None else high))

    def total(self, measure: str, *, nobody: bool) -> dict[tuple[str, str], float]:
        """The sum of a measure over the withheld companies, with or without nobody."""
        return {(owner, measure): 1.0 for owner in [*self.companies, *([UNATTRIBUTED] if nobody else [])]}

    def knowing(self, company: str, counts: Counts) -> Attack:
        """The same for one who knows a company's counts."""
        insider = Attack(self.companies, list(self.known), self.measures)
        for name, count in counts.items():
            insider.learn({(company, name): 1.0}, count)
        return insider

    def range(self, target: tuple[str, str]) -> tuple[int, int]:
        """The smallest and the largest value that agree with everything known."""
        index = {
            name: place
            for place, name in enumerate((o, m) for o in [*self.companies, UNATTRIBUTED] for m in self.measures)
        }
        matrix = np.zeros((len(self.known), len(index)))
        for line, (terms, _, _) in enumerate(self.known):
            for name, factor in terms.items():
                matrix[line, index[name]] = factor
        constraints = LinearConstraint(matrix, [low for _, low, _ in self.known], [high for *_, high in self.known])
        most = np.array([self.companies.get(o, MOST) if m == "episodes" else MOST for o, m in index])
        ends = []
        for sign in (1, -1):
            cost = np.zeros(len(index))
            cost[index[target]] = sign
            found = milp(cost, constraints=constraints, bounds=Bounds(0, most), integrality=np.ones(len(index)))
            assert found.success, "what is published contradicts itself"
            ends.append(round(found.x[index[target]]))
        return ends[0], ends[1]


def attack_on(
    table: PublicTable, episodes: bytes, companies: bytes, measures: tuple[str, ...] = tuple(MEASURES)
) -> Attack:
    """Everything that is published, read the way an outsider reads it, as equations."""
    data = json.loads(json.dumps(sheets.ranking_json(table, table.rows)))
    hidden = {row["company"]: int(row["episodes"][1:]) - 1 for row in data["companies"] if row["on_time"] is None}
    attack = Attack(hidden, measures=measures)
    for owner in [*hidden, UNATTRIBUTED]:
        for relation in RELATIONS:
            attack.learn({(owner, name): float(factor) for name, factor in relation.items()}, 0, MOST)
    lines = {line["kind"]: line["counts"] for line in data["totals"]}
    _learn_totals(attack, lines, data)
    _learn_shares(attack, lines["shown"], data["network"])
    if episodes:
        _learn_rows(attack, episodes, gives_way=data["network"]["gives_way"])
    _learn_list(attack, companies)
    _learn_flows(attack, data)
    _learn_norms(attack, data)
    return attack


def _learn_totals(attack: Attack, lines: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    for name in MEASURES:
        for count, nobody in ((lines["network"][name], True), (data["network"]["counts"][name], True)):
            if count is not None:
                attack.learn(attack.total(name, nobody=nobody), count - lines["shown"][name])
        if (count := lines.get("withheld", {}).get(name)) is not None:
            attack.learn(attack.total(name, nobody=False), count)
        for source in (lines["unattributed"], data["unattributed"]):
            if source.get(name) is not None:
                attack.learn({(UNATTRIBUTED, name): 1.0}, source[name])


def _learn_shares(attack: Attack, shown: Mapping[str, int], network: Mapping[str, Any]) -> None:
    """|late - (1 - p) mature| is at most what rounding p left, times mature; so for on time."""
    for reading, name in (("lenient", "late"), ("strict", "on_time")):
        p = network[reading]["p"]
        if p is None:
            continue
        left = 0.005 + 1e-9 if round(p, 2) == p else 1e-9
        part = 1 - p if reading == "lenient" else p
        known = {kind: float(shown[kind]) for kind in TIMES}
        for slack, low, high in ((left, 0.0, math.inf), (-left, -math.inf, 0.0)):
            # (part + slack) * mature - count, over withheld and nobody, with the shown ones as a constant
            terms = {}
            for kind in TIMES:
                for owner in (
                    [UNATTRIBUTED] if network["gives_way"] else [o for o, _ in attack.total(kind, nobody=True)]
                ):
                    terms[owner, kind] = part + slack - (kind == name)
            constant = (part + slack) * sum(known.values()) - known[name]
            attack.learn(terms, low - constant, high - constant)


def _learn_flows(attack: Attack, data: Mapping[str, Any]) -> None:
    """The flows of a company add up to its relocated episodes."""
    moved: Counter[str] = Counter()
    for flow in data.get("flows", ()):
        moved[flow["origin"]] += flow["episodes"]
    for origin, count in moved.items():
        if origin in attack.companies:
            attack.learn({(origin, "relocated"): 1.0}, count)


def _learn_norms(attack: Attack, data: Mapping[str, Any]) -> None:
    """A line has the counts of its company, under the deadline of these tables all three of them."""
    for norm in data.get("norms", ()):
        for line in norm["companies"]:
            owner, counts = line["company"], line["on_time"]
            if owner in attack.companies:
                attack.learn({(owner, "episodes"): 1.0}, counts["mature"], MOST)
                if norm["deadline_hours"] == 24:
                    for kind in TIMES:
                        attack.learn({(owner, kind): 1.0}, counts[kind])


def _learn_rows(attack: Attack, episodes: bytes, *, gives_way: bool) -> None:
    """The pooled rows are of the withheld and nobody; where the network leaves them out, of nobody alone."""
    rows = [row for row in csv.DictReader(io.StringIO(episodes.decode())) if row["company"] == "(pooled)"]
    found = dict.fromkeys(TIMES, 0)
    for row in rows:
        if kind := _kind(row):
            found[kind] += 1
    for name, count in {**found, "episodes": len(rows)}.items():
        attack.learn({(UNATTRIBUTED, name): 1.0} if gives_way else attack.total(name, nobody=True), count)


# Since method 2026.2: what is outstanding is of the period, and each of these is of one episode.
_COMPETING_RELATIONS: tuple[Mapping[str, int], ...] = (
    {"outstanding": 1, "overdue": -1, "possibly_overdue": -1},
    {"episodes": 1, "outstanding": -1, "unverified": -1, "relocated": -1, "gone_before_notice": -1},
    {"late": 1, "overdue": -1},
    {"on_time": 1, "gone_before_notice": -1},
    {"undetermined": 1, "possibly_overdue": -1},
)


def learn_competing_rows(attack: Attack, episodes: bytes, *, gives_way: bool) -> None:
    """The pooled rows of a release under method 2026.2: what ended and how, and what of the rest is late or open."""
    for owner in [*attack.companies, UNATTRIBUTED]:
        for relation in _COMPETING_RELATIONS:
            attack.learn({(owner, name): float(factor) for name, factor in relation.items()}, 0, MOST)
    rows = [row for row in csv.DictReader(io.StringIO(episodes.decode())) if row["company"] == "(pooled)"]
    found: Counter[str] = Counter(episodes=len(rows))
    for row in rows:
        found.update(_says(row))

    def total(name: str) -> dict[tuple[str, str], float]:
        return {(UNATTRIBUTED, name): 1.0} if gives_way else attack.total(name, nobody=True)

    for name in ("episodes", *TIMES, "gone_before_notice", "relocated"):
        attack.learn(total(name), found[name])
    attack.learn(total("outstanding") | total("unverified"), found["open"])
    for name in ("overdue", "possibly_overdue"):
        attack.learn(total(name), 0, found[f"open_{name}"])


def _says(row: Mapping[str, str]) -> list[str]:
    last, followed = float(row["last_online_h"]), float(row["followed_h"])
    gone = float(row["first_offline_h"]) if row["first_offline_h"] else math.inf
    said = ["gone_before_notice"] if gone == 0 else []
    said += ["relocated"] if row["relocated_h"] else []
    is_open = not row["first_offline_h"] and not row["relocated_h"]
    said += ["open"] if is_open else []
    if followed < 24:
        return said
    kind = "on_time" if gone <= 24 else "late" if last > 24 else "undetermined"
    of_open = {"late": "open_overdue", "undetermined": "open_possibly_overdue"}
    return [*said, kind, *([of_open[kind]] if is_open else [])]


def learn_links(attack: Attack, episodes: bytes, other: bytes, *, others_are_unattributed: bool) -> None:
    """What the other table of a release tells: an item in both has the same time between its two checks in each.

    A row without a name, of an item that has one there, is of that company; where all rows without a name there are
    nobody's, so is this one.
    """
    owners = {_between(row): row["company"] for row in csv.DictReader(io.StringIO(other.decode()))}
    found: Counter[tuple[str, str]] = Counter()
    for row in csv.DictReader(io.StringIO(episodes.decode())):
        owner = owners.get(_between(row)) if row["company"] == "(pooled)" else None
        if owner == "(pooled)":
            owner = UNATTRIBUTED if others_are_unattributed else None
        if owner is not None:
            found.update({(owner, name): 1 for name in ("episodes", _kind(row)) if name})
    for target, count in found.items():
        if target[0] == UNATTRIBUTED or target[0] in attack.companies:
            attack.learn({target: 1.0}, count, MOST)


def _between(row: Mapping[str, str]) -> int:
    """Seconds from the last sighting online to the first offline."""
    return round((float(row["first_offline_h"]) - float(row["last_online_h"])) * 3600)


def _kind(row: Mapping[str, str]) -> str:
    """On time, undetermined or late; nothing where the deadline has not passed."""
    last, gone, followed = (float(row[name]) for name in ("last_online_h", "first_offline_h", "followed_h"))
    if followed < 24:
        return ""
    return "on_time" if gone <= 24 else "late" if last > 24 else "undetermined"


def _learn_list(attack: Attack, companies: bytes) -> None:
    for row in csv.DictReader(io.StringIO(companies.decode())):
        assert row["figures"] != "withheld" or not any(row[name] for name in MEASURES if name in row)
        for name in MEASURES:
            if row.get(name) and row["figures"] == "pooled":
                attack.learn(attack.total(name, nobody=True), int(row[name]))
            elif row.get(name) and row["figures"] == "unattributed":
                attack.learn({(UNATTRIBUTED, name): 1.0}, int(row[name]))
