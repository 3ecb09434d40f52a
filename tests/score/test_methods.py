"""Released methods stay what they are: their parameters, and the numbers they give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import HOUR, parse_period
from monitor.release.store import canonical, digest
from monitor.score.methods import CURRENT, METHODS, method
from monitor.score.pipeline import Request, score
from monitor.score.table import Table
from tests.conftest import Database
from tests.score.world import ZERO, world

# Until 2026.1 is first released outside, its two literals here may be brought up to date.
PARAMETERS = {
    "2026.1": "a81933a5daf7873b7d0f1d70b665b0d91c2cb9ea3bb0ae26cdfafdac86119a50",
    "2026.2": "75a58fc100edb3958611547ae02094169766f3f42d266ea4c96e3836e26e66d4",
}
GOLDEN = {
    "2026.1": "4e1a6534fa2a29ceb8e17c25574474e1b23a3b5cf758d181d4374c0fd79cdd94",
    "2026.2": "653fa91ab99ddb1f9bd5ed09b5b764738a97c9f2852708710e4baf15790499bb",
}
PARAMETERS_CHANGED = (
    "the parameters of a method changed. A released method never changes: add a new version to METHODS in "
    "monitor/score/methods.py, give every older one None for a parameter that is new, and add its hash here"
)
NUMBERS_CHANGED = (
    "the same facts give other numbers under a method than they did. Where that is meant: add a new version of the "
    "method that turns it on, say in CHANGELOG.md what may move a rank, and add its digest here. Where not: undo it"
)


def test_no_parameter_of_a_method_changes_without_a_new_version() -> None:
    assert {version: record.parameter_hash() for version, record in METHODS.items()} == PARAMETERS, PARAMETERS_CHANGED


def test_a_method_is_registered_under_its_own_version() -> None:
    assert {version: record.version for version, record in METHODS.items()} == {v: v for v in METHODS}
    assert method() is METHODS[CURRENT]


def test_a_version_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(MonitorError, match=r"no method '1999.1'; there are: 2026.1, 2026.2"):
        method("1999.1")


def test_a_parameter_that_an_earlier_method_does_not_have_is_not_in_its_hash() -> None:
    """A later method may bring a parameter: it is None in the earlier ones."""
    then, now = (set(METHODS[version].parameters()) for version in ("2026.1", "2026.2"))
    assert then - now == {"time_grid"}  # one that a later method no longer has is left out there
    assert now > then - {"time_grid"}
    without = replace(METHODS["2026.1"], survival_hours=None)  # type: ignore[arg-type]
    assert without.parameters().keys() == METHODS["2026.1"].parameters().keys() - {"survival_hours"}


def fixed_facts(database: Database) -> None:
    """Four companies with removals, relocations, reappearances, refusals, reminders, outages and open items."""
    with world(database) as w:
        for place, host in enumerate("abcd"):
            sites = [w.site() for _ in range(6)]
            for number in range(7 if host == "d" else 40):
                item = w.content(host, site=sites[min(number % 8, 5)])
                w.notice(item, number / 8)
                hours = (number * (7 - 2 * place)) % 60 + (30, 1, 1, 1)[place]
                w.seen(item, number / 8 + hours / 2, "online")
                if number % 9:
                    w.seen(item, number / 8 + hours, "offline" if number % 7 else "moved", country="BE")
                if number % 11 == 5:
                    w.seen(item, number / 8 + hours + 20, "online")
                if number % 13 == 6:
                    w.notice(item, number / 8 + 30)
            w.notice(w.content(host), 3, delivery="refused")
        w.notice(w.content(None), 4)
        w.suspended(10, 14.5)
        w.suspended(20, None, content=item)


@pytest.mark.parametrize("version", METHODS)
def test_the_same_facts_give_the_same_numbers(database: Database, version: str) -> None:
    fixed_facts(database)
    asked = Request(parse_period("2026-03-31..2026-04-30"), ZERO + 200 * HOUR, ZERO, method(version))
    with transaction(database.engine) as session:
        table = score(session, asked)
    network = table.network
    assert [c.company for c in table.companies] == ["a", "c", "b", "d"]
    ends = (network.relocated, network.reappeared, network.refused, network.outstanding, network.unverified)
    assert min(*ends, network.renotices, network.on_time.undetermined) > 0
    assert digest(canonical(numbers(table))) == GOLDEN[version], NUMBERS_CHANGED


def numbers(table: Table) -> dict[str, Any]:
    """The table without what only a release fills in, as in its frozen rows."""
    data = table.as_json()
    for estimate in (data["network"], data["rest"], *data["companies"]):
        assert estimate.pop("announced_ipv4") is None
    return data
