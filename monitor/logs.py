"""What is logged, and what never is: lines of JSON or text with the run's name, and no address in any of them.

Redaction happens where a record is made, before any handler of ours or of a library sees it. Of our own records, what
looks like a URL goes. Of a library's, every argument that is not a number goes too: only its fixed words stay, and of
an exception its type and its frames. It is the last line of defence; the first is not to write such a thing.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from monitor.settings import Settings, SiteSettings

_OURS = ("monitor", "spiders", "web", "reports")
# Each is tried once where a run of its signs begins, and gives nothing back: its time grows with the length only.
_ADDRESS = re.compile(r"(?i)(?<![\w+.-])[\w+.-]++(?::|\[:\]|%3a)(?://|%2f%2f)\S*+")
_HOST = re.compile(r"(?i)(?<![\w.-])[\w.-]*?[\w-]\.[a-z]{2}[\w.-]*+(?::\d++)?+(?:/\S*+)?+")
_NUMERIC = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b(?::\d+)?(?:/\S*)?|\[?(?:[0-9a-f]{0,4}:){3,}+[0-9a-f]{0,4}\]?", re.I)
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "shown_event"}
_REDACTED = "<address>"
_make = logging.LogRecord


def redacted(text: str) -> str:
    """The text without what looks like a URL."""
    return _ADDRESS.sub(_REDACTED, text)


def frames(trace: TracebackType | None) -> list[str]:
    """Where an exception came from, innermost last: module, line and function; no words of the exception."""
    return [f"{f.f_globals.get('__name__', '?')}:{line} {f.f_code.co_name}" for f, line in traceback.walk_tb(trace)]


class RedactingLogRecord(logging.LogRecord):
    """A record whose message is formatted and redacted at once: no handler sees the arguments or the exception text."""

    hidden: Mapping[str, str] = {}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        ours = self.name.split(".")[0] in _OURS or self.name == "root"
        self.msg = self._hide(_message(self.msg, self.args, ours=ours), ours=ours)
        self.args = ()
        if self.exc_info and self.exc_info[1] is not None:
            error = self.exc_info[1]
            self.msg += f" | {type(error).__name__} at {' < '.join(reversed(frames(error.__traceback__)))}"
        self.exc_info = self.exc_text = self.stack_info = None

    def _hide(self, text: str, *, ours: bool) -> str:
        for secret, shown in self.hidden.items():
            text = text.replace(secret, shown)
        text = redacted(text)
        return text if ours else _NUMERIC.sub(_REDACTED, _HOST.sub(_REDACTED, text))


def _message(template: object, arguments: Any, *, ours: bool) -> str:
    """The message; a library's with its numbers only. One that cannot be put together says so, and nothing else."""
    if not isinstance(template, str):
        return str(template) if ours else f"<{type(template).__name__}>"
    if not arguments:
        return template
    try:
        return str(template % (arguments if ours else _numbers(arguments)))
    except (TypeError, ValueError, KeyError):
        return "<a message that does not fit its arguments>"


def _numbers(arguments: Any) -> Any:
    if isinstance(arguments, Mapping):
        return {name: _number(value) for name, value in arguments.items()}
    return tuple(_number(value) for value in arguments)


def _number(value: object) -> object:
    return value if isinstance(value, int | float) else "<...>"


def _extra(record: logging.LogRecord) -> dict[str, object]:
    """The fields that a record of ours brings, redacted; none of a library's, which are its objects."""
    ours = record.name.split(".")[0] in _OURS
    return {name: _safe(value) for name, value in vars(record).items() if ours and name not in _PLAIN}


def _safe(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else redacted(str(value))


class _Json(JsonFormatter):
    """When, how bad, who, what, the fields of this process and those of the record."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        super().__init__(static_fields=dict(fields), json_ensure_ascii=False)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:  # noqa: ARG002
        """All that a line says. What the library would add by itself is a record's fields as they are."""
        log_data |= {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        log_data |= {"message": record.getMessage(), **self.static_fields, **_extra(record)}


class _Text(logging.Formatter):
    """The same for people, on one line."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        super().__init__()
        self.fields = fields

    def format(self, record: logging.LogRecord) -> str:
        values = " ".join(f"{name}={value}" for name, value in {**self.fields, **_extra(record)}.items())
        line = f"{_time(record)} {record.levelname} {record.getMessage()}".replace("\n", " | ")
        return f"{line} [{values}]" if values else line


class _Handler(logging.Handler):
    """Writes to standard error, whatever that is when a line is written."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line. Where it cannot be made, a line says so; logging would print why, and all that led to it."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 -- what is logged must not end what runs, nor say what failed
            line = "monitor: a line could not be logged"
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"


def configure(
    settings: Settings | SiteSettings, fields: Mapping[str, object] | None = None, hide: Mapping[str, str] | None = None
) -> None:
    """Log to standard error from here on. `fields` stand on every line; `hide` maps secrets to what is shown instead.

    Replaces the handlers of the root logger and what happens to exceptions that nobody catches.
    """
    RedactingLogRecord.hidden = {secret: shown for secret, shown in (hide or {}).items() if secret}
    logging.setLogRecordFactory(RedactingLogRecord)
    handler = _Handler(logging.INFO)  # Scrapy turns its loggers to DEBUG
    logging.raiseExceptions = False  # a library's handler would print what it could not print
    handler.setFormatter((_Json if settings.log_format == "json" else _Text)(fields or {}))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda caught: _uncaught(caught.exc_type, caught.exc_traceback)
    sys.unraisablehook = lambda caught: _uncaught(caught.exc_type, caught.exc_traceback)


def _uncaught(kind: type[BaseException], trace: TracebackType | None) -> None:
    where = " < ".join(reversed(frames(trace)))
    logging.getLogger("monitor").error("unexpected %s at %s", kind.__name__, where, extra={"event": "uncaught"})
