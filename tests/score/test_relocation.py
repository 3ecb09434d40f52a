"""Incidence of relocation against printed values of R's `survfit` of several states (tests/score/relocation.R)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.score.methods import method
from monitor.score.pipeline import estimate_file
from monitor.score.table import Relocation, Table

REFERENCE: dict[str, dict[str, list[Any]]] = json.loads((Path(__file__).parent / "relocation.json").read_text())
COLUMNS = ("company", "site", "last_online_h", "first_offline_h", "followed_h", "relocated_h", "destination")


def rows(name: str) -> list[tuple[Any, ...]]:
    """Removed: known to the second; censored: last seen online then."""
    found = []
    for t, end, site in zip(*(REFERENCE[name][key] for key in ("t", "end", "site")), strict=True):
        moved = end in ("DE", "FR")
        last = 0.0 if moved else t
        found.append((name, site, last, t if end == "removed" else "", 2000, t if moved else "", end if moved else ""))
    return found


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    path = tmp_path_factory.mktemp("r") / "episodes.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *[row for name in REFERENCE for row in rows(name)]])
    return estimate_file(path, method())


@pytest.fixture(params=REFERENCE)
def found(table: Table, request: pytest.FixtureRequest) -> tuple[dict[str | None, Relocation], dict[str, list[Any]]]:
    company = next(company for company in table.companies if company.company == request.param)
    return {item.country: item for item in company.relocation}, REFERENCE[request.param]


def test_the_incidence_its_clustered_error_and_limits_are_those_of_survfit(
    found: tuple[dict[str | None, Relocation], dict[str, list[Any]]],
) -> None:
    by_country, expected = found
    values = by_country[None].incidence
    assert [value.hours for value in values] == [168, 720]
    for name in ("p", "se", "low", "high"):
        assert [getattr(value, name) for value in values] == pytest.approx(expected[name], abs=1e-9)


def test_by_country_it_is_that_of_each_state(
    found: tuple[dict[str | None, Relocation], dict[str, list[Any]]],
) -> None:
    by_country, expected = found
    assert set(by_country) == {None, "DE", "FR"}
    for country in ("DE", "FR"):
        assert [value.p for value in by_country[country].incidence] == pytest.approx(expected[country], abs=1e-9)
        assert by_country[country].episodes == expected["end"].count(country)


def test_the_countries_add_up(table: Table) -> None:
    for whole, *parts in (company.relocation for company in (*table.companies, table.network)):
        assert sum(part.episodes for part in parts) == whole.episodes
        for at, value in enumerate(whole.incidence):
            assert sum(part.incidence[at].p or 0 for part in parts) == pytest.approx(value.p, abs=1e-9)


def test_where_nothing_moved_there_is_nothing_to_say(tmp_path: Path) -> None:
    path = tmp_path / "episodes.csv"
    path.write_text("company,site,last_online_h,first_offline_h,followed_h\na,1,1,2,100\n")
    assert estimate_file(path, method()).companies[0].relocation == ()
