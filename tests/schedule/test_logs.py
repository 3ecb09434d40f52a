"""No address is logged, whoever logs and however; and what is logged can be read by a program."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from twisted.logger import STDLibLogObserver, globalLogPublisher
from twisted.python import log as twisted_log

from monitor import logs
from monitor.settings import Settings

CANARY = "canary-7f3a9c.example"
URL = f"http://{CANARY}/a/b?c=d"
LIBRARIES = [
    "scrapy.core.engine",
    "scrapy.core.scraper",
    "twisted",
    "sqlalchemy.engine.Engine",
    "sqlalchemy.pool",
    "apscheduler.executors",
    "flask.app",
    "werkzeug",
    "uvicorn.error",
    "uvicorn.access",
    "urllib3.connectionpool",
    "asyncio",
    "alembic.runtime.migration",
    "py.warnings",
]


@pytest.fixture(autouse=True)
def levels_of_their_own() -> Iterator[None]:
    """What a test makes of the libraries' loggers ends with it."""
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    yield
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture(params=["json", "text"])
def form(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> str:
    """Both forms, on the standard error that `capfd` reads."""
    logs.configure(Settings(log_format=request.param), {"run": "4f1c", "source": "urlhaus"})
    return str(request.param)


def _fail() -> None:
    raise ValueError(f"cannot read {URL}")


def _log_in_every_way(name: str) -> None:
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.error("fetched %s in %d ms", URL, 7)
    logger.error("fetched %(url)s", {"url": URL})
    logger.error(f"fetched {URL}")  # noqa: G004 -- what a library might do
    logger.error("too few %s %s", URL)
    logger.error(ValueError(URL))
    logger.error("with extra", extra={"url": URL})
    try:
        _fail()
    except ValueError:
        logger.exception("failed for %s", URL)
    logger.error("as stack", stack_info=True)


@pytest.mark.parametrize("name", LIBRARIES)
def test_no_library_logs_an_address(name: str, form: str, capfd: pytest.CaptureFixture[str]) -> None:
    _log_in_every_way(name)
    in_words = f"no host %s and none in words: {CANARY}:443/x 192.0.2.7:80 [2001:db8::7] 2001:db8:0:1::7"
    logging.getLogger(name).error(in_words, CANARY)
    said = "".join(capfd.readouterr())
    assert "fetched" in said
    assert "ValueError at" in said
    assert "_fail" in said
    for secret in ("canary", "7f3a9c", "c=d", "192.0.2.7", "2001:db8", "/a/b"):
        assert secret not in said


def test_our_own_slip_is_caught(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    _log_in_every_way("monitor.ingest.delivery")
    logging.getLogger("spiders.pipeline").error("hxxp://%s/x and https%%3A%%2F%%2F%s%%2Fx", CANARY, CANARY)
    said = "".join(capfd.readouterr())
    assert "canary" not in said
    assert "fetched <address> in 7 ms" in said


def test_a_secret_location_is_hidden_by_name(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(), hide={"/srv/drop/s3cr3t": "<scart>"})
    logging.getLogger("monitor").info("reading /srv/drop/s3cr3t")
    assert "reading <scart>" in capfd.readouterr().err


def test_what_nobody_catches(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"odd: {URL}", stacklevel=1)

    async def forgotten() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": f"lost {URL}", "exception": ValueError(URL)})

    asyncio.run(forgotten())
    said = "".join(capfd.readouterr())
    assert "unexpected ValueError at" in said
    assert "canary" not in said


def test_real_libraries(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    engine = create_engine("sqlite://", echo=True)
    with pytest.raises(SQLAlchemyError), engine.connect() as connection:
        connection.execute(text("SELECT :url FROM nothing"), {"url": URL})
    engine.dispose()
    observer = cast(Any, STDLibLogObserver())
    globalLogPublisher.addObserver(observer)
    twisted: Any = twisted_log
    twisted.err(ValueError(URL), f"while fetching {URL}")
    twisted.msg(f"fetched {URL}")
    globalLogPublisher.removeObserver(observer)
    app = Flask("site")
    app.add_url_rule("/<path:rest>", "fail", cast(Any, lambda rest: _fail()))
    assert app.test_client().get(f"/{CANARY}/x").status_code == 500
    said = "".join(capfd.readouterr())
    assert "SELECT" in said
    assert "ValueError" in said
    assert "canary" not in said


def test_a_line_that_cannot_be_written_says_nothing_of_why(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise ValueError(URL)

    try:
        _fail()
    except ValueError:
        logging.getLogger("monitor").exception("odd", extra={"what": Unprintable()})
    assert capfd.readouterr().err == "monitor: a line could not be logged\n"


def test_lines_of_json(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"), {"run": "4f1c", "source": "urlhaus"})
    logging.getLogger("monitor.schedule").warning("judged\nand done", extra={"event": "run_judged", "rows": 3})
    line = json.loads(capfd.readouterr().err)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "monitor.schedule",
        "message": "judged\nand done",
        "run": "4f1c",
        "source": "urlhaus",
        "event": "run_judged",
        "rows": 3,
    }


def test_a_line_of_text_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(), {"run": "4f1c"})
    logging.getLogger("monitor.schedule").warning("a\nb", extra={"event": "x"})
    said = capfd.readouterr().err
    assert said.endswith("Z WARNING a | b [run=4f1c event=x]\n")
    assert said.count("\n") == 1
