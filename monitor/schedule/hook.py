"""How the operator is reached: a command that reads JSON, or a POST of it; each with a time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from monitor.settings import Alerts

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
