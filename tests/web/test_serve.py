"""The production server answers, and stops when it is told to."""

from __future__ import annotations

import multiprocessing
import socket
import time
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from monitor.settings import Settings
from web.serve import serve


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(address: str) -> bytes:
    """The answer, asked for until it comes."""
    for _ in range(600):  # starting takes seconds on a busy machine
        try:
            with urlopen(address, timeout=5) as answer:
                return bytes(answer.read())
        except URLError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def test_the_site_is_served_with_its_settings(tmp_path: Path) -> None:
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(Settings(home=tmp_path), "127.0.0.1", port, 1)
    )
    server.start()
    try:
        assert b'"ok"' in wait_for(f"http://127.0.0.1:{port}/healthz")
        assert (tmp_path / "monitor.db").exists()
    finally:
        server.terminate()
        server.join(10)
    assert not server.is_alive()
    server.close()
