"""Volume beside the figures, and what the JSON and CSV hold of flows, norms and quality."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, replace

import pytest

from monitor.disclosure.rows import public_table, sort_rows
from monitor.figures import volume
from monitor.tables import sheets
from monitor.tables.open_data import sheets_of
from monitor.tables.sentences import figure_lines
from monitor.wording.language import EN, NL, Language
from tests.support.published import COMPANIES, announced_by, estimate, invent

ONE = replace(estimate(COMPANIES[0], 1, "below"), episodes=12)


@pytest.mark.parametrize(
    ("episodes", "announced", "expected"),
    [(12, 3072, 39.0625), (1, 30_000, 0.3333333333), (0, 256, 0.0), (12, 0, None), (12, None, None)],
)
def test_episodes_per_ten_thousand_addresses(episodes: int, announced: int | None, expected: float | None) -> None:
    """Without an address it is not known: neither 0 nor without end."""
    assert volume(replace(ONE, episodes=episodes, announced_ipv4=announced)) == expected


@pytest.mark.parametrize(
    ("value", "language", "text"),
    [
        (39.0625, NL, "39,1"),
        (1.0, EN, "1.0"),
        (0.3333, EN, "0.33"),
        (0.0056, NL, "0,0056"),
        (0.0, EN, "0.0"),
        (12_345.0, EN, "12,345.0"),
        (None, NL, "–"),
    ],
)
def test_a_small_number_does_not_read_as_nothing(value: float | None, language: Language, text: str) -> None:
    assert language.ratio(value) == text


def test_a_company_has_a_line_of_it() -> None:
    line = next(line for line in figure_lines(replace(ONE, announced_ipv4=3072), EN) if line.key == "volume")
    assert (line.name, line.value, line.interval) == ("Episodes per 10,000 addresses", "39.1", "–")
    unknown = next(line for line in figure_lines(replace(ONE, announced_ipv4=None), NL) if line.key == "volume")
    assert unknown.value == "–"


def test_the_largest_volume_comes_first_and_what_is_not_known_last() -> None:
    companies = tuple(item for item in COMPANIES if item.episodes >= 30)
    rows = sort_rows(public_table(invent(companies=companies)).rows, "volume", "desc")
    expected = sorted(companies, key=lambda item: -item.episodes / (announced_by(item.key) or 0))
    assert [row.company for row in rows] == [item.key for item in expected]


def test_the_sheet_has_addresses_and_volume_of_companies_with_figures_alone() -> None:
    table = public_table(invent())
    lines = {line["company"]: line for line in csv.DictReader(io.StringIO(sheets.ranking_csv(table.rows)))}
    assert (lines["as64496"]["announced_ipv4"], lines["as64496"]["volume"]) == ("4096", "627.4414063")  # 257 episodes
    assert (lines["as64511"]["announced_ipv4"], lines["as64511"]["volume"]) == ("", "")


def test_the_json_has_flows_norms_and_quality_where_the_release_has_them() -> None:
    table = public_table(invent())
    data = sheets.ranking_json(table, table.rows)
    assert data["flows"] == [asdict(flow) for flow in table.flows or ()]
    assert [norm["deadline_hours"] for norm in data["norms"]] == [1.0, 12.0, 24.0, 48.0]
    assert [source["source"] for source in data["quality"]["sources"]] == [
        "hashdienst", "mailbox", "meldpunt", "oud-meldpunt",
    ]  # fmt: skip
    before = replace(table, flows=None, norms=None, quality=None)
    assert not {"flows", "norms", "quality"} & {*sheets.ranking_json(before, table.rows)}


def test_a_release_in_which_every_company_is_withheld_has_its_files() -> None:
    """Small ones alone: no figure to name a column after, and no curve of what is left."""
    table = public_table(invent(companies=tuple(item for item in COMPANIES if item.episodes >= 30)))
    small = [replace(row, figures=None, below=10, standing="too_few", ranked=False) for row in table.rows[:2]]
    emptied = replace(table, rows=tuple(small), network=replace(table.network, curve=()), norms=None, flows=None)
    files = {sheet.name: sheet for sheet in sheets_of(emptied)}
    assert files["curve.csv"].content == b"hours,npmle,lenient,lenient_se,strict,strict_se\r\n"
    head, first, _ = files["ranking.csv"].content.decode().splitlines()
    assert head == "company,name,country,via_proxy,standing,episodes"
    assert first.endswith(",too_few,<10")
    assert all(sheet.columns for sheet in files.values())  # each is described
