"""Whoever has the database and not the key learns no URL, and cannot even confirm one that he guesses (S2)."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from math import log2
from pathlib import Path

from sqlalchemy import LargeBinary, select

from monitor.access.tokens import PUSH, claim, issue
from monitor.db import Base, transaction
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.ingest.result import IngestResult
from monitor.ingest.review import ReviewDecision, accept, reject
from monitor.instants import DAY, to_datetime
from monitor.key_checks import tie
from monitor.models import KeyCheck, Notice
from monitor.vault import Vault
from monitor.vocabulary import Verdict
from tests.attack.samples import RECEIVED, SAMPLES, SOURCE
from tests.conftest import Database

HOSTS = [f"zqhost{number}.example" for number in range(8)]
URLS = [f"https://{host}/zqpath{number}?zqquery={number}" for number, host in enumerate(HOSTS)]
MAILS = [f"abuse@delta{number}.example" for number in range(8)]
NUMBERS = [f"R-4711{number}" for number in range(8)]


def stolen(database: Database, vault: Vault, folder: Path) -> list[bytes]:
    """An installation in use; gives the bytes of every file that was delivered."""
    files, sample = [], SAMPLES["inhope-csv"]
    tie(database.engine, vault, RECEIVED)

    def deliver(number: int, received_at: int) -> IngestResult:
        given = dict(sample.row) | {"url": URLS[number], "report_id": NUMBERS[number], "recipient_email": MAILS[number]}
        delivery_file = sample.delivery(folder, "inhope-csv", given)
        files.append((folder / "delivery").read_bytes())
        with transaction(database.engine) as session:
            return ingest(
                session,
                vault,
                DeliveryFile(SOURCE, "inhope-csv", folder / "delivery", received_at),
                delivery_file.received_at,
            )

    assert deliver(0, RECEIVED + 10 * DAY).verdict is Verdict.OK
    waiting = [deliver(number, RECEIVED + number) for number in (1, 2, 3)]  # older than the last: they wait
    assert {answer.verdict for answer in waiting} == {Verdict.SUSPICIOUS}
    with transaction(database.engine) as session:
        accept(session, vault, SOURCE, waiting[0].delivery, ReviewDecision("A. Analyst", "it was confirmed", RECEIVED))
        reject(session, waiting[1].delivery, ReviewDecision("A. Analyst", "it was a mistake", RECEIVED))
    broken = sample.write(dict(sample.row) | {"url": URLS[4], "notice_sent_at": "never"})
    (folder / "broken").write_text(broken, "utf-8")
    files.append(broken.encode())
    ntd = SAMPLES["scart-ntd"].delivery(folder, "scart-ntd", {"url": URLS[5], "NTD filenumber": NUMBERS[5]})
    files.append((folder / "delivery").read_bytes())
    with transaction(database.engine) as session:
        ingest(session, vault, DeliveryFile(SOURCE, "inhope-csv", folder / "broken", RECEIVED), RECEIVED)
        ingest(session, vault, ntd, RECEIVED)
        token, _ = issue(session, "test", [PUSH], to_datetime(RECEIVED), 1, "operator")
        body = json.dumps({"url": URLS[6]}).encode()
        claim(session, vault, token.id, f"key-{URLS[6]}", body, to_datetime(RECEIVED))
        files.append(body)
    return files


def values_of(database: Database) -> Iterator[tuple[str, bytes]]:
    """Every value of every column, as bytes."""
    with database.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    raw = value if isinstance(value, bytes) else str(value).encode()
                    yield f"{table.name}.{name}", raw


def guesses(files: list[bytes]) -> Iterator[bytes]:
    """What a thief may guess whole: addresses, hosts, mails, numbers, file numbers, and whole deliveries of one row."""
    for text in (*URLS, *HOSTS, *MAILS, *NUMBERS, *(url.removeprefix("https://") for url in URLS)):
        yield from (text.encode(), text.upper().encode(), f"file number {text}".encode(), f"{text}\n".encode())
    yield from files
    yield from (f"key-{url}".encode() for url in URLS)


def unkeyed(guess: bytes) -> Iterator[bytes]:
    """Every form that could be made of a guess without a key: digests, encodings, and digests of digests."""
    yield from (guess, base64.b64encode(guess), guess.hex().encode(), guess[::-1])
    digests = [hashlib.new(name, guess).digest() for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "sha3_256")]
    digests += [hashlib.sha256(digest).digest() for digest in digests]
    digests += [hashlib.sha256(digest.hex().encode()).digest() for digest in digests[:6]]
    for digest in (*digests, zlib.crc32(guess).to_bytes(4) * 2):
        yield from (digest[:12], digest.hex()[:16].encode(), base64.b64encode(digest)[:16])


def test_no_guess_is_confirmed_by_any_column(database: Database, vault: Vault, tmp_path: Path) -> None:
    files = stolen(database, vault, tmp_path)
    forms = {form: guess for guess in guesses(files) for form in unkeyed(guess)}
    values = list(values_of(database))
    dump = b"\0".join(raw for _, raw in values)
    found = {form for form in forms if form in dump}
    where = {column for column, raw in values for form in found if form in raw}
    assert (found, where) == (set(), set())
    assert b"Delta Datacenters" in dump  # what a thief does learn: names of recipients, times, countries, counts


def test_with_the_key_each_guess_is_confirmed(database: Database, vault: Vault, tmp_path: Path) -> None:
    """The test above looks where there is something to find."""
    stolen(database, vault, tmp_path)
    dump = b"\0".join(raw for _, raw in values_of(database))
    assert vault.url_digest(URLS[0]) in dump
    assert vault.digest(MAILS[0]) in dump
    with transaction(database.engine) as session:
        sealed = [row.reference_sealed for row in session.scalars(select(Notice)) if row.reference_sealed]
        numbers = sorted(vault.open_equal(one, 1, "notices.reference") for one in sealed)
        assert numbers == [NUMBERS[0], NUMBERS[1], NUMBERS[5]]
        assert [row.check_value for row in session.scalars(select(KeyCheck))] == [vault.check_values[1]]


def test_what_is_sealed_or_digested_looks_like_noise(database: Database, vault: Vault, tmp_path: Path) -> None:
    stolen(database, vault, tmp_path)
    binary = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and table.name != "netblock_steps"
    }
    sample = SAMPLES["inhope-csv"]
    rows = [sample.write(dict(sample.row) | {"url": f"{URLS[0]}{n}", "report_id": f"R-{n}"}) for n in range(60)]
    head, _ = rows[0].split("\n", 1)
    (tmp_path / "many").write_text("\n".join([head, *(row.split("\n")[1] for row in rows)]), "utf-8")
    with transaction(database.engine) as session:
        answer = ingest(session, vault, DeliveryFile(SOURCE, "inhope-csv", tmp_path / "many", RECEIVED), RECEIVED)
        assert answer.accepted == 60
    noise = b"".join({raw for column, raw in values_of(database) if column in binary and raw != b"None"})
    assert len(noise) > 8000
    counts = [noise.count(bytes((byte,))) for byte in range(256)]
    entropy = -sum(count / len(noise) * log2(count / len(noise)) for count in counts if count)
    assert entropy > 7.95  # of 8 bits a byte; a text of a URL has under 5
    assert len(zlib.compress(noise, 9)) > len(noise)


def test_the_bare_hash_of_a_delivery_of_one_row_is_nowhere(database: Database, vault: Vault, tmp_path: Path) -> None:
    """It gave a URL away in a tenth of a second: everything else in the row is known or guessed."""
    files = stolen(database, vault, tmp_path)
    dump = b"\0".join(raw for _, raw in values_of(database))
    for content in files:
        bare = hashlib.sha256(content).hexdigest()
        assert bare.encode() not in dump
        assert bytes.fromhex(bare) not in dump
    assert vault.digest_file(hashlib.sha256(files[0]).hexdigest()).encode() in dump
