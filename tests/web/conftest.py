"""The public site over an invented release, for the test client and for a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from tests.support.publications import Version, public_site
from tests.support.published import COMPANIES, filler, invent, with_hash_hits

RELEASES = (
    Version(invent("2026-03-11..2026-04-11", ranked=False)),
    Version(invent("2026Q1", COMPANIES + filler(60))),
    Version(invent("2026Q2", COMPANIES[:-1])),
    Version(with_hash_hits(invent("2026Q2")), version=2),
)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published home, made once for all tests, which only read it: one ranked period with a correction that has hash
    hits, one larger, one without ranks."""
    folder = tmp_path_factory.mktemp("site")
    public_site(folder, *RELEASES)
    return folder


@pytest.fixture(scope="session")
def app(home: Path) -> Flask:
    """The site with releases."""
    return public_site(home, demonstration=True)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A reader of that site."""
    return app.test_client()


@pytest.fixture
def empty_client(tmp_path: Path) -> FlaskClient:
    """A reader of a site before its first release."""
    return public_site(tmp_path, demonstration=True).test_client()


@contextmanager
def on_a_port(app: Flask) -> Iterator[str]:
    """The address of a site on a real port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def address(app: Flask) -> Iterator[str]:
    """The site on a real port."""
    with on_a_port(app) as found:
        yield found
