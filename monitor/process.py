"""What each of our processes does first: leave nothing behind that another program could read."""

from __future__ import annotations

import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def harden() -> None:
    """Let this process leave no core dump, be looked into by no other process, and write files for its owner only.

    Linux forgets the second part when a process executes another program, so every new interpreter calls this for
    itself. The first part alone is not enough: a core dump that is piped to a program ignores RLIMIT_CORE (core(5)).
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
