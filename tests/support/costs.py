"""What something costs in processor time, for tests that hold it against another cost measured the same way."""

from __future__ import annotations

import time
from collections.abc import Callable

from monitor.cycles import gc_paused

_TRIES = 3  # what else the machine does can be counted in one of them


def seconds(act: Callable[[], object]) -> float:
    """Processor time of this process, without what its collector of garbage takes, which grows with all tests."""
    with gc_paused():
        begun = time.process_time()
        act()
        return time.process_time() - begun


def costs_at_most(act: Callable[[], object], times: float, other: Callable[[], object], more: float) -> bool:
    """Whether it takes at most so many times what another does, and so many seconds more."""
    return any(seconds(act) < times * seconds(other) + more for _ in range(_TRIES))
