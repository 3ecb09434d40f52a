"""How many requests with a token a worker accepts at a time: its other threads are for readers of the site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from web.api.problems import Problem

TOTAL = 6  # a push that waits for its turn holds a thread of the worker; `web.threads` has four more than these
EACH = 2  # of one token, so that no hotline keeps the others out
_RETRY_AFTER = 5  # seconds


@dataclass
class Places:
    """Counts who is in. Nobody waits: whoever finds no place is sent away at once, and told to come back."""

    total: int = TOTAL
    each: int = EACH
    _taken: Counter[int] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def place(self, token: int) -> Iterator[None]:
        """A place for a request of a token; raises Problem where there is none."""
        with self._lock:
            if self._taken.total() >= self.total or self._taken[token] >= self.each:
                detail = (
                    f"Other requests are being carried out. Nothing was stored; try again in {_RETRY_AFTER} seconds."
                )
                raise Problem(503, "busy", "Busy", detail, headers={"Retry-After": str(_RETRY_AFTER)})
            self._taken[token] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[token] -= 1
                self._taken += Counter()  # drop who is no longer in
