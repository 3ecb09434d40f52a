"""From the two files of a release its table again: figures, network, flows and norms, to the last digit."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.db import connect, transaction
from monitor.demo import ingest_all, prepare
from monitor.disclosure.anonymised import companies_csv, public_episodes, write_csv
from monitor.disclosure.rows import PublicTable, public_table
from monitor.errors import DeliveryError
from monitor.instants import HOUR, parse_instant, parse_period
from monitor.score import engine as engines
from monitor.score.aggregate import NETWORK, aggregate
from monitor.score.estimate import estimate
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import METHODS, method
from monitor.score.pipeline import Request, score_for_release, scored_episodes
from monitor.score.ranking import rank_companies
from monitor.score.recompute import recompute
from monitor.score.supplements import flows, norms
from monitor.score.table import Label, Table, Unattributed, with_field
from monitor.settings import Settings
from monitor.vault import create_keys
from tests.conftest import Database, NewDatabase
from tests.disclosure.test_anonymised import arrow

NOW = parse_instant("2026-11-21T00:00:00Z")


@pytest.fixture(scope="module", params=["quiet", "refuser"])
def quarters(
    request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[PublicTable, pa.Table]]:
    """A simulated quarter: by method what may be shown of its table, and its episodes."""
    tmp_path, url = tmp_path_factory.mktemp("quarter"), new_database()
    create_keys(tmp_path / "keys.json")
    database = Database(url, connect(url))
    settings = Settings(home=tmp_path, database_url=database.url, key_file=tmp_path / "keys.json")
    step = prepare(tmp_path, request.param, 1.0)
    ingest_all(database.engine, settings, step, lambda: NOW, lambda done, total: None)
    period, as_of, found = parse_period(str(step.facts["period"])), parse_instant(step.facts["as_of"]), {}
    with transaction(database.engine) as session:
        for version, record in METHODS.items():
            asked = Request(period, as_of, NOW, record)
            table = public_table(with_field(score_for_release(session, asked), "legal", {}))
            found[version] = table, scored_episodes(session, asked)
    return found


@pytest.fixture(params=METHODS)
def quarter(
    request: pytest.FixtureRequest, quarters: dict[str, tuple[PublicTable, pa.Table]]
) -> tuple[PublicTable, pa.Table]:
    """The quarter under one method."""
    return quarters[request.param]


def test_a_quarter_is_recomputed_from_what_is_published_to_the_last_digit(
    quarter: tuple[PublicTable, pa.Table], tmp_path: Path
) -> None:
    table, scored = quarter
    for form in ("csv", "parquet"):
        found = published_and_recomputed(scored, table, tmp_path, form)
        assert list(found.companies) == [row.figures for row in table.rows if row.figures]
        same_network(found, table)
        assert (found.flows, found.norms, found.groups) == (table.flows, table.norms, table.groups)


def same_network(found: Table, table: PublicTable) -> None:
    network, published = found.network, table.network
    counts = asdict(network) | asdict(network.on_time)
    known = {name: count for name, count in published.counts.items() if count is not None}
    assert {name: counts[name] for name in known} == known
    for name in ("median_hours", "p90_hours", "mean_online_hours_7d", "survival", "curve"):
        assert getattr(network, name) == getattr(published, name)
    timing = network.on_time
    assert (timing.lenient, timing.strict) == (published.lenient, published.strict)
    assert timing.mature == published.mature


def invented_episodes(seed: int) -> list[tuple[Any, ...]]:
    """A quarter of five large companies, six small ones and nobody, with every kind of end, and sites shared."""
    chance = random.Random(seed)
    sizes = [(f"as{64500 + n}", 40 + 9 * n) for n in range(5)] + [(f"tiny-{n}", 3 + n) for n in range(6)]
    rows = [_invented(company, chance) for company, size in [*sizes, (None, 30)] for _ in range(size)]
    before = [_invented("as64500", chance, scored=False) for _ in range(20)]
    return rows + before


def _invented(company: str | None, chance: random.Random, *, scored: bool = True) -> tuple[Any, ...]:
    last = chance.randrange(0, 90 * HOUR)
    gone = last + chance.randrange(0, 12 * HOUR) if chance.random() < 0.7 else None
    moved = last + 1 if gone is None and chance.random() < 0.3 else None
    followed = max(last, gone or 0, moved or 0) + chance.randrange(0, 400 * HOUR)
    stale = gone is None and moved is None and followed - last > 168 * HOUR
    hours = [None if moment is None else moment / HOUR for moment in (last, gone, moved)]
    place = chance.choice(["BE", "NA", None]) if moved else None
    host = chance.choice(["as64501", "as64502", "tiny-4", None]) if moved else None
    reported, again = chance.choice([1, 1, 3]), int(chance.random() < 0.2)
    deadline = chance.choice([24.0, 24.0, 12.0])
    ends = (*hours, place, host, followed / HOUR, deadline, reported, again, stale)
    return (company, chance.randrange(40), scored, *ends)


def scored_table(rows: list[tuple[Any, ...]]) -> Table:
    """The table of these episodes with its flows and norms, by the engine itself."""
    keys = sorted({row[0] for row in rows if row[0]})
    numbers = {None: UNATTRIBUTED} | {key: number for number, key in enumerate(keys, 1)}
    engine, table = engines.connect("duckdb://"), arrow(rows)
    for name, unknown in (("company", UNATTRIBUTED), ("destination_company", None)):
        found = [numbers[key] if key else unknown for key in table[name].to_pylist()]
        table = table.set_column(table.column_names.index(name), name, pa.array(found, pa.int64()))
    every = engines.put(engine, "episodes", table)
    scored = every.filter(every.scored)
    labels = {number: Label(key, key.upper(), "NL") for number, key in enumerate(keys, 1)}
    refused = {number: number for number in labels}
    aggregates = aggregate(engine, scored, every, method(), refused | {NETWORK: sum(refused.values())})
    estimates = estimate(aggregates, labels, method())
    network, nobody = estimates.pop(NETWORK), estimates.pop(UNATTRIBUTED)
    table = Table(
        "2026.1", "", "", "", rank_companies(list(estimates.values()), method()), network,
        Unattributed(nobody.episodes, nobody.notices), flows=flows(engine, scored, labels),
        norms=norms(engine, scored, every, estimates, method()),
    )  # fmt: skip
    return with_field(table, "announced_ipv4", {"as64500": 1024, "as64501": 0, "tiny-1": 256})


@pytest.mark.parametrize("seed", range(2))
def test_the_network_is_recomputed_though_small_companies_are_pooled(seed: int, tmp_path: Path) -> None:
    rows = invented_episodes(seed)
    table = public_table(scored_table(rows))
    assert sum(row.figures is None for row in table.rows) == 6
    assert not table.network.gives_way
    found = published_and_recomputed(arrow(rows), table, tmp_path)
    assert list(found.companies) == [row.figures for row in table.rows if row.figures]
    same_network(found, table)
    assert table.flows
    assert {flow.destination for flow in table.flows} == {"as64501", "as64502", None}
    assert (found.flows, found.norms) == (table.flows, table.norms)
    assert [company.announced_ipv4 for company in found.companies if company.company in ("as64500", "as64501")].count(
        None
    ) == 0


def test_files_of_a_release_without_flows_and_norms_are_still_read(tmp_path: Path) -> None:
    rows = invented_episodes(0)
    table = public_table(scored_table(rows))
    published_and_recomputed(arrow(rows), table, tmp_path)
    episodes, companies = tmp_path / "episodes.csv", tmp_path / "companies.csv"
    for path, name in ((episodes, "destination_company"), (companies, "announced_ipv4")):
        lines = list(csv.DictReader(path.read_text().splitlines()))
        with path.open("w", newline="") as file:
            sheet = csv.DictWriter(file, [column for column in lines[0] if column != name], extrasaction="ignore")
            sheet.writeheader()
            sheet.writerows(lines)
    found = recompute(episodes, companies, method())
    figures = [row.figures for row in table.rows if row.figures]
    assert found.companies == tuple(replace(item, announced_ipv4=None) for item in figures)
    assert (found.flows, found.norms) == (None, None)


def published_and_recomputed(scored: pa.Table, table: PublicTable, folder: Path, form: str = "csv") -> Table:
    """What an outsider gets from the two files."""
    public = public_episodes(scored, table)
    (folder / "companies.csv").write_bytes(companies_csv(table))
    (folder / "episodes.csv").write_bytes(write_csv(public))
    pq.write_table(public, folder / "episodes.parquet", compression="zstd")
    return recompute(folder / f"episodes.{form}", folder / "companies.csv", table.method)


def test_no_time_in_the_file_says_when_an_ended_episode_began(quarter: tuple[PublicTable, pa.Table]) -> None:
    """Only the oldest outstanding of each company keeps its exact age."""
    table, scored = quarter
    rows = public_episodes(scored, table).to_pylist()
    clocks = [name for name in ("followed_h", "wall_h") if name in rows[0]]
    ages = {name: {round(hours * HOUR) for hours in scored[name].to_pylist() if hours is not None} for name in clocks}
    for name in clocks:
        ended = [row for row in rows if row[name] is not None and row["end"] != "outstanding"]
        told = [row for row in ended if round(row[name] * HOUR) in ages[name]]
        assert len(told) < len(rows) / 20  # by chance: a deadline or a check that fell at that age of another


def test_estimate_prints_the_table_of_a_release(tmp_path: Path) -> None:
    table = public_table(scored_table(invented_episodes(0)))
    published_and_recomputed(arrow(invented_episodes(0)), table, tmp_path)
    files = [str(tmp_path / "episodes.csv"), "--companies", str(tmp_path / "companies.csv")]
    answer = CliRunner().invoke(cli, ["estimate", *files, "--json", "--curves"])
    assert answer.exit_code == 0
    shown = [row.figures for row in table.rows if row.figures]
    said = json.loads(answer.stdout)
    expected = [{name: value for name, value in asdict(figures).items() if name != "legal"} for figures in shown]
    assert said["companies"] == json.loads(json.dumps(expected))  # the legal entity is in no file
    assert said["flows"] == [asdict(flow) for flow in table.flows or ()]
    assert said["norms"] == json.loads(json.dumps([asdict(norm) for norm in table.norms or ()]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("as64500,AS64500", "as64511,AS64511"), "are not those of episodes.csv"),
        (("shown,,,,,,,,,1", "shown,,,,,,,,,soon"), "row 1: refused is not a whole number"),
        (("via_proxy", "proxy"), "no column 'via_proxy'"),
        (("shown,,,,,,,,,1,1024", "shown,,,,,,,,,1,1e3"), "row 1: announced_ipv4 is not a whole number"),
    ],
)
def test_a_list_of_companies_that_cannot_be_says_where(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    table = public_table(scored_table(invented_episodes(0)))
    published_and_recomputed(arrow(invented_episodes(0)), table, tmp_path)
    text = (tmp_path / "companies.csv").read_text()
    assert change[0] in text
    (tmp_path / "companies.csv").write_text(text.replace(*change))
    with pytest.raises(DeliveryError, match=message):
        recompute(tmp_path / "episodes.csv", tmp_path / "companies.csv", method())


def test_a_destination_that_the_file_does_not_have_is_refused(tmp_path: Path) -> None:
    rows = invented_episodes(0)
    published_and_recomputed(arrow(rows), public_table(scored_table(rows)), tmp_path)
    text = (tmp_path / "episodes.csv").read_text()
    (tmp_path / "episodes.csv").write_text(text.replace(",as64501,", ",as64511,"))
    with pytest.raises(DeliveryError, match=r"row \d+: destination_company is no company of this file"):
        recompute(tmp_path / "episodes.csv", tmp_path / "companies.csv", method())
