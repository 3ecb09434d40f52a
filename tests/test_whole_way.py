"""The whole way: simulated hotlines whose truth is known, and the real feed."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from monitor.attribute.netblocks import TableFile, load_netblocks
from monitor.db import transaction
from monitor.demo import Step, ingest_all, prepare
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.instants import HOUR, parse_instant, parse_period, to_datetime
from monitor.release.draft import draft
from monitor.release.store import load_table
from monitor.score.methods import method
from monitor.score.pipeline import Request, score
from monitor.score.table import Table
from monitor.settings import BUILT_IN_SOURCES, Settings
from monitor.vault import Vault
from tests.conftest import Database

NOW = parse_instant("2026-11-21T00:00:00Z")


def released(database: Database, vault: Vault, tmp_path: Path, name: str, scale: float) -> tuple[Table, Step]:
    """The table of a scenario, after every delivery was ingested and the table frozen and read back."""
    settings = Settings(home=tmp_path, database_url=database.url, key_file=tmp_path / "keys.json")
    step = prepare(tmp_path, name, scale)
    ingest_all(database.engine, settings, step, lambda: NOW, lambda done, total: None)
    period, as_of = str(step.facts["period"]), parse_instant(step.facts["as_of"])
    with transaction(database.engine) as session:
        table = score(session, Request(parse_period(period), as_of, NOW, method()))
        return load_table(session, draft(session, table, method(), to_datetime(NOW), "test")), step


def truth(step: Step) -> dict[str, tuple[int, int]]:
    """Per company how many items whose notice arrived were removed within 24 h, and how many there were."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    with (step.folder / "truth.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["delivery"] != "failed":
                gone = row["removed_at"] and not row["relocated"]
                fast = gone and parse_instant(row["removed_at"]) - parse_instant(row["sent_at"]) <= 24 * HOUR
                counts[row["company_key"]][0] += bool(fast)
                counts[row["company_key"]][1] += 1
    return {key: (fast, total) for key, (fast, total) in counts.items()}


def test_2022_39_companies_16_good_16_bad_40_percent_overall(database: Database, vault: Vault, tmp_path: Path) -> None:
    table, step = released(database, vault, tmp_path, "tudelft-2022", 1.0)
    shares = [company.on_time.lenient.p or 0.0 for company in table.companies]
    assert len(shares) == 39
    assert sum(share >= 0.9 for share in shares) == 16
    assert sum(0.15 <= share <= 0.25 for share in shares) == 16
    assert table.network.episodes == 3000
    assert table.network.on_time.lenient.p == pytest.approx(0.40, abs=0.005)
    assert [c.rank for c in table.companies] == list(range(1, 40))
    scores = [company.score for company in table.companies]
    assert scores == sorted(scores, key=float)  # type: ignore[arg-type]
    for company in table.companies:
        fast, total = truth(step)[company.company]
        assert company.episodes == total
        assert company.on_time.on_time <= fast <= company.on_time.mature - company.on_time.late


def test_2020_one_company_with_93_percent_of_the_notices(database: Database, vault: Vault, tmp_path: Path) -> None:
    table, step = released(database, vault, tmp_path, "tudelft-2020", 0.02)
    largest = max(table.companies, key=lambda company: company.episodes)
    assert largest.episodes / table.network.episodes == pytest.approx(0.93, abs=0.01)
    fast, total = truth(step)[largest.company]
    assert fast / total == pytest.approx(0.84, abs=0.005)
    assert largest.on_time.strict.p is not None
    assert largest.on_time.lenient.p is not None
    assert largest.on_time.strict.p - 0.005 <= 0.84 <= largest.on_time.lenient.p + 0.005


def test_quiet_few_notices_are_listed_not_ranked(database: Database, vault: Vault, tmp_path: Path) -> None:
    table, _ = released(database, vault, tmp_path, "quiet", 1.0)
    assert Counter(company.rank is not None for company in table.companies) == {True: 3, False: 9}
    assert {company.standing for company in table.companies if company.rank is None} == {"too_few"}


def test_refuser_a_notice_that_was_not_accepted_starts_no_clock_and_is_counted(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    table, step = released(database, vault, tmp_path, "refuser", 1.0)
    expected = step.facts["expected"]["companies"]
    for company in table.companies:
        assert company.episodes == expected[company.company]["episodes"]
    refusers = [company for company in table.companies if company.refused and not company.episodes]
    assert len(refusers) == 2


@pytest.mark.shared
def test_the_real_feed(database: Database, vault: Vault, tmp_path: Path, shared_data: Path) -> None:
    now = to_datetime(NOW)
    source = replace(BUILT_IN_SOURCES["urlhaus"], recheck_gap_hours=6)
    with transaction(database.engine) as session:
        blocks = load_netblocks(
            session, TableFile(shared_data / "netblocks-ipv4-2026-06.csv.gz", date(2026, 6, 1)), now
        )
    assert (blocks.ranges, blocks.networks) == (411_961, 84_159)
    answers = []
    for name, received in (("1207", "2026-04-10T12:07:25Z"), ("1631", "2026-04-10T16:31:23Z")):
        path = shared_data / f"urlhaus-2026-04-10T{name}Z.csv.gz"
        with transaction(database.engine) as session:
            answers.append(ingest(session, vault, DeliveryFile(source, "urlhaus", path, parse_instant(received)), NOW))
    assert [a.verdict for a in answers] == ["ok", "ok"]
    assert [(a.rows, a.contents_new, sum(a.quarantined.values())) for a in answers] == [
        (21_578, 21_577, 1),  # an address that begins with tftp: is none of the web
        (21_671, 93, 1),
    ]
    with transaction(database.engine) as session:
        as_of = int(datetime(2026, 4, 10, 16, 31, 23, tzinfo=UTC).timestamp())
        table = score(session, Request(parse_period("2026-03-11..2026-04-11"), as_of, NOW, method()))
    assert (table.network.episodes, table.network.outstanding, table.network.overdue) == (21_670, 1_954, 1_670)
    assert table.unattributed.episodes == 8_653
    assert sum(company.episodes for company in table.companies) + 8_653 == 21_670
    ranked = [company for company in table.companies if company.rank]
    assert len(ranked) == 21
    assert [company.company for company in ranked[:3]] == ["as214351", "as17816", "as28890"]
