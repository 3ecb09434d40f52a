"""The sources on schedule, as their spiders describe them.

Spiders describe their sources, and the core knows no spider: it asks `monitor collect --describe`, in a process of its
own, which merges each description with what the operator configured.
"""

from __future__ import annotations

import json
import subprocess
import sys

from monitor.errors import ConfigurationError
from monitor.schedule.plan import Timing

_PATIENCE = 60


def described() -> list[Timing]:
    """The timing of every source that is on schedule; raises ConfigurationError with the words of the collectors."""
    command = [sys.executable, "-m", "monitor", "collect", "--describe", "--json"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError("the collectors did not describe their sources within a minute") from error
    if said.returncode:
        raise ConfigurationError(said.stderr.strip().removeprefix("monitor: "))
    return [Timing(**timing) for timing in json.loads(said.stdout)]
