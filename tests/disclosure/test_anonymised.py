"""The anonymised episodes of a release: literal rows in, a literal file out."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.disclosure.anonymised import companies_csv, public_episodes, write_csv
from monitor.disclosure.rows import public_table
from monitor.score.company_file import escape_formula, unescape_formula
from tests.support.published import Invented, invent

INPUT = (
    "company", "site", "scored", "last_online_h", "first_offline_h", "relocated_h", "destination",
    "destination_company", "followed_h", "deadline_h", "notices", "reappeared", "unverified",
)  # fmt: skip
BIG = tuple(Invented(f"as{64500 + n}", name, 30, 2, 8, 9, 5) for n, name in enumerate(("Voorbeeld", "=Tweede", "C")))
TINY = (
    Invented("tiny-1", "Tiny 1", 2, 1, 1, 1, 5),
    Invented("tiny-2", "Tiny 2", 3, 2, 0, 2, 5, refused=1),
    Invented("tiny-3", "Tiny 3", 1, 3, 4, 3, 5, refused=2),
)
A, B, TINY_1 = "as64500", "as64501", "tiny-1"
ROWS: list[tuple[Any, ...]] = [
    (A, 7001, True, 5.5, 11.0, None, None, None, 2000.25, 24.0, 2, 0, False),  # removed: of the time followed only that
    (A, 7001, True, 10.0, 20.0, None, None, None, 23.5, 24.0, 1, 1, False),  # a deadline of 24 or of 48 h passed or not
    (A, 7002, True, 2.0, None, 9.0, "BE", B, 800.0, 12.0, 1, 0, False),  # relocated to a company with figures
    (A, 7002, True, 2.0, None, 9.5, "NL", TINY_1, 40.0, 12.0, 1, 0, False),  # to one without: the country alone
    (A, 7002, True, 90.0, None, None, None, None, 100.0, 24.0, 1, 0, False),  # outstanding: its group of ages
    (A, 7003, False, 10.0, None, None, None, None, 1000.5, 24.0, 3, 0, False),  # the oldest, begun earlier: its age
    (A, 7003, False, 10.0, 12.0, None, None, None, 900.0, 24.0, 1, 0, False),  # begun earlier and gone: in no figure
    (B, 7001, True, 1.0, None, None, None, None, 400.0, 24.0, 1, 0, True),  # the same site at another company
    (TINY_1, 7004, True, 3.0, None, 4.0, "FR", A, 500.0, 1.0, 2, 1, False),  # withheld: neither name nor how it ended
    (TINY_1, 7004, False, 3.0, None, None, None, None, 5000.0, 24.0, 1, 0, False),
    (None, 7005, True, 3.0, 4.0, None, None, None, 500.0, 24.0, 1, 0, False),  # unattributed
]
EXPECTED = """\
company,site,scored,last_online_h,first_offline_h,relocated_h,destination,destination_company,followed_h,deadline_h,\
notices,reappeared,end
(pooled),1,true,3.0,,,,,3.0,1.0,,,not_removed
(pooled),3,true,3.0,4.0,,,,24.0,24.0,,,removed
as64500,,false,10.0,,,,,1000.5,24.0,3,0,outstanding
as64500,2,true,2.0,,9.0,BE,as64501,48.0,12.0,1,0,relocated
as64500,2,true,2.0,,9.5,NL,,24.0,12.0,1,0,relocated
as64500,2,true,90.0,,,,,90.0,24.0,1,0,outstanding
as64500,4,true,5.5,11.0,,,,48.0,24.0,2,0,removed
as64500,4,true,10.0,20.0,,,,20.0,24.0,1,1,removed
as64501,4,true,1.0,,,,,48.0,24.0,1,0,unverified
"""


def arrow(rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(INPUT, row, strict=True)) for row in rows])


def written(rows: list[tuple[Any, ...]], companies: tuple[Invented, ...] = BIG + TINY) -> str:
    return write_csv(public_episodes(arrow(rows), public_table(invent(companies=companies)))).decode()


def test_literal_episodes_become_a_literal_file() -> None:
    assert written(ROWS).replace("\r\n", "\n") == EXPECTED


def test_neither_order_nor_internal_numbers_change_a_byte() -> None:
    shuffled = [(company, 90_000 - site, *rest) for company, site, *rest in ROWS]
    random.Random(1).shuffle(shuffled)
    assert written(shuffled) == written(ROWS)


HOURS = st.sampled_from([0.0, 0.5, 12.0, 24.0, 30.25])
MAYBE, COUNTS = st.none() | HOURS, st.integers(0, 3)
ANY = st.tuples(
    st.sampled_from([A, B, TINY_1, None]), st.integers(1, 4), st.booleans(), HOURS, MAYBE, MAYBE,
    st.sampled_from(["BE", "NL", None]), st.sampled_from([A, TINY_1, None]), HOURS, HOURS, COUNTS, COUNTS,
    st.booleans(),
)  # fmt: skip
PLAIN = (*INPUT[:1], *INPUT[2:8], *INPUT[9:12], "end")


def told(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """What the file may say of an episode, but for its site and the time it was followed; None for nothing at all."""
    company, _, scored, online, offline, moved, country, to, _, deadline, notices, reappeared, unverified = row
    if company not in (A, B):
        end = "not_removed" if offline is None else "removed"
        return ("(pooled)", True, online, offline, *[None] * 3, deadline, None, None, end) if scored else None
    still = "relocated" if moved is not None else "unverified" if unverified else "outstanding"
    end = still if offline is None else "removed"
    to = to if to in (A, B) else None
    line = (company, scored, online, offline, moved, country, to, deadline, notices, reappeared, end)
    return line if scored or end in ("outstanding", "unverified") else None


@given(st.lists(ANY, min_size=1, max_size=12))
def test_each_episode_says_what_it_may_and_the_file_is_in_the_order_of_its_lines(rows: list[tuple[Any, ...]]) -> None:
    """Row by row and in plain Python what is worked out by column; nothing comes before something."""
    public = public_episodes(arrow(rows), public_table(invent(companies=BIG + TINY))).to_pylist()
    lines = [tuple(row.values()) for row in public]
    assert lines == sorted(lines, key=lambda line: [(value is not None, value) for value in line])
    expected = Counter(line for line in map(told, rows) if line)
    assert Counter(tuple(row[name] for name in PLAIN) for row in public) == expected
    assert all((row["site"] is not None) == row["scored"] for row in public)


def test_where_the_network_gives_way_withheld_companies_are_left_out() -> None:
    table = public_table(invent(companies=BIG + TINY[:1], stray=Invented("", "", 1, 1, 0, 1, 5)))
    assert table.network.gives_way
    pooled = [row for row in public_episodes(arrow(ROWS), table).to_pylist() if row["company"] == "(pooled)"]
    assert [(row["last_online_h"], row["first_offline_h"]) for row in pooled] == [(3.0, 4.0)]


COMPANIES_FILE = """\
company,name,country,via_proxy,figures,notices,episodes,renotices,outstanding,overdue,unverified,relocated,reappeared,\
refused,announced_ipv4
as64500,Voorbeeld,NL,false,shown,,,,,,,,,0,20480
as64501,'=Tweede,NL,false,shown,,,,,,,,,0,24576
as64502,C,NL,false,shown,,,,,,,,,0,28672
tiny-1,Tiny 1,NL,false,withheld,,,,,,,,,,
tiny-2,Tiny 2,NL,false,withheld,,,,,,,,,,
tiny-3,Tiny 3,NL,false,withheld,,,,,,,,,,
(pooled),,,,pooled,,29,3,2,2,,,,3,
(unattributed),,,,unattributed,,12,,,,,,,,
"""


def test_the_companies_and_what_is_pooled() -> None:
    """Re-notices (0, 0, 2) are told with the unattributed ones (1), refused notices (0, 1, 2) by themselves."""
    text = companies_csv(public_table(invent(companies=BIG + TINY))).decode()
    assert text.replace("\r\n", "\n") == COMPANIES_FILE


@pytest.mark.parametrize("text", ["=1", "'=1", "''-x", "plain", "'s-Hertogenbosch", "", "@", "NA"])
def test_a_guarded_name_is_read_back_as_it_was(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text
    assert not escape_formula(text).startswith(("=", "+", "-", "@"))
