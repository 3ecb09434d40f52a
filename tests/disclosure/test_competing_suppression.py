"""The attack of `test_suppression` on a release under method 2026.2: its new figures, its rows and its groups."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pyarrow as pa
import pytest

from monitor.disclosure import suppression
from monitor.disclosure.anonymised import COMPETING_SCHEMA, companies_csv, public_episodes, write_csv
from monitor.disclosure.rows import PublicTable, public_table
from monitor.disclosure.suppression import MEASURES
from monitor.score.table import (
    AllCases,
    Backlog,
    CompetingEstimate,
    CompetingOnTime,
    EarlierMethod,
    Estimate,
    Group,
    Judgement,
    Share,
    Table,
    Unattributed,
    Unreachable,
)
from monitor.tables import sheets
from tests.support.disclosure_attack import UNATTRIBUTED, Attack, Counts, attack_on, learn_competing_rows
from tests.support.published import COMPANIES, Invented, estimate

NEW = ("gone_before_notice", "possibly_overdue", "items_undelivered")
# What becomes of an episode: last seen online, first seen offline, moved, followed, and whether it is unverified.
KINDS: Mapping[str, tuple[float, float | None, float | None, float, bool]] = {
    "quick": (2.0, 9.0, None, 100.0, False),
    "gone": (0.0, 0.0, None, 100.0, False),
    "bracketed": (20.0, 30.0, None, 100.0, False),
    "late": (30.0, 40.0, None, 100.0, False),
    "moved": (2.0, None, 9.0, 100.0, False),
    "overdue": (30.0, None, None, 100.0, False),
    "possibly": (2.0, None, None, 100.0, False),
    "stale": (2.0, None, None, 300.0, True),
    "stale_late": (30.0, None, None, 300.0, True),
    "young": (2.0, 3.0, None, 5.0, False),
}
Kinds = Counter[str]


def counts_of(kinds: Kinds) -> Counts:
    """What a company with these episodes has of each figure; `undelivered` items have none."""
    on_time = kinds["quick"] + kinds["gone"]
    late = kinds["late"] + kinds["overdue"] + kinds["stale_late"]
    undetermined = kinds["bracketed"] + kinds["moved"] + kinds["possibly"] + kinds["stale"]
    episodes = on_time + late + undetermined + kinds["young"]
    return {
        "episodes": episodes, "notices": episodes + kinds["reminder"], "renotices": kinds["reminder"],
        "on_time": on_time, "undetermined": undetermined, "late": late,
        "outstanding": kinds["overdue"] + kinds["possibly"], "overdue": kinds["overdue"],
        "possibly_overdue": kinds["possibly"], "unverified": kinds["stale"] + kinds["stale_late"],
        "relocated": kinds["moved"], "reappeared": 0, "gone_before_notice": kinds["gone"],
        "refused": kinds["refused"], "items_undelivered": kinds["undelivered"],
    }  # fmt: skip


def competing(base: Estimate, counts: Counts) -> CompetingEstimate:
    """An estimate with these counts, and shares made from them."""
    mature = counts["on_time"] + counts["undetermined"] + counts["late"]
    lenient = Share(1 - counts["late"] / mature if mature else None, None, None, None)
    strict = Share(counts["on_time"] / mature if mature else None, None, None, None)
    cases = mature + counts["items_undelivered"]
    timing = CompetingOnTime(
        24.0, mature, counts["on_time"], counts["late"], counts["undetermined"], lenient, strict,
        estimate=strict.p, older=mature, followed=1.0 if mature else None, all_cases=AllCases(cases, None, None),
    )  # fmt: skip
    plain = {name: count for name, count in counts.items() if name not in ("on_time", "undetermined", "late")}
    values = {field.name: getattr(base, field.name) for field in fields(Estimate)} | plain | {"on_time": timing}
    return CompetingEstimate(
        **values, removed_at=(), moved_at=(), online_at=(), not_removed_7d=None, grid_seconds=0, n_eff=None,
        p_below=None, unreachable=Unreachable(0, 0, 0, None, None, None, False), backlog=Backlog(0, 0, 0, 0, None),
    )  # fmt: skip


def company(key: str, kinds: Kinds) -> CompetingEstimate:
    counts = counts_of(kinds)
    item = Invented(key, key, 10, 1, 1, 1 + counts["episodes"] // 2, 5)
    return competing(estimate(item, None, "too_few"), counts)


BIG = tuple(
    Counter({"quick": 40 + n, "late": 10, "gone": 2, "possibly": 1, "moved": 3, "overdue": 2}) for n in range(3)
)


def table_of(small: Sequence[Kinds], nobody: Kinds) -> tuple[Table, pa.Table]:
    """Three companies with a rank, one of them in a group with the first small one; and the episodes of all."""
    big = [
        replace(company(item.key, kinds), rank=place, standing="below")
        for place, (item, kinds) in enumerate(zip(COMPANIES, BIG, strict=False), 1)
    ]
    rest = [company(f"small-{n}", kinds) for n, kinds in enumerate(small)]
    every = (*big, *rest)
    network = company("network", sum([*BIG, *small, nobody], Counter()))
    shown = company(
        "network", sum([*BIG, *[kinds for kinds in small if counts_of(kinds)["episodes"] >= 10], nobody], Counter())
    )
    lone = counts_of(nobody)
    together = company("group", BIG[0] + small[0])
    times = ("2026-07-01T00:00:00Z", "2026-07-06T06:00:00Z", "2026Q2")
    judged = tuple(Judgement(each.company, "below", 1, 1, 1) for each in every)
    table = Table(
        "2026.2", *times, every, network, Unattributed(lone["episodes"], lone["notices"]), shown,
        groups=(Group("group", (big[0].company, "small-0"), together),), earlier=EarlierMethod("2026.1", judged),
    )  # fmt: skip
    owners = [*zip([each.company for each in every], [*BIG, *small], strict=True), (None, nobody)]
    rows = [row for owner, kinds in owners for row in _rows(owner, kinds)]
    numbered = [row | {"site": number, "day": number} for number, row in enumerate(rows)]
    schema = pa.schema([field.with_name("day") if field.name == "notice_day" else field for field in COMPETING_SCHEMA
                        if field.name != "end"]).append(pa.field("unverified", pa.bool_()))  # fmt: skip
    return table, pa.Table.from_pylist(numbered, schema)


def _rows(owner: str | None, kinds: Kinds) -> Iterator[dict[str, Any]]:
    for kind, (last, gone, moved, followed, stale) in KINDS.items():
        for _ in range(kinds[kind]):
            yield {
                "company": owner, "scored": True, "last_online_h": last, "first_offline_h": gone, "relocated_h": moved,
                "followed_h": followed, "deadline_h": 24.0, "notices": 1, "reappeared": 0, "wall_h": followed,
                "notice_days": 1, "refused": 0, "undelivered": 0, "no_contact": 0, "unverified": stale,
                "gone_before_notice": int(kind == "gone"),
            }  # fmt: skip


def attacked(table: Table, rows: pa.Table) -> Attack:
    public = public_table(table)
    episodes = write_csv(public_episodes(rows, public))
    attack = attack_on(public, b"", companies_csv(public), measures=(*MEASURES, *NEW))
    learn_competing_rows(attack, episodes, gives_way=public.network.gives_way)
    return attack


def found_out(table: Table, rows: pa.Table, small: Sequence[Kinds]) -> list[str]:
    """What an outsider, or one of the withheld companies, works out of another."""
    attack = attacked(table, rows)
    counts = {f"small-{n}": counts_of(kinds) for n, kinds in enumerate(small)}
    knowing = {"an outsider": attack} | {own: attack.knowing(own, counts[own]) for own in attack.companies}
    found = []
    for who, known in knowing.items():
        for other in set(attack.companies) - {who}:
            for name in attack.measures:
                low, high = known.range((other, name))
                assert low <= counts[other][name] <= high, "the attack is wrong"
                found += [f"{who} knows {name} of {other}"] if low == high else []
    return found


def some(chance: random.Random, most: int = 9) -> Kinds:
    kinds: Kinds = Counter(chance.choice([*KINDS, "quick", "late"]) for _ in range(chance.randint(0, most)))
    return kinds + Counter({"reminder": chance.randint(0, 2), "refused": chance.choice([0, 0, 3])})


ALL = Counter(dict.fromkeys(KINDS, 2))
CASES: Mapping[str, tuple[list[Kinds], Kinds]] = {
    "nothing is open": (
        [Counter(quick=2 * n, late=n % 3, bracketed=n % 2, moved=n % 2) for n in range(1, 5)],
        Counter(),
    ),
    "nothing is overdue": (
        [Counter(quick=2 * n, late=n % 3, bracketed=n % 2, possibly=n % 2) for n in range(1, 5)],
        ALL,
    ),
    "nothing was gone before": (
        [Counter(quick=2 * n, late=n % 3, overdue=n % 2, moved=n % 2) for n in range(1, 5)],
        Counter(),
    ),
    "all was gone before": ([Counter(gone=n) for n in (3, 5, 7)], Counter()),
    "one alone": ([Counter(quick=2, late=1, possibly=1)], ALL),
    "two": ([Counter(quick=2, late=1), Counter(moved=4)], Counter()),
    "all alike": ([Counter(ALL)] * 3, Counter()),
}


@pytest.mark.parametrize("case", CASES)
def test_no_withheld_figure_is_found_in_nasty_tables(case: str) -> None:
    small, nobody = CASES[case]
    small = [kinds if sum(kinds.values()) < 10 else Counter(quick=3, gone=2, late=4) for kinds in small]
    assert found_out(*table_of(small, nobody), small) == []


@pytest.mark.parametrize("seed", range(5))
def test_no_withheld_figure_is_found_in_random_tables(seed: int) -> None:
    chance = random.Random(seed)
    small = [some(chance) for _ in range(chance.randint(1, 4))]
    nobody = chance.choice([Counter(), some(chance, 60), ALL + ALL])
    assert found_out(*table_of(small, nobody), small) == []


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("nothing was gone before", "gone_before_notice"),
        ("nothing is overdue", "overdue"),
        ("nothing is open", "outstanding"),
    ],
)
def test_without_the_rule_the_attack_finds_the_new_figures(
    case: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a failure to find them means something."""
    small, _nobody = CASES[case]
    monkeypatch.setattr(suppression, "_DISCLOSED_WHERE_COMPETING", suppression._DISCLOSED)
    assert f"an outsider knows {found} of small-0" in found_out(*table_of(small, Counter()), small)


def test_nobody_without_figures_is_in_a_group_or_judged_by_another_method() -> None:
    table, _ = table_of([Counter(quick=3)], ALL)
    public: PublicTable = public_table(table)
    assert public.groups == ()
    assert public.earlier is not None
    assert {each.company for each in public.earlier.companies} == {row.company for row in public.rows if row.figures}
    data = json.dumps(sheets.ranking_json(public, public.rows))
    assert '"small-0"' in data  # its name, and that it has fewer than ten
    line = next(line for line in csv.DictReader(io.StringIO(sheets.ranking_csv(public.rows)))
                if line["company"] == "small-0")  # fmt: skip
    assert {name for name, text in line.items() if text} <= {
        "company", "name", "country", "via_proxy", "standing", "episodes",
    }  # fmt: skip
    assert UNATTRIBUTED not in line
