"""What the operator is told, once when it begins and once when it ends: kept in the database, told by a hook.

A message that fails is sent again; after a crash at the wrong moment it may come twice, but never not at all.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from sqlalchemy import Engine, delete, false, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monitor.db import connect, transaction
from monitor.instants import iso, to_datetime, to_instant
from monitor.logs import redacted
from monitor.models.run import Alert
from monitor.settings import Alerts, Settings

_log = logging.getLogger(__name__)

# These last until they end.
SOURCE_STALE = "source_stale"
SOURCE_FAILING = "source_failing"
DELIVERY_SUSPICIOUS = "delivery_suspicious"  # ends with the decision
CHECKPOINT_FAILED = "checkpoint_failed"  # the audit trail is not signed, or not what was signed
# These are over when they happen.
DELIVERY_REFUSED = "delivery_refused"
LEADER_CHANGED = "leader_changed"
SCHEDULE_STOPPED = "schedule_stopped"
_MOMENTS = frozenset({DELIVERY_REFUSED, LEADER_CHANGED, SCHEDULE_STOPPED})

_TRY_AGAIN = timedelta(minutes=5)


def raise_alert(settings: Settings, kind: str, subject: str, details: Mapping[str, Any]) -> None:
    """Write an alert down and tell the operator. One that is raised already is not raised again.

    In a transaction of its own: call it after yours, which on SQLite would keep it waiting. `details` must not hold a
    URL. Raises SQLAlchemyError where the database fails; a failing hook is logged, and the schedule tries it again.
    """
    _with_engine(settings, lambda session: begin(session, kind, subject, details, int(time.time())))


def end_alert(settings: Settings, kind: str, subject: str) -> None:
    """Write down that it is over, and tell; nothing where it had not begun."""
    _with_engine(settings, lambda session: end(session, kind, subject, int(time.time())))


def _with_engine(settings: Settings, write: Callable[[Session], object]) -> None:
    engine = connect(settings.database_url)
    try:
        with transaction(engine) as session:
            session.execute(delete(Alert).where(false()))  # SQLite: wait for the write lock before reading anything
            write(session)
        tell(settings, engine)
    finally:
        engine.dispose()


def begin(session: Session, kind: str, subject: str, details: Mapping[str, Any], now: int) -> bool:
    """Note that something began, or, for what is over at once, that it happened; once. Whether that is new."""
    if session.scalar(_known(kind, subject).limit(1)) is not None:
        return False
    at = to_datetime(now)
    over = at if kind in _MOMENTS else None
    said = {name: redacted(value) if isinstance(value, str) else value for name, value in details.items()}
    alert = Alert(kind=kind, subject=subject, details=said, began_at=at, ended_at=over, ended_told_at=over)
    try:
        with session.begin_nested():
            session.add(alert)
    except IntegrityError:
        _log.debug("somebody else raised %s of %s at the same moment", kind, subject)
        return False
    return True


def end(session: Session, kind: str, subject: str, now: int) -> None:
    """Note that something is over."""
    session.execute(
        update(Alert)
        .where(Alert.kind == kind, Alert.subject == subject, Alert.ended_at.is_(None))
        .values(ended_at=to_datetime(now))
    )


def end_others(session: Session, kind: str, subjects: Collection[str], now: int) -> None:
    """Note that it is over for all subjects but these."""
    others = update(Alert).where(Alert.kind == kind, Alert.ended_at.is_(None), Alert.subject.not_in(subjects))
    session.execute(others.values(ended_at=to_datetime(now)))


def _known(kind: str, subject: str) -> Any:
    """What began already: of what is over at once, ever; of what lasts, unless it is over."""
    same = select(Alert.id).where(Alert.kind == kind, Alert.subject == subject)
    return same if kind in _MOMENTS else same.where(Alert.ended_at.is_(None))


@dataclass(frozen=True)
class _Message:
    """One message to the operator."""

    alert: int
    column: str
    message: dict[str, Any]


def tell(settings: Settings, engine: Engine) -> None:
    """Send what was not sent yet, oldest first. What another process is sending now is left to it."""
    while (telling := _next(settings, engine, to_datetime(int(time.time())))) is not None:
        message = telling.message
        _log.warning(
            "alert %s: %s of %s",
            message["state"],
            message["alert"],
            message["subject"],
            extra={"event": "alert", **{name: message[name] for name in ("alert", "state", "subject")}},
        )
        try:
            call(settings.alerts, message)
        except HookError as error:
            _log.error("the alert hook failed: %s", error, extra={"event": "alert_hook_failed"})
            return
        told = {telling.column: to_datetime(int(time.time())), "claimed_at": None}
        with transaction(engine) as session:
            session.execute(update(Alert).where(Alert.id == telling.alert).values(told))


def _next(settings: Settings, engine: Engine, now: datetime) -> _Message | None:
    """The next message, claimed so that nobody else tells it.

    A claim from a little after `now` is one that was made while this waited for its turn to write.
    """
    recent = Alert.claimed_at.between(now - _TRY_AGAIN, now + _TRY_AGAIN)
    free = or_(Alert.claimed_at.is_(None), ~recent)
    unsent = or_(Alert.began_told_at.is_(None), Alert.ended_at.is_not(None) & Alert.ended_told_at.is_(None))
    first = select(Alert.id).where(unsent, free).order_by(Alert.id).limit(1).scalar_subquery()
    claim = update(Alert).where(Alert.id == first, unsent, free).values(claimed_at=now).returning(Alert.id)
    with transaction(engine) as session:
        claimed = session.scalar(claim.execution_options(synchronize_session=False))
        return None if claimed is None else _message_of(settings, session.get_one(Alert, claimed))


def _message_of(settings: Settings, alert: Alert) -> _Message:
    beginning = alert.began_told_at is None
    state = "happened" if alert.kind in _MOMENTS else "began" if beginning else "ended"
    at = alert.began_at if beginning or alert.ended_at is None else alert.ended_at
    message = {
        "alert": alert.kind,
        "state": state,
        "subject": alert.subject,
        "at": iso(to_instant(at)),
        "details": alert.details,
        "site": settings.site_name,
    }
    return _Message(alert.id, "began_told_at" if beginning else "ended_told_at", message)


_TRIES = 3


class HookError(Exception):
    """The operator could not be reached; says why, never where."""


class _NoRedirects(HTTPRedirectHandler):
    """An alert goes to the configured address or nowhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def call(alerts: Alerts, message: Mapping[str, Any]) -> None:
    """Give the message to whatever is configured; nothing is. Raises HookError."""
    text = json.dumps(message, ensure_ascii=False).encode()
    if alerts.command:
        _run(alerts, text)
    if alerts.webhook:
        _post_patiently(alerts, text)


def _run(alerts: Alerts, text: bytes) -> None:
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603
            alerts.command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError as error:
        raise HookError(f"the command cannot be started ({error.strerror})") from error
    try:
        process.communicate(text, alerts.timeout_seconds)
    except subprocess.TimeoutExpired as error:
        raise HookError(f"the command took longer than {alerts.timeout_seconds:g} s") from error
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise HookError(f"the command ended with status {process.returncode}")


def _post_patiently(alerts: Alerts, text: bytes) -> None:
    for attempt in range(_TRIES):
        try:
            _post(alerts, text)
        except (OSError, HTTPException) as error:
            if attempt == _TRIES - 1:
                status = getattr(error, "code", None)
                why = f"answered {status}" if status else f"could not be reached ({type(error).__name__})"
                raise HookError(f"the webhook {why}, {_TRIES} times") from error
            time.sleep(2**attempt / 10)
        else:
            return


def _post(alerts: Alerts, text: bytes) -> None:
    request = Request(alerts.webhook, text, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    opener = build_opener(_NoRedirects, ProxyHandler({}))
    with opener.open(request, timeout=alerts.timeout_seconds):
        return
