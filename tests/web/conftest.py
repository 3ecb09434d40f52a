"""A site over an invented release, for the test client and for a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from monitor.db import connect
from monitor.settings import Settings
from tests.conftest import NewDatabase
from tests.support.published import COMPANIES, filler, invent, publish, with_hash_hits
from web.app import create_app


def site(folder: Path, url: str, *, empty: bool = False, demonstration: bool = True) -> Flask:
    """A site over a new database: one ranked period with a correction that has hash hits, one larger, one without
    ranks; or nothing."""
    settings = Settings(home=folder, database_url=url, demonstration=demonstration)
    engine = connect(settings.database_url)
    with Session(engine) as session:
        if not empty:
            publish(session, invent("2026-03-11..2026-04-11", ranked=False))
            publish(session, invent("2026Q1", COMPANIES + filler(60)))
            publish(session, invent("2026Q2", COMPANIES[:-1]))
            publish(session, with_hash_hits(invent("2026Q2")), version=2)
    engine.dispose()
    return create_app(settings)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Flask]:
    """The site with releases."""
    opened = site(tmp_path_factory.mktemp("site"), new_database())
    yield opened
    opened.extensions["monitor_engine"].dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A reader of that site."""
    return app.test_client()


@pytest.fixture
def empty_client(tmp_path: Path, new_database: NewDatabase) -> Iterator[FlaskClient]:
    """A reader of a site before its first release."""
    opened = site(tmp_path, new_database(), empty=True)
    yield opened.test_client()
    opened.extensions["monitor_engine"].dispose()


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
