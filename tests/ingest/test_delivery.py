"""Ingestion: what is stored, what is not stored twice, and that a delivery is whole or nothing."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from monitor.db import transaction
from monitor.errors import DeliveryError, MonitorError
from monitor.ingest.delivery import DeliveryFile, load
from monitor.ingest.result import IngestResult
from monitor.instants import parse_instant
from monitor.models.facts import Content, Delivery, Notice, Quarantined, Sighting, Site
from monitor.vault import Vault, create_keys
from tests.conftest import Database
from tests.samples import Closed, Ntd, delivery_file, feed, on_disk

NOW = parse_instant("2026-04-11T00:00:00Z")
URL = "https://img.s0001.example/a.jpg"


def ingested(database: Database, vault: Vault, what: DeliveryFile) -> IngestResult:
    with transaction(database.engine) as session:
        return load(session, vault, what, NOW)


def counts(database: Database) -> dict[str, int | None]:
    with transaction(database.engine) as session:
        models = (Delivery, Content, Site, Notice, Sighting, Quarantined)
        return {m.__tablename__: session.scalar(select(func.count()).select_from(m)) for m in models}


def test_an_answer_counts_every_row(database: Database, vault: Vault, tmp_path: Path) -> None:
    what = delivery_file(
        tmp_path,
        "2026-04-10T18:00:00Z",
        Ntd(URL, "2026-04-10 12:00:00", last="2026-04-10 11:00:00"),
        Ntd(URL, "2026-04-10 12:00:00", last="2026-04-10 11:00:00"),
        Ntd("https://cdn.s0001.example/b.jpg", "2026-04-10 12:00:00"),
        Ntd("nonsense", "2026-04-10 12:00:00"),
        Ntd("https://s0002.example/", "2026-04-10 12:00:00", status="lost"),
    )
    answer = ingested(database, vault, what)
    assert (answer.rows, answer.accepted, answer.duplicate) == (5, 2, 1)
    assert answer.quarantined == {"unknown_status": 1, "url_without_host": 1}
    assert (answer.contents_new, answer.notices_new, answer.sightings_new) == (2, 2, 1)
    expected = {"deliveries": 1, "contents": 2, "sites": 1, "notices": 2, "sightings": 1, "quarantined": 2}
    assert counts(database) == expected


def test_the_same_file_twice_changes_nothing_and_says_so(database: Database, vault: Vault, tmp_path: Path) -> None:
    what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", Ntd(URL, "2026-04-10 12:00:00"))
    first = ingested(database, vault, what)
    before = counts(database)
    again = ingested(database, vault, what)
    assert counts(database) == before
    assert (again.repeated, again.delivery, again.rows, again.accepted, again.duplicate) == (
        True, first.delivery, 1, 0, 1,
    )  # fmt: skip
    assert "already_taken_in" in again.warnings[0]


def test_the_same_facts_in_another_file_are_duplicates(database: Database, vault: Vault, tmp_path: Path) -> None:
    row = Ntd(URL, "2026-04-10 12:00:00", last="2026-04-10 11:00:00")
    ingested(database, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", row))
    second = ingested(
        database, vault, delivery_file(tmp_path, "2026-04-10T19:00:00Z", row, replace(row, url=URL + "?2"))
    )
    assert (second.accepted, second.duplicate, second.contents_new) == (1, 1, 1)


def test_a_url_is_one_item_however_its_host_is_written(database: Database, vault: Vault, tmp_path: Path) -> None:
    rows = [Ntd(url, "2026-04-10 12:00:00") for url in ("https://S1.example:443/A", "HTTPS://s1.example/A")]
    answer = ingested(database, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows))
    assert (answer.contents_new, answer.duplicate) == (1, 1)


def test_nothing_but_digests_and_sealed_text_is_stored(database: Database, vault: Vault, tmp_path: Path) -> None:
    canary = "https://canary.s0001.example/very-secret-path.jpg"
    ingested(
        database,
        vault,
        delivery_file(tmp_path, "2026-04-10T18:00:00Z", Ntd(canary, "2026-04-10 12:00:00", ip="192.0.2.7")),
    )
    with transaction(database.engine) as session:
        content, notice = session.scalars(select(Content)).one(), session.scalars(select(Notice)).one()
        stored = b"".join((content.url_sealed, content.url_digest, notice.address_sealed or b""))
        assert vault.open_text(content.url_sealed, content.key_version) == canary
        assert vault.open_text(notice.address_sealed or b"", notice.key_version) == "192.0.2.7"
    assert b"canary" not in stored
    assert b"192.0.2" not in stored


def test_a_quarantined_row_is_kept_sealed_and_whole(database: Database, vault: Vault, tmp_path: Path) -> None:
    row = Ntd(URL, "2026-04-10 12:00:00", status="lost")
    ingested(database, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", row))
    with transaction(database.engine) as session:
        kept = session.scalars(select(Quarantined)).one()
        assert (kept.line, kept.reason, kept.column) == (2, "unknown_status", "NTD status")
        assert vault.open(kept.row_sealed, kept.key_version) == row.line().encode()


def test_the_address_of_a_feed_is_the_host_where_that_is_one(database: Database, vault: Vault, tmp_path: Path) -> None:
    rows = [
        ("2026-04-09 06:00:00", "http://192.0.2.7:8080/x", "online", "2026-04-10 03:00:00"),
        ("2026-04-09 06:00:00", "http://[2001:db8::7]/x", "online", "2026-04-10 03:00:00"),
        ("2026-04-09 06:00:00", "http://s1.example/x", "online", "2026-04-10 03:00:00"),
    ]
    ingested(database, vault, feed(tmp_path, "2026-04-10T12:00:00Z", *rows))
    with transaction(database.engine) as session:
        notices = session.scalars(select(Notice).order_by(Notice.id)).all()
        found = [n.address_sealed and vault.open_text(n.address_sealed, n.key_version) for n in notices]
    assert found == ["192.0.2.7", "2001:db8::7", None]


def test_a_cut_url_carries_the_digest_of_the_whole_one_s_beginning(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    whole = "https://img.s0001.example/".ljust(300, "x")
    ingested(database, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", Ntd(whole[:255], "2026-04-10 12:00:00")))
    ingested(database, vault, delivery_file(tmp_path, "2026-04-10T19:00:00Z", Closed(whole)))
    with transaction(database.engine) as session:
        cut, full = session.scalars(select(Content).order_by(Content.id)).all()
        assert (cut.truncated, full.truncated) == (True, False)
        assert cut.stem_digest == full.stem_digest == cut.url_digest


def test_a_delivery_that_breaks_off_leaves_nothing(database: Database, vault: Vault, tmp_path: Path) -> None:
    what = delivery_file(
        tmp_path, "2026-04-10T18:00:00Z", *[Ntd(f"{URL}?{n}", "2026-04-10 12:00:00") for n in range(9000)]
    )
    content = on_disk(what).read_bytes()
    on_disk(what).write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(DeliveryError, match="cut off"):
        ingested(database, vault, what)
    assert set(counts(database).values()) == {0}


def test_progress_is_told_while_it_goes(database: Database, vault: Vault, tmp_path: Path) -> None:
    what = delivery_file(
        tmp_path, "2026-04-10T18:00:00Z", *[Ntd(f"{URL}?{n}", "2026-04-10 12:00:00") for n in range(16500)]
    )
    told: list[int] = []
    with transaction(database.engine) as session:
        load(session, vault, what, NOW, told.append)
    assert told == [8000, 16000, 16500]


def test_a_header_and_nothing_else_is_an_empty_delivery(database: Database, vault: Vault, tmp_path: Path) -> None:
    what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", Ntd(URL, ""))
    on_disk(what).write_text(on_disk(what).read_text().splitlines()[0] + "\n")
    answer = ingested(database, vault, what)
    assert (answer.rows, answer.warnings) == (0, ("no_rows: the delivery holds a header and nothing else",))


def test_two_deliver_the_same_file_at_the_same_moment(database: Database, vault: Vault, tmp_path: Path) -> None:
    rows = [Ntd(f"{URL}?{n}", "2026-04-10 12:00:00") for n in range(3000)]
    what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows)
    answers: list[IngestResult] = []
    threads = [threading.Thread(target=lambda: answers.append(ingested(database, vault, what))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.repeated for answer in answers) == [False, True]
    assert counts(database)["notices"] == 3000


def test_a_wrong_key_file_says_so(database: Database, vault: Vault, tmp_path: Path) -> None:
    ingested(database, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", Ntd(URL, "2026-04-10 12:00:00")))
    create_keys(tmp_path / "other.json")
    other = Vault(tmp_path / "other.json")
    with transaction(database.engine) as session:
        sealed = session.scalars(select(Content.url_sealed)).one()
    with pytest.raises(MonitorError, match="wrong key file"):
        other.open(sealed, 1)


def test_killed_in_the_middle_nothing_is_left_and_the_next_run_completes(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    rows = [Ntd(f"{URL}?{n}", "2026-04-10 12:00:00") for n in range(17_000)]
    what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows)
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from monitor.db import connect, transaction\n"
        "from monitor.ingest import delivery, store\n"
        "from monitor.settings import Source\n"
        "from monitor.vault import Vault\n"
        "url, keys, path = sys.argv[1:]\n"
        "add, calls = store.Store.add_facts, []\n"
        "def killed(self, items):\n"
        "    add(self, items)\n"
        "    calls.append(1)\n"
        "    if len(calls) == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.Store.add_facts = killed\n"
        "delivery_file = delivery.DeliveryFile(Source('scart', zone='UTC'), 'scart-ntd', Path(path), 1775844000)\n"
        "with transaction(connect(url)) as session:\n"
        "    delivery.load(session, Vault(Path(keys)), delivery_file, 1775865600)\n"
    )
    arguments = [sys.executable, "-c", script, database.url, str(tmp_path / "keys.json"), str(what.path)]
    assert subprocess.run(arguments, check=False).returncode == -9
    assert set(counts(database).values()) == {0}
    assert ingested(database, vault, what).notices_new == 17_000
