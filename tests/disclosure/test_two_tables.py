"""The attack of test_suppression on a release with two tables: neither gives back what the other withholds.

An item that was noticed and hit has an episode in both. Its times differ by what lies between the notice and the hit,
but the time from its last sighting online to its first offline is the same, and to the second it is its alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pyarrow as pa
import pytest

from monitor.disclosure import rows as public_rows
from monitor.disclosure.anonymised import companies_csv, public_episodes, write_csv
from monitor.disclosure.rows import PublicTable, public_table
from monitor.disclosure.suppression import Withheld, withheld
from monitor.score.methods import HASH_HITS, Method
from monitor.score.table import Table
from monitor.tables import sheets
from tests.disclosure.test_suppression import (
    WIDE,
    ZERO,
    found_out,
    full,
    rows_of,
    small,
    table_of,
    with_counts,
)
from tests.support.disclosure_attack import Attack, Counts, attack_on, learn_links

SHORTEST, MOST_ITEMS = 15_000, 1_300  # seconds: from 20 h to past the deadline of 24; more than any company here has
BIG = small(random.Random(50)) | {"episodes": 40, "on_time": 20, "undetermined": 6, "late": 14, "notices": 44}
THREE = [
    ZERO | {"episodes": a + b + c, "notices": a + b + c, "on_time": a, "undetermined": b, "late": c, "outstanding": c}
    for a, b, c in ((0, 2, 1), (1, 0, 3), (2, 1, 5))  # no two alike in anything: their sums may be told
]


def two_tables(notices: dict[str, Counts], hits: dict[str, Counts], nobody: tuple[Counts, Counts]) -> Table:
    """Six ranked companies in each, beside these; nobody has one count of each."""
    of_notices, of_hits = (
        table_of([with_counts(key, counts) for key, counts in given.items()], left)
        for given, left in zip((notices, hits), nobody, strict=True)
    )
    return replace(of_notices, hash_hits=replace(of_hits, kinds=HASH_HITS))


def rows_with_checks(table: Table, nobody: Counts, owners: list[str | None]) -> pa.Table:
    """`rows_of`, where the n-th item of a company (or of nobody) has a time between checks that is its alone."""
    numbered = {owner: count(SHORTEST + MOST_ITEMS * place) for place, owner in enumerate(owners)}
    found = rows_of(table, nobody).to_pylist()
    return pa.Table.from_pylist(
        [row | {"first_offline_h": row["last_online_h"] + next(numbered[row["company"]]) / 3600} for row in found]
    )


def attacks(table: Table, nobody: tuple[Counts, Counts]) -> Iterator[tuple[Attack, Table]]:
    """The attack on each table, by one who has read the other as well."""
    public, hits = public_table(table), table.hash_hits
    assert hits is not None
    assert public.hash_hits is not None
    owners = sorted({row.company for row in (*table.companies, *hits.companies)})
    given = ((public, table, nobody[0]), (public.hash_hits, hits, nobody[1]))
    files = [write_csv(public_episodes(rows_with_checks(t, left, [*owners, None]), shown)) for shown, t, left in given]
    for place, (shown, scored, _) in enumerate(given):
        attack = attack_on(shown, files[place], companies_csv(shown))
        learn_links(attack, files[place], files[1 - place], others_are_unattributed=_names_all(given[1 - place][0]))
        yield attack, scored


def _names_all(table: PublicTable) -> bool:
    """Whether the rows without a name are nobody's alone."""
    return table.network.gives_way or all(row.figures for row in table.rows)


def found_in(table: Table, nobody: tuple[Counts, Counts]) -> list[str]:
    return [line for attack, scored in attacks(table, nobody) for line in found_out(attack, scored)]


def each_alone(notices: Table, hits: Table, rules: Method) -> tuple[Withheld, Withheld]:
    """The rule of a release with one table, for each."""
    return withheld(notices, rules), withheld(hits, rules)


SMALL = {f"small-{place}": counts for place, counts in enumerate(THREE)}
CASES: dict[str, tuple[dict[str, Counts], dict[str, Counts], tuple[Counts, Counts]]] = {
    "small among the notices, named among the hits": (SMALL, dict.fromkeys(SMALL, BIG), (ZERO, ZERO)),
    "named among the notices, small among the hits": (dict.fromkeys(SMALL, BIG), SMALL, (ZERO, ZERO)),
    "what hides one company is told among the hits": ({"small-0": THREE[0]}, {}, (WIDE, WIDE)),
    "what hides one company is told among the notices": ({}, {"small-0": THREE[0]}, (WIDE, WIDE)),
    "small in both": (SMALL, SMALL, (WIDE, small(random.Random(7)))),
    "small in both, all of them late": (dict.fromkeys(SMALL, full()), SMALL, (ZERO, WIDE)),
    "small and in one table only": (SMALL, {"other-0": THREE[0], "other-1": THREE[1]}, (ZERO, ZERO)),
}
BETRAYED = tuple(CASES)[:4]


@pytest.mark.parametrize("case", CASES)
def test_no_withheld_figure_is_found_from_both_tables_together(case: str) -> None:
    notices, hits, nobody = CASES[case]
    assert found_in(two_tables(notices, hits, nobody), nobody) == []


@pytest.mark.parametrize("case", BETRAYED)
def test_by_the_rule_of_one_table_the_same_attack_finds_figures(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notices, hits, nobody = CASES[case]
    monkeypatch.setattr(public_rows, "withheld_in_both", each_alone)
    assert found_in(two_tables(notices, hits, nobody), nobody) != []


def test_the_notices_keep_their_totals_where_no_company_in_their_pool_is_named_among_the_hits() -> None:
    """Three small companies that differ, small among the hits too: the sums of the notices are all told."""
    alone = public_table(replace(table := two_tables(SMALL, SMALL, (ZERO, ZERO)), hash_hits=None))
    both = public_table(table)
    assert replace(both, hash_hits=None) == alone
    assert not alone.network.gives_way
    assert both.hash_hits is not None
    assert both.hash_hits.network.gives_way


def test_what_is_withheld_among_the_hits_has_no_cell_in_their_sheet() -> None:
    hits = public_table(two_tables({}, SMALL, (ZERO, ZERO))).hash_hits
    assert hits is not None
    assert hits.method.scored_kinds == HASH_HITS
    rows = {row["company"]: row for row in sheets.ranking_json(hits, hits.rows)["companies"]}
    shown = {key: [name for name, value in rows[key].items() if value is not None] for key in SMALL}
    assert shown == {key: ["company", "name", "country", "via_proxy", "standing", "episodes"] for key in SMALL}
