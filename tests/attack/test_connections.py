"""Connections that say nothing, little, or listen to nothing: they end, and the site answers all the while."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitor.formats.xarf_objects import BODY_LIMIT
from monitor.settings import Limits
from tests.web.test_serve import free_port, until
from web.shared.serve import Service, run

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CROWD = 1500  # silent connections: as many as once stopped the site
LIMITS = Limits(header_seconds=4, idle_seconds=3, body_seconds=3, answer_seconds=3)
LARGE = 64 * 1024 * 1024  # bytes of an answer, more than any socket holds
SOON = 5.0  # seconds for one answer on a busy machine; a site that is stopped takes until the crowd goes
LATE = 30.0  # seconds by which what has a limit of a few must have ended


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Says who it is, gives back what it is sent, or sends more than anybody wants."""
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Length", str(LARGE))])
        return (b"x" * 65536 for _ in range(LARGE // 65536))
    body = environ["wsgi.input"].read() or b"ok"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def load() -> Callable[..., Any]:
    """The application, in each worker."""
    return application


@contextmanager
def site(limits: Limits = LIMITS) -> Iterator[int]:
    """The port of a running site with one worker."""
    port = free_port()
    service = Service(load, port=port, limits=limits, most_bytes=BODY_LIMIT)
    server = multiprocessing.get_context("spawn").Process(target=run, args=([service],))
    server.start()
    try:
        until(lambda: _answers(port))
        yield port
    finally:
        server.terminate()
        server.join(30)
        server.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """One site for the tests that leave it as it was."""
    with site() as port:
        yield port


def _answers(port: int) -> bool:
    try:
        return ask(port) == (200, b"ok")
    except OSError:
        return False


def ask(port: int, path: str = "/") -> tuple[int, bytes]:
    """Status and body of the answer to a reader who has just come; OSError where there is none soon."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=SOON)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def connected(port: int, sent: bytes = b"") -> socket.socket:
    """A connection on which this much was sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=LATE)
    connection.sendall(sent)
    return connection


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has ended a connection, without waiting for it."""
    connection.setblocking(False)
    try:
        return connection.recv(65536) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def ended(connection: socket.socket) -> bytes:
    """All that comes until the other side ends the connection; TimeoutError where it does not."""
    found = bytearray()
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionError:
        pass
    return bytes(found)


@contextmanager
def crowd(port: int, sent: bytes, number: int = CROWD) -> Iterator[list[socket.socket]]:
    """So many connections on which this was sent, and nothing after it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this process may open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        yield [stack.enter_context(closing(connected(port, sent))) for _ in range(number)]


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: site.example\r\nX-Half: "],
    ids=["silent", "half a line", "half a head"],
)
def test_a_crowd_that_does_not_ask_keeps_nobody_out_and_is_sent_away(port: int, sent: bytes) -> None:
    with crowd(port, sent) as connections:
        assert [ask(port) for _ in range(3)] == [(200, b"ok")] * 3
        until(lambda: all(map(is_closed, connections)))
    assert ask(port) == (200, b"ok")


def test_a_head_that_comes_a_byte_a_second_is_not_waited_for(port: int) -> None:
    begun = time.monotonic()
    with closing(connected(port)) as connection:
        for byte in b"GET / HTTP/1.1\r\nHost: site.example\r\nX-Long: and longer and longer\r\n\r\n":
            try:
                connection.sendall(bytes([byte]))
            except ConnectionError:
                break
            time.sleep(0.5)
            if is_closed(connection):
                break
    assert time.monotonic() - begun < 30, "all of it was waited for"


def test_a_connection_that_has_had_its_answer_may_rest_and_then_ends(port: int) -> None:
    with closing(connected(port, b"GET / HTTP/1.1\r\nHost: site.example\r\n\r\n")) as connection:
        found = ended(connection)
    assert found.startswith(b"HTTP/1.1 200 OK")
    assert found.endswith(b"ok")
    assert found.count(b"HTTP/1.1") == 1


HEAD = b"POST / HTTP/1.1\r\nHost: site.example\r\n"
SLOW_BODIES = {
    "nothing of it": HEAD + b"Content-Length: 1000\r\n\r\n",
    "half of it": HEAD + b"Content-Length: 1000\r\n\r\n" + b"x" * 500,
    "a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
}


@pytest.mark.parametrize("sent", SLOW_BODIES.values(), ids=SLOW_BODIES)
def test_a_body_that_does_not_come_is_given_up_and_no_thread_waits_for_it(port: int, sent: bytes) -> None:
    with crowd(port, sent, 20) as connections:  # far more than there are threads
        assert ask(port) == (200, b"ok")
        for connection in connections:
            connection.settimeout(LATE)
            assert ended(connection).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_comes_slowly_but_comes_is_taken(port: int) -> None:
    sent = b"y" * 20_000
    with closing(connected(port, HEAD + b"Content-Length: 20000\r\nConnection: close\r\n\r\n")) as connection:
        for start in range(0, len(sent), 2000):  # twice as fast as it must be, and longer than a still body may take
            time.sleep(1)
            connection.sendall(sent[start : start + 2000])
        assert ended(connection).endswith(sent)


def test_a_body_that_is_cut_off_never_reaches_the_site(port: int) -> None:
    with closing(connected(port, HEAD + b"Content-Length: 1000\r\n\r\nhalf")) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert ended(connection).startswith(b"HTTP/1.1 400 ")


def test_more_bodies_than_may_come_at_a_time_are_sent_away() -> None:
    with site(Limits(max_uploads=2, body_seconds=60)) as port, crowd(port, SLOW_BODIES["half of it"], 2):
        until(lambda: _status(port, SLOW_BODIES["half of it"]) == b"503")
        assert ask(port) == (200, b"ok")


def _status(port: int, sent: bytes) -> bytes:
    with closing(connected(port, sent)) as connection:
        connection.settimeout(1)
        try:
            return connection.recv(100)[9:12]
        except TimeoutError:
            return b""


def test_a_reader_who_takes_nothing_is_let_go_and_no_thread_waits_for_him(port: int) -> None:
    with crowd(port, b"GET /large HTTP/1.1\r\nHost: site.example\r\n\r\n", 20) as connections:
        assert ask(port) == (200, b"ok")
        deadline = time.monotonic() + LATE  # what lies in the sockets is read only once the site has given up
        while any(_is_established(connection) for connection in connections) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not any(_is_established(connection) for connection in connections)
        assert ask(port) == (200, b"ok")


def _is_established(connection: socket.socket) -> bool:
    """Whether the connection lasts, without reading of it (Linux: the first byte of tcp_info is its state)."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01"


def test_a_reader_who_is_slow_gets_all_of_it(port: int) -> None:
    with closing(connected(port, b"GET /large HTTP/1.1\r\nHost: s.example\r\nConnection: close\r\n\r\n")) as connection:
        size, begun = 0, time.monotonic()
        while data := connection.recv(1024 * 1024):
            size += len(data)
            if time.monotonic() - begun < 8:  # longer than he may take nothing
                time.sleep(0.2)
    assert size > LARGE


def test_beyond_the_most_connections_the_rest_is_refused_at_once_and_those_served_go_on() -> None:
    with site(Limits(max_connections=50, header_seconds=60)) as port, ExitStack() as stack:
        reader = stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=SOON)))
        reader.connect()
        silent = stack.enter_context(crowd(port, b"", 49))
        with crowd(port, b"", 100) as refused:
            for connection in refused:
                connection.settimeout(SOON)
                assert ended(connection).startswith(b"HTTP/1.1 503 ")
            for _ in range(3):
                reader.request("GET", "/")
                assert reader.getresponse().read() == b"ok"
            assert not any(map(is_closed, silent))
        silent.pop().close()
        until(lambda: _answers(port))


def test_a_head_without_end_is_refused_in_little_memory(port: int) -> None:
    for endless in (b"GET /" + b"a" * 4096, b"GET / HTTP/1.1\r\nX: " + b"a" * 4096, b"GET / HTTP/1.1\r\n"):
        with closing(connected(port, endless)) as connection:
            sent = 0
            try:
                while sent < 8 * 1024 * 1024:
                    connection.sendall(b"X-a: b\r\n" * 512 if endless.endswith(b"\n") else b"a" * 4096)
                    sent += 4096
            except ConnectionError:
                pass
            assert sent < 8 * 1024 * 1024, "it was listened to"
    assert ask(port) == (200, b"ok")


def test_a_worker_that_is_killed_is_replaced_and_none_outlives_the_site(tmp_path: Path) -> None:
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=run, args=([Service(load, port=port, limits=LIMITS)],))
    server.start()
    try:
        until(lambda: _answers(port))
        [worker] = _children(server.pid)
        os.kill(worker, signal.SIGKILL)
        until(lambda: _children(server.pid) not in ([worker], []) and _answers(port))
        [worker] = _children(server.pid)
        server.kill()
        until(lambda: not _is_running(worker))
    finally:
        server.kill()
        server.join()


def _children(pid: int | None) -> list[int]:
    """The workers of a site: the processes it started but the one that keeps track of them (Linux)."""
    found = [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
    return [child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


NGINX_CONF = Path(__file__).parents[2] / "docs" / "nginx.conf"


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[int]:
    """The port of an nginx with the configuration that we ship, before the site; limits of time shortened."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    folder, front = tmp_path_factory.mktemp("nginx"), free_port()
    shipped = NGINX_CONF.read_text("utf-8")
    for ours, here in (
        ("server 127.0.0.1:8000", f"server 127.0.0.1:{port}"),
        ("server 127.0.0.1:8001", f"server 127.0.0.1:{port}"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{front};"),
        ("client_header_timeout 10s", "client_header_timeout 4s"),
        ("keepalive_timeout 15s", "keepalive_timeout 3s"),
        ("client_body_timeout 10s", "client_body_timeout 3s"),
        ("limit_conn reader 40;", ""),  # all of this test comes from one address
    ):
        assert shipped.count(ours) == 1, ours
        shipped = shipped.replace(ours, here)
    plain = "\n".join(line for line in shipped.splitlines() if "ssl_" not in line)
    (folder / "site.conf").write_text(plain, "utf-8")
    main = (
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_rlimit_nofile 8192;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{ access_log {folder}/access.log;\n"
        f"include {folder}/site.conf; }}\n"
    )
    (folder / "nginx.conf").write_text(main, "utf-8")
    with subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]) as process:
        try:
            until(lambda: process.poll() is not None or _answers(front))
            assert process.poll() is None, (folder / "error.log").read_text()
            yield front
        finally:
            process.terminate()


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: site.example\r\nX-Half: "], ids=["silent", "half a head"]
)
def test_behind_nginx_the_crowd_is_sent_away_too(behind_nginx: int, sent: bytes) -> None:
    with crowd(behind_nginx, sent) as connections:
        assert [ask(behind_nginx) for _ in range(3)] == [(200, b"ok")] * 3
        until(lambda: all(map(is_closed, connections)))
    assert ask(behind_nginx) == (200, b"ok")


def test_behind_nginx_a_body_is_taken_whole_and_one_that_does_not_come_is_given_up(behind_nginx: int) -> None:
    sent = b"z" * 1_000_000
    whole = (
        b"POST /api/v1/notices HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n"
    )
    with closing(connected(behind_nginx, whole + sent)) as connection:
        assert ended(connection).endswith(sent)
    with crowd(behind_nginx, whole + b"half", 20) as connections:
        assert ask(behind_nginx) == (200, b"ok")
        for connection in connections:
            connection.settimeout(LATE)
            assert b" 200 " not in ended(connection)
