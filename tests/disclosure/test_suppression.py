"""An attack on everything that is published: can a withheld figure be worked out? Whole numbers, by programming.

The attacker reads the JSON and CSV of the site with its flows and norms, the figures of the report, and the files of
episodes and companies, and writes down what they say of the withheld companies as linear equations. For each unknown
count the smallest and the largest solution in whole numbers are sought (scipy.optimize.milp); a count is found where
these are the same. An insider knows all the counts of one withheld company as well.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from monitor.charts.outcomes import outstanding_by_age
from monitor.disclosure import rows as public_rows
from monitor.disclosure import suppression as withheld
from monitor.disclosure.anonymised import companies_csv, public_episodes, write_csv
from monitor.disclosure.rows import public_table
from monitor.disclosure.suppression import MEASURES
from monitor.score.table import DEADLINES_HOURS, Estimate, Flow, Norm, NormLine, Table, Unattributed
from monitor.tables import sheets
from monitor.wording.language import EN
from reports.figures import key_figures, unmeasured
from tests.support.disclosure_attack import TIMES, Attack, Counts, attack_on
from tests.support.published import COMPANIES, Invented, estimate

SHOWN = tuple(item for item in COMPANIES if item.episodes >= 10)[:6]


def small(chance: random.Random, most: int = 9) -> Counts:
    """The counts of a company with at most so many episodes; often with nothing in one of them."""
    on_time, undetermined = (chance.randint(0, most // 3) for _ in range(2))
    late = chance.randint(0, most - on_time - undetermined)
    made = {"on_time": on_time, "undetermined": undetermined, "late": late, "renotices": chance.randint(0, 4)}
    made["episodes"] = on_time + undetermined + late
    made["notices"] = made["episodes"] + made["renotices"]
    made |= {name: chance.choice([0, 0, 1, 2, 5]) for name in ("outstanding", "refused", "unverified")}
    made |= {name: chance.randint(0, min(2, made["episodes"])) for name in ("relocated", "reappeared")}
    return made | {"overdue": chance.randint(0, made["outstanding"])}


def with_counts(key: str, counts: Counts) -> Estimate:
    """A company with these counts; its other figures are invented, and no part of the attack."""
    base = estimate(Invented(key, key, 10, 1, 1, 1 + counts["episodes"] // 2, 5), None, "too_few")
    three: dict[str, Any] = {name: counts[name] for name in ("on_time", "undetermined", "late")}
    plain: dict[str, Any] = {name: count for name, count in counts.items() if name not in three}
    return replace(base, on_time=replace(base.on_time, mature=sum(three.values()), **three), **plain)


def counts_of(item: Estimate) -> Counts:
    return {name: get(item) for name, get in MEASURES.items()}


def network_of(parts: list[Counts]) -> Estimate:
    """The sum of these counts, with its shares."""
    whole = with_counts("network", {name: sum(part[name] for part in parts) for name in MEASURES})
    timing = whole.on_time
    lenient = replace(timing.lenient, p=1 - timing.late / timing.mature)
    strict = replace(timing.strict, p=timing.on_time / timing.mature)
    return replace(whole, on_time=replace(timing, lenient=lenient, strict=strict))


def invented_table(withheld_ones: list[Counts], nobody: Counts, few: tuple[Counts, ...] = ()) -> Table:
    """Six ranked companies, these small ones and those with few, and a network that is their sum with nobody's."""
    rest = [with_counts(f"small-{n}", counts) for n, counts in enumerate(withheld_ones)]
    return table_of([*rest, *(with_counts(f"few-{n}", counts) for n, counts in enumerate(few))], nobody)


def table_of(rest: list[Estimate], nobody: Counts) -> Table:
    """Six ranked companies, the rest, and a network that is their sum with nobody's."""
    big = [estimate(item, rank, "below") for rank, item in enumerate(SHOWN, 1)]
    parts = [*map(counts_of, [*big, *rest]), nobody]
    network = network_of(parts)
    unattributed = Unattributed(nobody["episodes"], nobody["notices"])
    times = ("2026-07-01T00:00:00Z", "2026-07-06T06:00:00Z", "2026Q2")
    others = network_of([*map(counts_of, [item for item in (*big, *rest) if item.episodes >= 10]), nobody])
    every = (*big, *rest)
    norms = tuple(Norm(hours, tuple(line_of(item, hours) for item in every)) for hours in DEADLINES_HOURS)
    flows = tuple(flow for item in every for flow in flows_of(item, every[-1].company))
    return Table("2026.1", *times, every, network, unattributed, others, flows=flows, norms=norms)


def flows_of(item: Estimate, to: str) -> Iterator[Flow]:
    """One episode to that company, the rest to where nobody knows."""
    if item.relocated:
        yield Flow(item.company, to, "NL", 1)
    if item.relocated > 1:
        yield Flow(item.company, None, "", item.relocated - 1)


def line_of(item: Estimate, hours: float) -> NormLine:
    """What TIMES and `rows_of` say of a company under another deadline."""
    counts = counts_of(item)
    late = sum(counts[kind] for kind, (last, _) in TIMES.items() if last > hours)
    on_time = sum(counts[kind] for kind, (_, gone) in TIMES.items() if gone <= hours)
    mature = sum(counts[kind] for kind in TIMES)
    timing = replace(item.on_time, deadline_hours=hours, mature=mature, on_time=on_time, late=late)
    timing = replace(timing, undetermined=mature - on_time - late)
    return NormLine(
        item.company, timing, item.score, item.rank, item.rank_low, item.rank_high, item.band, item.standing
    )


def rows_of(table: Table, nobody: Counts) -> pa.Table:
    """Episodes with these three counts, each on a site of its own, and some not mature."""
    owners: list[tuple[str | None, Counts]] = [(company.company, counts_of(company)) for company in table.companies]
    rows: list[dict[str, Any]] = []
    for owner, counts in [*owners, (None, nobody)]:
        for kind, (last, gone) in TIMES.items():
            rows += [_row(owner, last, gone, 100.0) for _ in range(counts[kind])]
        young = counts["episodes"] - sum(counts[kind] for kind in TIMES)
        rows += [_row(owner, 2.0, 3.0, 5.0) for _ in range(young)]
    return pa.Table.from_pylist([row | {"site": site} for site, row in enumerate(rows)])


def _row(owner: str | None, last: float, gone: float, followed: float) -> dict[str, Any]:
    return {
        "company": owner, "scored": True, "last_online_h": last, "first_offline_h": gone, "relocated_h": None,
        "destination": None, "destination_company": None, "followed_h": followed, "deadline_h": 24.0, "notices": 1,
        "reappeared": 0, "unverified": False,
    }  # fmt: skip


def published(table: Table, nobody: Counts) -> Attack:
    public = public_table(table)
    return attack_on(public, write_csv(public_episodes(rows_of(table, nobody), public)), companies_csv(public))


def found_out(attack: Attack, table: Table) -> Iterator[str]:
    """Who (an outsider, or an insider) finds out which count of which company."""
    counts = {company.company: counts_of(company) for company in table.companies}
    knowing = {"an outsider": attack} | {own: attack.knowing(own, counts[own]) for own in attack.companies}
    for who, known in knowing.items():
        for company in attack.companies:
            for name in MEASURES:
                if company != who:
                    low, high = known.range((company, name))
                    assert low <= counts[company][name] <= high, "the attack is wrong"
                    if low == high:
                        yield f"{who} knows {name} of {company}"


ZERO = dict.fromkeys(MEASURES, 0)
WIDE = ZERO | {"episodes": 38, "on_time": 12, "undetermined": 5, "late": 20, "notices": 41, "renotices": 3}
FEW = tuple(small(random.Random(seed), 28) for seed in range(20, 26))


def full(late: int = 9) -> Counts:
    """A company with all that fits under the bound, late or on time."""
    return {**ZERO, "episodes": 9, "notices": 9, "late": late, "on_time": 9 - late, "outstanding": 1, "overdue": 1}


def one(**counts: int) -> Counts:
    return ZERO | counts


NASTY: dict[str, tuple[list[Counts], Counts, tuple[Counts, ...]]] = {
    "one, and nobody's is empty": ([small(random.Random(1))], ZERO, ()),
    "one, and nobody's is wide": ([small(random.Random(2))], WIDE, ()),
    "one, and nobody's is one episode": ([small(random.Random(2))], one(episodes=1, late=1, notices=1), ()),
    "two, and nobody's is empty": ([small(random.Random(3)), small(random.Random(4))], ZERO, ()),
    "two, and nobody's is wide": ([small(random.Random(3)), small(random.Random(4))], WIDE, ()),
    "three of which two have nothing": ([ZERO, small(random.Random(5)), ZERO], ZERO, ()),
    "three with nothing": ([ZERO] * 3, WIDE, ()),
    "three with nothing, and nobody's is empty": ([ZERO] * 3, ZERO, ()),
    "four with nine, all late": ([full()] * 4, ZERO, ()),
    "four with nine": ([full(n) for n in (9, 8, 8, 0)], ZERO, ()),
    "two with refusals only": ([one(refused=303), one(refused=601)], ZERO, ()),
    "one, with few others": ([small(random.Random(6))], ZERO, FEW),
    "three alike but for late": ([{**full(n), "outstanding": n} for n in (1, 2, 3)], ZERO, ()),
}


@pytest.mark.parametrize("case", NASTY)
def test_no_withheld_figure_is_found_in_nasty_tables(case: str) -> None:
    small_ones, nobody, few = NASTY[case]
    table = invented_table(small_ones, nobody, few)
    assert list(found_out(published(table, nobody), table)) == []


@pytest.mark.parametrize("seed", [*range(8), 1060])  # 1060: nobody's notices gave nobody's episodes
def test_no_withheld_figure_is_found_in_random_tables(seed: int) -> None:
    chance = random.Random(seed)
    small_ones = [small(chance) for _ in range(chance.randint(1, 5))]
    nobody = chance.choice([ZERO, small(chance), small(chance, 60)])
    few = tuple(small(chance, 28) for _ in range(chance.choice([0, 0, 3])))
    table = invented_table(small_ones, nobody, few)
    assert list(found_out(published(table, nobody), table)) == []


@pytest.mark.parametrize("case", ["one, and nobody's is empty", "two, and nobody's is empty", "three with nothing"])
def test_without_the_rule_the_same_attack_finds_the_figures(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a failure to find them means something."""
    small_ones, nobody, few = NASTY[case]
    table = invented_table(small_ones, nobody, few)
    monkeypatch.setattr(withheld, "_alike", lambda group, get: False)
    found = list(found_out(published(table, nobody), table))
    assert {"late of small-0", "episodes of small-0"} <= {line.split(" knows ")[1] for line in found}


def test_an_insider_finds_what_an_outsider_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    table = invented_table(NASTY["two, and nobody's is empty"][0], ZERO)
    monkeypatch.setattr(withheld, "_alike", lambda group, get: False)
    found = set(found_out(published(table, ZERO), table))
    assert "small-0 knows late of small-1" in found
    assert "an outsider knows late of small-1" not in found


@pytest.mark.parametrize(
    ("part", "given", "found"),
    [("shown_flows", [one(relocated=2)], "relocated"), ("shown_norms", [full(3)], "late")],
)
def test_without_its_rule_each_part_of_a_release_gives_figures_back(
    part: str, given: list[Counts], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = invented_table([given[0] | {"episodes": 9, "notices": 9}], WIDE)
    assert list(found_out(published(table, WIDE), table)) == []
    monkeypatch.setattr(public_rows, part, lambda parts, shown: tuple(parts))
    assert f"an outsider knows {found} of small-0" in set(found_out(published(table, WIDE), table))


@pytest.mark.parametrize("case", NASTY)
def test_no_company_without_figures_is_named_in_a_flow_or_a_norm(case: str) -> None:
    small_ones, nobody, few = NASTY[case]
    public = public_table(invented_table(small_ones, nobody, few))
    hidden = {row.company for row in public.rows if row.figures is None}
    assert hidden
    assert not hidden & {end for flow in public.flows or () for end in (flow.origin, flow.destination)}
    assert [{line.company for line in norm.companies} & hidden for norm in public.norms or ()] == [set()] * 4
    for row in public.rows:
        if row.figures:
            assert sum(f.episodes for f in public.flows or () if f.origin == row.company) == row.figures.relocated


def test_a_destination_without_figures_is_told_with_those_that_are_not_known() -> None:
    """By its country alone, and in one flow with what went to nobody knows whom there; the largest come first."""
    flows = (
        Flow("as64496", "small-0", "NL", 2),
        Flow("as64496", None, "NL", 3),
        Flow("as64496", "as64497", "NL", 4),
        Flow("as64497", "not-in-the-table", "BE", 6),
        Flow("small-0", "as64496", "NL", 1),
    )
    told = public_table(replace(invented_table([full()], WIDE), flows=flows)).flows
    assert told == (
        Flow("as64497", None, "BE", 6),
        Flow("as64496", None, "NL", 5),
        Flow("as64496", "as64497", "NL", 4),
    )


def test_everything_withheld_still_publishes_the_sums() -> None:
    small_ones = [small(random.Random(seed)) for seed in range(30, 38)]
    table = invented_table(small_ones, ZERO)
    alone = replace(table, companies=tuple(company for company in table.companies if company.episodes < 10))
    whole = replace(alone, network=network_of(small_ones), unattributed=Unattributed(0, 0))
    public = public_table(whole)
    assert all(row.figures is None for row in public.rows)
    assert public.network.counts["episodes"] == sum(counts["episodes"] for counts in small_ones)
    assert list(found_out(published(whole, ZERO), whole)) == []


def test_the_report_and_the_sheets_have_no_more_than_the_json() -> None:
    """A withheld company's cells are empty, and what the report adds up is of companies with figures."""
    table = public_table(invented_table([small(random.Random(seed)) for seed in range(4)], WIDE))
    for line in csv.DictReader(io.StringIO(sheets.ranking_csv(table.rows))):
        if line["episodes"].startswith("<"):
            assert {name for name, text in line.items() if text} <= {
                "company", "name", "country", "via_proxy", "standing", "episodes",
            }  # fmt: skip
    shown = [row.figures for row in table.rows if row.figures]
    summed = sum(age.episodes for age in outstanding_by_age(table.rows))
    assert summed == sum(age.episodes for figures in shown for age in figures.outstanding_by_age)
    assert [line.key for line in key_figures(table, None, EN)][-7:] == [
        "episodes", "notices", "renotices", "outstanding", "overdue", "relocated", "reappeared",
    ]  # fmt: skip
    assert len(unmeasured(table, EN)) == 4
