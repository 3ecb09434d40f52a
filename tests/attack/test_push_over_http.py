"""Pushes through the real server, over raw connections: broken, slow, dear ones; the site and other pushes go on."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import Engine, func, select

from monitor.access.tokens import SCOPES, issue
from monitor.db import connect, lock_writers, transaction
from monitor.formats.xarf_objects import BODY_LIMIT
from monitor.instants import to_datetime
from monitor.models.account import PushedRequest
from monitor.models.facts import Delivery
from monitor.settings import Settings
from monitor.vault import create_keys
from tests.attack.bodies import dearest_legal
from tests.conftest import NewDatabase
from tests.web.desk.pushing import SOURCES, notice
from tests.web.test_serve import ask, free_port, served, until, worker
from web.command import desk_service
from web.desk.authenticate import TOTAL


@dataclass(frozen=True)
class Site:
    """A served site, and its database."""

    port: int
    engine: Engine

    def token(self) -> str:
        """A new token, which has used nothing of its limit."""
        with transaction(self.engine) as session:
            return issue(session, "hotline", SCOPES, to_datetime(int(time.time())), 1, "operator")[1]

    def stored(self) -> tuple[int, int]:
        """How many deliveries and idempotency keys there are."""
        with transaction(self.engine) as session:
            counts = [session.scalar(select(func.count()).select_from(m)) for m in (Delivery, PushedRequest)]
        return counts[0] or 0, counts[1] or 0

    def connect(self) -> socket.socket:
        """A raw connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def push(self, token: str, key: str, body: bytes, **more: str) -> tuple[int, bytes]:
        """Status and content of the answer to a push that is sent as it should be."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request("POST", "/api/v1/notices", body, headers(token, key) | more)
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Site]:
    """One served by one process."""
    home, url = tmp_path_factory.mktemp("served"), new_database()
    settings = Settings(home=home, database_url=url, sources=SOURCES)
    create_keys(settings.key_file)
    engine = connect(url)
    with served(desk_service(settings, port=free_port()), 1) as port:
        yield Site(port, engine)
    engine.dispose()


def headers(token: str, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"}


def head(token: str, key: str, *more: str) -> bytes:
    lines = ["POST /api/v1/notices HTTP/1.1", "Host: monitor.example"]
    lines += [f"{name}: {value}" for name, value in headers(token, key).items()]
    return "\r\n".join([*lines, *more, "", ""]).encode()


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """Status and head of the next answer."""
    found = b""
    while b"\r\n\r\n" not in found:
        piece = connection.recv(65536)
        if not piece:
            break
        found += piece
    return int(found.split(b" ", 2)[1]) if found else 0, found


def batch(*numbers: int) -> bytes:
    return json.dumps([notice(number) for number in numbers]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def promised(token: str, body: bytes, length: int) -> bytes:
    return head(token, "k", f"Content-Length: {length}") + body


def chunked(token: str, data: bytes) -> bytes:
    return head(token, "k", "Transfer-Encoding: chunked") + data


CUT = {
    "before the promised length": lambda token, body: promised(token, body, len(body) + 100),
    "in the middle of the length": lambda token, body: promised(token, body[:-9], len(body)),
    "without the last chunk": lambda token, body: chunked(token, chunk(body)),
    "in a chunk": lambda token, body: chunked(token, chunk(body)[:-9]),
    "in a chunk that is none": lambda token, body: chunked(token, chunk(body) + b"zz\r\n"),
}


@pytest.mark.parametrize("how", CUT)
@pytest.mark.parametrize("ends", ["half closed", "closed"])
def test_a_body_that_is_not_known_to_be_whole_takes_no_key(site: Site, how: str, ends: str) -> None:
    token, before = site.token(), site.stored()
    body = batch(1, 2)
    with closing(site.connect()) as connection:
        connection.sendall(CUT[how](token, body))
        if ends == "half closed":
            connection.shutdown(socket.SHUT_WR)
            assert answer_of(connection)[0] in (400, 411)
    time.sleep(0.3)  # what was closed is noticed by then
    assert site.stored() == before
    status, told = site.push(token, "k", body)
    assert (status, [item["status"] for item in json.loads(told)["items"]][:2]) in (
        (207, [201, 201]),
        (207, [200, 200]),
    )
    assert site.stored()[1] == before[1] + 1


def test_a_body_in_chunks_is_taken_where_it_is_whole_and_not_too_large(site: Site) -> None:
    token, before = site.token(), site.stored()
    with closing(site.connect()) as connection:
        connection.sendall(head(token, "k", "Transfer-Encoding: chunked"))
        for _ in range(BODY_LIMIT // 2**20 + 2):
            connection.sendall(chunk(b" " * 2**20))
        connection.sendall(chunk(b""))
        status, told = answer_of(connection)
    assert status == 413
    assert b"application/problem+json" in told
    assert site.stored() == before
    with closing(site.connect()) as connection:
        connection.sendall(head(token, "k", "Transfer-Encoding: chunked") + chunk(batch(3)) + chunk(b""))
        assert answer_of(connection)[0] == 207
    assert site.push(token, "k", batch(3))[0] == 207  # the same body under the same key: the same answer
    assert site.stored()[1] == before[1] + 1


def test_who_asks_before_sending_too_much_is_told_at_once(site: Site) -> None:
    with closing(site.connect()) as connection:
        connection.sendall(head(site.token(), "k", f"Content-Length: {BODY_LIMIT + 1}", "Expect: 100-continue"))
        status, told = answer_of(connection)
    assert status == 413
    assert b"100 Continue" not in told


def test_who_asks_before_sending_enough_may_send(site: Site) -> None:
    body = batch(4)
    with closing(site.connect()) as connection:
        connection.sendall(head(site.token(), "k", f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert answer_of(connection)[0] == 100
        connection.sendall(body)
        assert answer_of(connection)[0] == 207


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 3 * BODY_LIMIT])
@pytest.mark.parametrize(("name", "value", "expected"), [("X", "x", 413), ("Content-Type", "text/csv", 415)])
def test_a_client_that_sends_all_of_it_first_gets_its_answer(
    site: Site, size: int, name: str, value: str, expected: int
) -> None:
    status, told = site.push(site.token(), "k", b" " * size, **{name: value})  # raises where the connection breaks
    assert status == expected
    assert json.loads(told)["status"] == expected


def processor_time(process: int) -> float:
    """Seconds of CPU that a process took so far (Linux: /proc)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def push_process(of: int) -> int:
    """The process that a worker has its pushes applied in."""
    found = [
        int(child)
        for task in Path(f"/proc/{of}/task").iterdir()
        for child in (task / "children").read_text().split()
        if b"monitor.push.process" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    [process] = found
    return process


def has_ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def server_of(site: Site) -> int:
    with closing(HTTPConnection("127.0.0.1", site.port, timeout=60)) as connection:
        return int(worker(connection))


def seconds_for_an_answer(site: Site, query: str) -> float:
    """How long another answer of the same worker takes."""
    begun = time.perf_counter()
    with closing(HTTPConnection("127.0.0.1", site.port, timeout=120)) as connection:
        ask(connection, f"/static/site.css?{query}")
    return time.perf_counter() - begun


def test_the_dearest_body_that_is_legal_does_not_hold_the_site_up(site: Site) -> None:
    token = site.token()
    assert site.push(token, "warm", batch(5))[0] == 207  # its process has started
    page_worker = server_of(site)
    pushes = push_process(page_worker)
    idle = [seconds_for_an_answer(site, f"per_page={100 + n}") for n in range(12)]
    before = processor_time(page_worker), processor_time(pushes)
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(site.push(token, "dear", dearest_legal())[0]))
    thread.start()
    meanwhile: list[float] = []
    while thread.is_alive():
        meanwhile.append(seconds_for_an_answer(site, f"per_page={200 + len(meanwhile)}"))
    thread.join()
    of_answers = median(idle) * len(meanwhile)
    spent = processor_time(page_worker) - before[0], processor_time(pushes) - before[1]
    assert answers == [207]
    assert len(meanwhile) >= 10  # others were answered while it was worked on
    assert median(meanwhile) < 10 * median(idle) + 0.05
    assert spent[1] > 1  # it was dear, and elsewhere:
    assert spent[0] < spent[1] / 2 + 3 * of_answers


@contextmanager
def stalled(site: Site, token: str, count: int) -> Iterator[None]:
    """So many uploads of a token that stop in the middle."""
    with ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(closing(site.connect()))
            connection.sendall(head(token, f"s{number}", "Content-Length: 100000") + b"[" * 70_000)
        time.sleep(0.5)
        yield
    time.sleep(0.5)


def test_uploads_that_stall_hold_up_neither_the_site_nor_other_hotlines(site: Site) -> None:
    slow, other = site.token(), site.token()
    with stalled(site, slow, 3 * TOTAL):  # more than there are threads: none is held by a body that does not come
        assert site.push(slow, "k", batch(6))[0] == 207
        assert site.push(other, "k", batch(6))[0] == 207
        assert [seconds_for_an_answer(site, f"per_page={300 + n}") < 30 for n in range(8)] == [True] * 8
    assert site.push(slow, "k2", batch(7))[0] == 207


def test_while_facts_are_being_written_pushes_wait_and_the_site_does_not(site: Site) -> None:
    tokens = [site.token() for _ in range(3)]
    assert site.push(tokens[0], "warm", batch(8))[0] == 207
    answers: list[int] = []
    with transaction(site.engine) as session:
        lock_writers(session)
        threads = [
            threading.Thread(target=lambda t=token: answers.append(site.push(t, "k", batch(9))[0])) for token in tokens
        ]
        for thread in threads:
            thread.start()
        assert [seconds_for_an_answer(site, f"per_page={400 + n}") < 30 for n in range(8)] == [True] * 8
    for thread in threads:
        thread.join()
    assert answers == [207] * 3


def test_the_process_knows_little_ends_with_its_worker_and_is_started_again(site: Site) -> None:
    token = site.token()
    assert site.push(token, "k1", batch(10))[0] == 207
    first = push_process(server_of(site))
    environment = Path(f"/proc/{first}/environ").read_bytes()
    arguments = Path(f"/proc/{first}/cmdline").read_bytes()
    secrets = [b"MONITOR_", site.engine.url.database.encode()] if site.engine.url.database else []
    assert [secret in environment + arguments for secret in secrets] == [False] * len(secrets)
    limits = Path(f"/proc/{first}/limits").read_text().splitlines()
    assert next(line for line in limits if "core file" in line).split()[4:6] == ["0", "0"]
    os.kill(first, signal.SIGKILL)  # as the system does with one that takes too much memory
    status, told = site.push(token, "k2", batch(11))
    if status == 503:  # the end was seen only in the middle
        assert json.loads(told)["type"] == "urn:problem:hosting-monitor:broke-off"
        status, _ = site.push(token, "k2", batch(11))
    assert status == 207
    assert push_process(server_of(site)) != first


def test_the_process_outlives_no_worker(tmp_path: Path, new_database: NewDatabase) -> None:
    url = new_database()
    settings = Settings(home=tmp_path, database_url=url, sources=SOURCES)
    create_keys(settings.key_file)
    engine = connect(url)
    with served(desk_service(settings, port=free_port()), 1) as port:
        site = Site(port, engine)
        token = site.token()
        assert site.push(token, "k1", batch(1))[0] == 207
        killed = server_of(site)
        pushes = push_process(killed)
        thread = threading.Thread(target=lambda: _pushed_to_nobody(site, token))
        thread.start()
        time.sleep(0.5)  # in the middle of it
        os.kill(killed, signal.SIGKILL)
        until(
            lambda: not Path(f"/proc/{pushes}").exists() or "Z" in Path(f"/proc/{pushes}/stat").read_text().split()[2]
        )
        thread.join()
        assert site.stored()[1] in (1, 2)  # whole or not at all
    engine.dispose()


def _pushed_to_nobody(site: Site, token: str) -> None:
    try:
        site.push(token, "k2", dearest_legal())
    except OSError:
        return
