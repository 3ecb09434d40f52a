"""Bringing digests up to the scheme in force: nothing is lost or doubled, wherever it is killed (docs/adr/0026)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select, text

from monitor import audit
from monitor.db import connect, transaction
from monitor.errors import MonitorError
from monitor.identities import families_of, require_one_scheme, scheme_state
from monitor.ingest import rekey
from monitor.ingest.delivery import DeliveryFile, load
from monitor.ingest.result import IngestResult
from monitor.instants import parse_instant, to_datetime
from monitor.models.facts import Content, Correction, Notice, Sighting, Site, Suspension
from monitor.models.guards import guard_problems
from monitor.models.identity import DigestScheme, ItemIdentity
from monitor.models.run import ObserverState
from monitor.observe.items import open_items
from monitor.score.extract import HAS_IDENTITIES, query
from monitor.score.fact_digests import digested_columns, digests
from monitor.score.facts import read_database
from monitor.settings import Source
from monitor.urls import NotAUrlError, Url, parse_url
from monitor.urls_v1 import canonical_v1
from monitor.vault import ExportedKey, Vault
from monitor.vocabulary import Decision, Pause
from tests.conftest import Database, NewDatabase
from tests.samples import Ntd, delivery_file

BEGIN = parse_instant("2026-04-11T00:00:00Z")
SOURCE = Source("hotline", format="inhope-csv")
SENT = "2026-04-10 12:00:00"
TABLES = ("contents", "notices", "sightings", "attributions")
HEADER = (
    "report_id,url,host_ip,notice_sent_at,recipient,recipient_country,recipient_email,status,checked_at,"
    "destination_country"
)
LONG = "https://img.s1.example/".ljust(250, "x")


class Told(NamedTuple):
    """A row: the URL, when its notice was sent (hour of a day), and what a check saw (nothing, online or offline)."""

    url: str
    hour: int = 8
    status: str = ""


def delivery(folder: Path, number: int, rows: Sequence[Told]) -> DeliveryFile:
    path = folder / f"{number}.csv"
    lines = [HEADER]
    for row in rows:
        at = f"2026-04-09T{row.hour:02}:00:00Z"
        checked = f"2026-04-10T{row.hour:02}:30:00Z" if row.status else ""
        lines.append(f'{number},"{row.url}",192.0.2.1,{at},Foxtrot Hosting,NL,,{row.status},{checked},')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return DeliveryFile(SOURCE, "inhope-csv", path, BEGIN + number * 3600)


@contextmanager
def earlier_software() -> Iterator[None]:
    """URL rules 1, as intake had them: what the database then holds is what such an installation has."""

    def parse(url: str) -> Url:
        found = canonical_v1(url)
        if found is None:
            raise NotAUrlError("url_without_host")
        host = found.partition("://")[2].partition("/")[0].rpartition("@")[2]
        host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return Url(found, host)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitor.ingest.rows.parse_url", parse)
        patch.setattr("monitor.identities.RULES", 1)
        patch.setattr("monitor.identities.suffixes_version", lambda: "not recorded")
        patch.setattr(Vault, "url_digest", Vault.digest)
        patch.setattr(Vault, "site_digest", Vault.digest)
        yield


def ingest(engine: Engine, vault: Vault, what: DeliveryFile, at: int) -> IngestResult:
    with transaction(engine) as session:
        return load(session, vault, what, at)


def rotate(engine: Engine, vault: Vault, at: int, batch: int = 2) -> rekey.Rekeyed:
    return rekey.rekey_all(engine, vault, lambda: at, "operator", batch)[1]


def facts(engine: Engine, vault: Vault, at: int, name: str) -> Counter[tuple[Any, ...]]:
    """A table of facts as scoring reads it, each item by its URL under the present rules instead of its number."""
    with transaction(engine) as session:
        urls = {
            row.id: canonical(vault.open_text(row.url_sealed, row.key_version))
            for row in session.scalars(select(Content))
        }
        found = session.connection().execute(text(HAS_IDENTITIES)).scalar_one()
        rows = session.connection().execute(text(query(name, at, with_identities=found > 0))).mappings().all()
    return Counter(
        (urls[row["content"]], *(v for k, v in row.items() if k not in {"content", "notice", "site"})) for row in rows
    )


def canonical(url: str) -> str:
    try:
        return parse_url(url).text
    except NotAUrlError:
        return f"none: {url}"


def clusters(engine: Engine, vault: Vault, at: int) -> set[frozenset[str]]:
    """Which items are of one site, as scoring reads it."""
    with transaction(engine) as session:
        urls = {c.id: canonical(vault.open_text(c.url_sealed, c.key_version)) for c in session.scalars(select(Content))}
        found = session.connection().execute(text(HAS_IDENTITIES)).scalar_one()
        rows = session.connection().execute(text(query("contents", at, with_identities=found > 0))).mappings().all()
    by_site: dict[int, set[str]] = {}
    for row in rows:
        by_site.setdefault(row["site"], set()).add(urls[row["content"]])
    return {frozenset(items) for items in by_site.values()}


# What rules 1 held for several items, and rules 2 for one; and what both hold for different ones.
VARIANTS = (
    "https://a.s1.example/x", "https://a.s1.example/x#top", "hxxps://a.s1.example/x", "https://a.s1.example/./x",
    "https://a.s1.example/%78", "https://b.s1.example/x", "https://b.s1.example/x#!p", "https://s2.example/x",
    "https://192.0.2.9/x", "https://3221225993/x", "https://0xC0000209/x", "tftp://s3.example/x", "hxxps://s2[.]example/x",
    LONG + "/abcdefghij", LONG + "/%61bcdefghij", LONG + "/abcdefghij#top",
)  # fmt: skip
_TOLD = st.builds(Told, st.sampled_from(VARIANTS), st.integers(6, 9), st.sampled_from(["", "online", "offline"]))
_DELIVERIES = st.lists(st.lists(_TOLD, min_size=1, max_size=6), min_size=2, max_size=4)


class Bench:
    """Two databases for one property: filled again and again."""

    def __init__(self, new_database: NewDatabase, vault: Vault, folder: Path) -> None:
        self.new, self.vault, self.folder, self.turn = new_database, vault, folder, 0

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        engine = connect(self.new())
        yield engine
        engine.dispose()

    def files(self, deliveries: Sequence[Sequence[Told]]) -> list[DeliveryFile]:
        self.turn += 1
        folder = self.folder / str(self.turn)
        folder.mkdir()
        return [delivery(folder, number, rows) for number, rows in enumerate(deliveries)]


@pytest.fixture(scope="module")
def bench(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    vault = Vault(ExportedKey(1, bytes(range(64))))
    return Bench(new_database, vault, tmp_path_factory.mktemp("rekey"))


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_DELIVERIES, st.integers(1, 3), st.integers(1, 3))
def test_after_it_all_is_as_if_the_present_rules_had_always_held(
    bench: Bench, deliveries: list[list[Told]], before: int, batch: int
) -> None:
    taken = [[row for row in rows if canonical_v1(row.url)] for rows in deliveries[:before]]
    files, now = bench.files([*taken, *deliveries[before:]]), BEGIN + 90_000
    with bench.engine() as renewed, bench.engine() as fresh:
        with earlier_software():
            for number, what in enumerate(files[:before]):
                ingest(renewed, bench.vault, what, BEGIN + number)
        for number, what in enumerate(files[before:], before):
            ingest(renewed, bench.vault, what, BEGIN + number)
        rotate(renewed, bench.vault, now, batch)
        for number, what in enumerate(files):
            ingest(fresh, bench.vault, what, BEGIN + number)
        for name in ("notices", "sightings"):
            expected = {row for row in facts(fresh, bench.vault, now, name) if not row[0].startswith("none: ")}
            found = facts(renewed, bench.vault, now, name)
            assert {row for row in found if not row[0].startswith("none: ")} == expected
            assert name != "notices" or set(found.values()) <= {1}
        urls = {url for cluster in clusters(fresh, bench.vault, now) for url in cluster}
        assert {c & urls for c in clusters(renewed, bench.vault, now) if c & urls} == clusters(fresh, bench.vault, now)
        assert_nothing_of_before_is_left(renewed)


def assert_nothing_of_before_is_left(engine: Engine) -> None:
    with transaction(engine) as session:
        scheme = session.scalars(select(DigestScheme).order_by(DigestScheme.id.desc()).limit(1)).one()
        for model in (Content, Site):
            assert set(session.scalars(select(model.scheme).distinct())) <= {scheme.id}
        assert (scheme.url_rules, scheme.finished_at is not None) == (2, True)
        assert guard_problems(session.connection()) == []
        assert audit.verify(session) == []


FIRST = (
    Told(VARIANTS[0], 8, "online"), Told(VARIANTS[1], 9), Told(VARIANTS[2], 8), Told(VARIANTS[9]), Told(VARIANTS[8], 7),
    Told("https://b.s1.example/y"), Told("tftp://s3.example/x"), Told(LONG + "/abcdefghij", 6),
    Told(LONG + "/%61bcdefghij"),
)  # fmt: skip


@pytest.fixture
def earlier(database: Database, vault: Vault, tmp_path: Path) -> Database:
    """A database that earlier software filled."""
    with earlier_software():
        ingest(database.engine, vault, delivery(tmp_path, 0, FIRST), BEGIN)
    return database


def state(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All that is stored of contents and sites, digests apart from their schemes."""
    with transaction(engine) as session:
        content = select(Content.id, Content.site_id, Content.truncated, Content.scheme, Content.url_digest)
        return {
            "contents": [tuple(row) for row in session.execute(content.order_by(Content.id))],
            "sites": [
                tuple(row) for row in session.execute(select(Site.id, Site.scheme, Site.digest).order_by(Site.id))
            ],
            "identities": [
                tuple(row)
                for row in session.execute(
                    select(ItemIdentity.content_id, ItemIdentity.item_id, ItemIdentity.site_id).order_by(
                        ItemIdentity.id
                    )
                )
            ],
        }


def test_items_become_one_and_keep_every_fact(earlier: Database, vault: Vault) -> None:
    done = rotate(earlier.engine, vault, BEGIN + 7200)
    assert done.as_json() == {"items": 9, "merged": 4, "other_site": 1, "not_a_url": 1}
    with transaction(earlier.engine) as session:
        assert families_of(session, [2]).of(2) == {1, 2, 3}
        assert families_of(session, [6]).of(6) == {6}
        assert session.scalar(select(func.count()).select_from(Notice)) == 9
        assert session.scalar(select(func.count()).select_from(Sighting)) == 1
        assert scheme_state(session) is not None
    found = facts(earlier.engine, vault, BEGIN + 7200, "notices")
    assert found.total() == 8  # of the nine two told of one sending: VARIANTS[0] and its defanged form at eight
    assert sum(1 for row in found if row[0] == VARIANTS[0]) == 2
    assert_nothing_of_before_is_left(earlier.engine)
    assert rotate(earlier.engine, vault, BEGIN + 9000).as_json()["items"] == 0


ESCAPED = "https://img.s1.example/%c3%a9".ljust(250, "x")


def test_a_table_of_before_is_made_as_it_was_made_then(earlier: Database, vault: Vault, tmp_path: Path) -> None:
    whole, cut = ESCAPED + "/abcdefghij", (ESCAPED.replace("%c3%a9", "%C3%A9") + "/abcdefghij")[:255]
    with earlier_software():
        ingest(earlier.engine, vault, delivery(tmp_path, 1, [Told(whole)]), BEGIN + 1)
        ingest(earlier.engine, vault, delivery_file(tmp_path, "2026-04-11T03:00:00Z", Ntd(cut, SENT)), BEGIN + 2)
        ingest(
            earlier.engine, vault, delivery_file(tmp_path, "2026-04-11T04:00:00Z", Ntd(whole[:255], SENT)), BEGIN + 3
        )
    before = (
        [table(earlier.engine, name, BEGIN + 3) for name in TABLES],
        read_database(digests, earlier.url, digested_columns(), [BEGIN + 3]),
    )
    assert (
        len(table(earlier.engine, TABLES[0], BEGIN + 3)) == 11
    )  # the cut form with small letters is the whole URL, the other is not
    rotate(earlier.engine, vault, BEGIN + 7200)
    after = (
        [table(earlier.engine, name, BEGIN + 3) for name in TABLES],
        read_database(digests, earlier.url, digested_columns(), [BEGIN + 3]),
    )
    assert after == before
    assert len(table(earlier.engine, "contents", BEGIN + 7200)) == 6


def table(engine: Engine, name: str, at: int) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        found = connection.execute(text(HAS_IDENTITIES)).scalar_one()
        return sorted(map(tuple, connection.execute(text(query(name, at, with_identities=found > 0))).all()))


class Stopped(Exception):
    """The fault that is injected."""


@contextmanager
def stopping_at(engine: Engine, statement: int) -> Iterator[list[int]]:
    """Fail before that statement is executed; gives how many there were."""
    seen = [0]

    def count(*_: object) -> None:
        seen[0] += 1
        if seen[0] == statement:
            raise Stopped

    event.listen(engine, "before_cursor_execute", count)
    yield seen
    event.remove(engine, "before_cursor_execute", count)


def test_stopped_before_any_statement_it_goes_on_and_comes_to_the_same(
    database: Database, new_database: NewDatabase, vault: Vault, tmp_path: Path
) -> None:
    """Each fault is followed by the next one, so that the run is resumed again and again."""
    file = delivery(tmp_path, 0, FIRST)
    whole = connect(new_database())
    for engine in (database.engine, whole):
        with earlier_software():
            ingest(engine, vault, file, BEGIN)
    with stopping_at(whole, 0) as statements:
        rotate(whole, vault, BEGIN + 7200)
    stopped = 0
    for statement in range(1, statements[0] + 1):
        with stopping_at(database.engine, statement):
            try:
                rotate(database.engine, vault, BEGIN + 7200)
            except Stopped:
                stopped += 1
        with transaction(database.engine) as session:
            assert guard_problems(session.connection()) == []
            assert audit.verify(session) == []
    rotate(database.engine, vault, BEGIN + 7200)
    assert stopped > 20
    assert state(database.engine) == state(whole)
    assert facts(database.engine, vault, BEGIN + 7200, "notices") == facts(whole, vault, BEGIN + 7200, "notices")
    assert_nothing_of_before_is_left(database.engine)
    whole.dispose()


_KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from monitor.db import connect
from monitor.ingest.rekey import rekey_all
from monitor.vault import Vault
engine, seen = connect(sys.argv[1]), [0]
@event.listens_for(engine, "before_cursor_execute")
def count(*_):
    seen[0] += 1
    if seen[0] == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
rekey_all(engine, Vault(Path(sys.argv[2])), lambda: int(sys.argv[4]), "operator", 2)
"""


def test_killed_it_goes_on(earlier: Database, vault: Vault, tmp_path: Path) -> None:
    for point in (20, 45):
        arguments = [earlier.url, str(tmp_path / "keys.json"), str(point), str(BEGIN + 7200)]
        done = subprocess.run([sys.executable, "-c", _KILLED, *arguments], check=False, env=os.environ, timeout=300)
        assert done.returncode == -9
    with transaction(earlier.engine) as session:
        scheme = session.scalars(select(DigestScheme).order_by(DigestScheme.id.desc()).limit(1)).one()
        assert 0 < scheme.position < 9
        assert scheme.finished_at is None
    rotate(earlier.engine, vault, BEGIN + 7200)
    assert facts(earlier.engine, vault, BEGIN + 7200, "notices").total() == 8
    assert_nothing_of_before_is_left(earlier.engine)


def test_what_arrives_meanwhile_is_found_under_both_schemes(earlier: Database, vault: Vault, tmp_path: Path) -> None:
    again = ingest(earlier.engine, vault, delivery(tmp_path, 1, FIRST[:6]), BEGIN + 3600)
    assert (again.contents_new, again.notices_new, again.sightings_new) == (0, 0, 0)
    with transaction(earlier.engine) as session:
        schemes = {row.id: row.scheme for row in session.execute(select(Content.id, Content.scheme))}
        assert [content for content, scheme in schemes.items() if scheme == 2] == [1, 2, 3, 4, 5, 6]
        assert guard_problems(session.connection()) == []
        with pytest.raises(MonitorError, match=r"a draft needs all items .* run `monitor keys rotate --digest` first"):
            require_one_scheme(session, "a draft")
    removed = [Told("https://a.s1.example/x", 9, "offline"), Told("https://s9.example/new")]
    later = ingest(earlier.engine, vault, delivery(tmp_path, 2, removed), BEGIN + 3700)
    assert (later.contents_new, later.notices_new, later.sightings_new) == (1, 1, 1)
    rotate(earlier.engine, vault, BEGIN + 7200)
    assert_nothing_of_before_is_left(earlier.engine)
    with transaction(earlier.engine) as session:
        require_one_scheme(session, "a draft")
    assert facts(earlier.engine, vault, BEGIN + 7200, "notices").total() == 9


def test_decisions_and_what_was_attributed_hold_for_the_item_that_they_became(
    earlier: Database, vault: Vault, tmp_path: Path
) -> None:
    at = to_datetime(BEGIN)
    with transaction(earlier.engine) as session:
        session.add(
            Correction(decision=Decision.WITHDRAW_NOTICE, content_id=3, reason="test", decided_by="x", recorded_at=at)
        )
        session.add(
            Suspension(content_id=2, starts_at=at, ends_at=at, pause=Pause.MANUAL_CHECK, reason="test", recorded_at=at)
        )
        session.add(ObserverState(observer="o", subject=session.get_one(Content, 1).url_digest, asked_at=at))
    rotate(earlier.engine, vault, BEGIN + 7200)
    found = facts(earlier.engine, vault, BEGIN + 7200, "notices")
    assert not any(row[0] == VARIANTS[0] for row in found)  # withdrawn for one is withdrawn for all
    assert [row[0] for row in facts(earlier.engine, vault, BEGIN + 7200, "suspensions")] == [VARIANTS[0]]
    with transaction(earlier.engine) as session:
        content = session.get_one(Content, 1)
        assert session.scalars(select(ObserverState.subject)).all() == [content.url_digest]
        assert 2 not in {item.content_id for item in open_items(session, to_datetime(BEGIN))}


def test_an_item_that_was_two_keeps_its_facts_and_the_other_is_new(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    sharp, double = "https://straße.example/x", "https://strasse.example/x"
    with earlier_software():
        ingest(database.engine, vault, delivery(tmp_path, 0, [Told(sharp, 6)]), BEGIN)
        ingest(database.engine, vault, delivery(tmp_path, 1, [Told(double, 7)]), BEGIN + 1)
    assert facts(database.engine, vault, BEGIN + 1, "contents").total() == 1
    again = ingest(database.engine, vault, delivery(tmp_path, 2, [Told(double, 8)]), BEGIN + 2)
    assert again.contents_new == 1
    rotate(database.engine, vault, BEGIN + 7200)
    items = Counter(row[0] for row in facts(database.engine, vault, BEGIN + 7200, "notices"))
    assert items == {parse_url(sharp).text: 2, double: 1}  # the notice at seven was stored without its URL
    assert clusters(database.engine, vault, BEGIN + 7200) == {frozenset({parse_url(sharp).text}), frozenset({double})}


def test_another_list_of_suffixes_moves_items_to_other_sites_and_no_table_of_before(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    rows = [Told(f"https://{name}.shared.example/x") for name in ("a", "b", "c")]
    ingest(database.engine, vault, delivery(tmp_path, 0, rows), BEGIN)
    before = [table(database.engine, name, BEGIN) for name in TABLES]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitor.identities.suffixes_version", lambda: "2027-01-01")
        patch.setattr("monitor.ingest.rekey.site_of", lambda host: host)
        assert rotate(database.engine, vault, BEGIN + 7200).as_json() == {
            "items": 3, "merged": 0, "other_site": 3, "not_a_url": 0,
        }  # fmt: skip
        assert len(clusters(database.engine, vault, BEGIN + 7200)) == 3
        assert [table(database.engine, name, BEGIN) for name in TABLES] == before
        assert_nothing_of_before_is_left(database.engine)
    assert len(clusters(database.engine, vault, BEGIN)) == 1
    assert rotate(database.engine, vault, BEGIN + 9000).as_json()["other_site"] == 3  # and back
    assert len(clusters(database.engine, vault, BEGIN + 9000)) == 1


def test_a_database_of_later_rules_is_refused(database: Database, vault: Vault, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitor.identities.RULES", 3)
        ingest(database.engine, vault, delivery(tmp_path, 0, FIRST[:1]), BEGIN)
    with pytest.raises(MonitorError, match="digests under URL rules 3, and this software knows 2"):
        ingest(database.engine, vault, delivery(tmp_path, 1, FIRST[:2]), BEGIN + 1)


def test_the_same_walk_brings_all_digests_under_a_new_key(database: Database, vault: Vault, tmp_path: Path) -> None:
    ingest(database.engine, vault, delivery(tmp_path, 0, FIRST), BEGIN)
    before = table(database.engine, "contents", BEGIN)
    pairs = {
        "1": json.loads((tmp_path / "keys.json").read_text())["keys"]["1"],
        "2": {"digest": "ab" * 32, "seal": "cd" * 32},
    }
    (tmp_path / "both.json").write_text(json.dumps({"current": 2, "keys": pairs}))
    (tmp_path / "both.json").chmod(0o600)
    renewed = Vault(tmp_path / "both.json")
    again = ingest(database.engine, renewed, delivery(tmp_path, 1, FIRST[:2]), BEGIN + 60)
    assert (again.contents_new, again.notices_new) == (0, 0)
    assert rotate(database.engine, renewed, BEGIN + 7200).as_json()["merged"] == 0
    with transaction(database.engine) as session:
        for row in session.scalars(select(Content)):
            url = parse_url(renewed.open_text(row.url_sealed, row.key_version))
            assert row.url_digest == renewed.url_digest(url.text)
        assert set(session.scalars(select(Site.key_version))) == {2}
    assert table(database.engine, "contents", BEGIN) == before == table(database.engine, "contents", BEGIN + 7200)
    assert_nothing_of_before_is_left(database.engine)
