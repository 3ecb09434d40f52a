"""Bodies made to cost as much as they can: time and memory stay bounded, nothing is stored, no key is taken."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from monitor.db import lock_writers, transaction
from monitor.errors import DeliveryError
from monitor.formats.xarf_body import BodyRefusedError, read_body
from monitor.formats.xarf_objects import BODY_LIMIT, read_objects
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.models.account import PushedRequest
from monitor.models.facts import Delivery, Quarantined
from monitor.push.apply import inflate
from monitor.push.messages import Push, Refusal
from monitor.push.process import PushProcess
from monitor.settings import Source
from monitor.source_options import Thresholds
from monitor.tokens import Limit
from monitor.vault import Vault
from tests.attack.bodies import HOSTILE, dearest_legal
from tests.conftest import Database, NewDatabase
from tests.formats.test_xarf_body import BROKEN
from tests.support.costs import costs_at_most
from tests.web.desk.pushing import Hotline, hotline, notice, open_site
from web.desk import authenticate

_CALLS = """
import sys
from monitor.formats.xarf_body import BodyRefusedError, read_body
for body in (b"9" * 5000, b"-" + b"9" * 5000, b"9" * 5000 + b".5", b"1e" + b"9" * 5000, b"9" * 4301):
    try:
        read_body(b'[{"a": ' + body + b"}]")
    except BodyRefusedError as error:
        print(error.index, error.detail)
"""


def test_a_number_of_thousands_of_digits_does_not_end_the_process() -> None:
    """The way `ijson` is called is one of few in which it does not (ICRAR/ijson issue 153)."""
    ended = subprocess.run([sys.executable, "-c", _CALLS], capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert ended.stdout.count("has a number that does not fit") == 5
    assert ended.stderr == ""


@pytest.fixture
def app(tmp_path: Path, new_database: NewDatabase) -> Iterator[Flask]:
    """A site of its own, with keys."""
    opened = open_site(tmp_path / "home", new_database())
    yield opened
    opened.extensions["monitor_engine"].dispose()


@pytest.fixture
def sender(app: Flask) -> Hotline:
    """A hotline with a token for everything."""
    return hotline(app)


def counts(app: Flask) -> list[int | None]:
    with transaction(app.extensions["monitor_engine"]) as session:
        return [session.scalar(select(func.count()).select_from(m)) for m in (Delivery, PushedRequest, Quarantined)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_body_that_is_no_i_json_names_its_item_and_takes_no_key(
    app: Flask, sender: Hotline, name: str, pack: Callable[[bytes], bytes]
) -> None:
    headers = {"Content-Encoding": "gzip"} if pack is gzip.compress else {}
    answer = sender.push(pack(BROKEN[name][0]), headers=headers)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    problem = answer.get_json(force=True)
    assert (problem["type"], problem["index"]) == ("urn:problem:hosting-monitor:unreadable", 1)
    assert counts(app) == [0, 0, 0]
    assert sender.push([notice(1)]).status_code == 207  # with the same key


def read(body: bytes) -> None:
    for lines in (False, True):
        with suppress(BodyRefusedError):
            read_body(body, lines=lines)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_costs_no_more_than_its_length(name: str) -> None:
    """Twice the body at most about twice the time; 8 MB far less than one that is legal."""
    whole, half = HOSTILE[name], HOSTILE[name][: BODY_LIMIT // 2]
    read(half)
    assert costs_at_most(lambda: read(whole), 4, lambda: read(half), 0.5)


def test_a_small_bomb_is_given_up_at_its_thousand_and_first_item() -> None:
    bomb = gzip.compress(b"[" + b"{}," * 1_300_000)
    assert len(bomb) < 6000
    assert costs_at_most(lambda: read(inflate(bomb)), 20, lambda: read(b"[" + b"{}," * 2000), 0.5)
    with pytest.raises(BodyRefusedError, match="inflated body is over"):
        inflate(gzip.compress(bytes(64 * 2**20)))


def test_a_bomb_is_not_inflated_beyond_the_limit() -> None:
    bomb = gzip.compress(bytes(256 * 2**20), 1)
    tracemalloc.start()
    with pytest.raises(BodyRefusedError, match="inflated body is over"):
        inflate(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * BODY_LIMIT


def test_memory_of_the_process_stays_small_for_every_hostile_body(app: Flask, sender: Hotline, tmp_path: Path) -> None:
    url = app.extensions["monitor_engine"].url.render_as_string(hide_password=False)
    vault = Vault(tmp_path / "home" / "keys.json")
    with_child = PushProcess(url)
    for number, body in enumerate([*HOSTILE.values(), dearest_legal()]):
        push = Push(1, Source("hotline"), f"k{number}", body, gzip=False, lines=False, received_at=int(time.time()))
        worked = with_child.work(push, vault.export_key())
        assert isinstance(worked.result, str | Refusal)
    status = Path(f"/proc/{with_child.pid}/status").read_text()
    with_child.close()
    assert int(status.partition("VmHWM:")[2].split()[0]) < 300 * 1024  # KiB, of the whole process


def chunks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + 65536] for start in range(0, len(body), 65536))


def scan(body: bytes) -> None:
    with suppress(DeliveryError):
        for _ in read_objects(chunks(body), ("evidence",)):
            pass


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_no_more_than_its_length_in_bounded_memory(name: str) -> None:
    whole, half = HOSTILE[name][: 2**18], HOSTILE[name][: 2**17]
    scan(half)
    assert costs_at_most(lambda: scan(whole), 4, lambda: scan(half), 0.5)
    tracemalloc.start()
    scan(whole)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 2**20


BAD_IN_A_FILE = {
    "1e999": (b'{"url": "https://a.example/", "confidence": 1e999}', "number_too_large"),
    "5,000 digits": (b'{"asn": ' + b"9" * 5000 + b"}", "number_too_large"),
    "nesting": (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "nested_too_deep"),
    "a doubled key": (b'{"url": 1, "url": 2}', "doubled_field"),
    "a lone surrogate": (b'{"url": "https://a.example/\\ud800"}', "not_utf8"),
    "broken UTF-8": (b'{"url": "\xff"}', "not_utf8"),
}


@pytest.mark.parametrize("array", [True, False], ids=["array", "lines"])
def test_in_a_file_the_same_objects_are_refused_alone_and_the_others_taken(
    tmp_path: Path, database: Database, vault: Vault, *, array: bool
) -> None:
    good = json.dumps(notice(1)).encode()
    parts = [good, *(raw for raw, _ in BAD_IN_A_FILE.values())]
    content = b"[" + b",".join(parts) + b"]" if array else b"\n".join(parts)
    path = tmp_path / "reports.json"
    path.write_bytes(content)
    takes_all = Source("hotline", gate=Thresholds(quarantined_suspicious=1, quarantined_refused=1, unknown_values=1))
    delivery_file = DeliveryFile(takes_all, "xarf", path, int(time.time()))
    with transaction(database.engine) as session:
        lock_writers(session)
        assert ingest(session, vault, delivery_file, int(time.time())).accepted == 1
    with transaction(database.engine) as session:
        refused = session.execute(select(Quarantined.line, Quarantined.reason).order_by(Quarantined.line)).all()
    assert list(map(tuple, refused)) == [(line, reason) for line, (_, reason) in enumerate(BAD_IN_A_FILE.values(), 2)]


def test_nan_in_a_file_ends_an_array_and_is_one_line_elsewhere() -> None:
    with pytest.raises(DeliveryError, match=r"object 2 is not well-formed"):
        list(read_objects([b'[{"a": 1}, {"a": NaN}, {"a": 1}]']))
    found = list(read_objects([b'{"a": 1}\n{"a": NaN}\n{"a": 1}']))
    assert [one.reason for one in found] == [None, "not_json", None]


def test_who_costs_too_much_waits(app: Flask, sender: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps([notice(1)]).encode()
    monkeypatch.setattr(authenticate, "LIMIT", Limit(requests=50, seconds=3600, sent=2 * len(body), work=10**9))
    packed = gzip.compress(body)
    answers = [sender.push(packed, headers={"Content-Encoding": "gzip"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [207, 207, 429, 429]  # what is inflated counts
    assert 0 < int(answers[3].headers["Retry-After"]) <= 3600
    assert '"bytes";r=0;' in answers[3].headers["RateLimit"]
    monkeypatch.setattr(authenticate, "LIMIT", Limit(requests=50, seconds=3600, sent=10**9, work=1))
    other = hotline(app, "other")
    assert [other.push([notice(n) for n in range(50)], key=f"k{n}").status_code for n in range(2)] == [207, 429]
    refused = hotline(app, "other")
    huge = HOSTILE["backslashes"]
    assert [refused.push(huge).status_code for _ in range(2)] == [413, 429]  # what is refused has cost all the same
