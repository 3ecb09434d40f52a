"""The method: every parameter that can move a number, in frozen records under a version, and the rules on deadlines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from monitor.errors import MonitorError
from monitor.instants import HOUR
from monitor.vocabulary import Kind, Pause

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

HASH_HITS: tuple[str, ...] = (Kind.HASH_HIT,)  # what begins an episode in the table of the hash hits


@dataclass(frozen=True)
class Method:
    """One version of the method (docs/method.md). Durations are hours, shares fractions of one.

    What is None in 2026.1 came with 2026.2. `competing_risks`: removal and relocation compete, shares are clustered by
    site and by day, the estimate orders and praise needs proof as blame does; without it Turnbull, sites alone, and the
    lenient share. `pausing`: the causes that stop a clock, all on the hotline's side.
    """

    version: str
    deadlines_hours: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {Kind.HOTLINE_NOTICE: 24.0, Kind.BINDING_INSTRUCTION: 12.0, Kind.REMOVAL_ORDER: 1.0, Kind.HASH_HIT: 24.0}
        )
    )
    scored_kinds: tuple[str, ...] = (Kind.HOTLINE_NOTICE, Kind.BINDING_INSTRUCTION, Kind.REMOVAL_ORDER)
    stale_after_hours: float = 168.0
    reappear_within_hours: float = 168.0
    minimum_episodes: int = 30
    minimum_sites: int = 5
    publish_below: int = 10
    target: float = 0.9
    confidence: float = 0.95
    survival_hours: tuple[float, ...] = (1.0, 4.0, 12.0, 24.0, 48.0, 72.0, 168.0)
    restricted_mean_hours: float = 168.0
    relocation_hours: tuple[float, ...] = (168.0, 720.0)
    time_grid: tuple[tuple[int, int], ...] | None = ((5_000, 0), (10**12, 900))
    age_bounds_hours: tuple[float, ...] = (0.0, 24.0, 48.0, 168.0, 720.0)
    competing_risks: bool | None = None
    interval_grid: tuple[tuple[int, int], ...] | None = None  # instead of `time_grid`
    pausing: tuple[str, ...] | None = None
    minimum_followed: float | None = None  # of the episodes older than their deadline, to meet the norm
    unreachable_share: float | None = None  # of notices refused or undeliverable: unreachable where certainly more
    unreachable_notices: int | None = None  # and at least so many of them,
    unreachable_sites: int | None = None  # on so many sites
    false_discovery_rate: float | None = None  # of the mark on companies below the norm

    def of_kinds(self, kinds: tuple[str, ...] | None) -> Method:
        """The same rules for a table that other kinds of notice begin (None: its own)."""
        return self if kinds is None else replace(self, scored_kinds=kinds)

    @property
    def usual_deadline_hours(self) -> float:
        """The deadline of the first of the kinds that count."""
        return self.deadlines_hours[self.scored_kinds[0]]

    @property
    def stale_after(self) -> int:
        """Seconds after which an item nobody saw online any more is unverified."""
        return round(self.stale_after_hours * HOUR)

    @property
    def reappear_within(self) -> int:
        """Seconds within which an item seen online again was not removed."""
        return round(self.reappear_within_hours * HOUR)

    def grid_seconds(self, episodes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Width of the grid of times by number of episodes (`interval_grid`: of distinct intervals); 0: exact times.

        A grid holds (up to so many, seconds). Times of curves are rounded up, left ends of intervals down; limits of
        quantiles are rounded outwards. Every width is a multiple of those before. An `interval_grid` is that of the
        estimate from intervals alone.
        """
        import numpy as np  # here: who lists methods needs no arrays

        grid = self.time_grid or self.interval_grid or ()
        bounds = [most for most, _ in grid]
        seconds = np.array([width for _, width in grid], dtype=np.int64)
        chosen: npt.NDArray[np.int64] = seconds[np.searchsorted(bounds, episodes, side="left")]
        return chosen

    def parameters(self) -> dict[str, object]:
        """Plain data for the manifest and the method page.

        A parameter that a later method brings is None in the earlier ones, and left out: their hash stays what it was.
        """
        values = {f.name: getattr(self, f.name) for f in fields(self)} | {"deadlines_hours": dict(self.deadlines_hours)}
        return {name: value for name, value in values.items() if value is not None}

    def parameter_hash(self) -> str:
        """SHA-256 of the canonical JSON of the parameters."""
        text = json.dumps(self.parameters(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "2026.1": Method(version="2026.1"),
        "2026.2": Method(
            version="2026.2",
            time_grid=None,
            competing_risks=True,
            interval_grid=((50_000, 0), (10**12, 900)),
            pausing=tuple(str(pause) for pause in Pause),
            minimum_followed=0.9,
            unreachable_share=0.1,
            unreachable_notices=10,
            unreachable_sites=5,
            false_discovery_rate=0.05,
        ),
    }
)
CURRENT = "2026.1"  # of new work that names no method


def method(version: str | None = None) -> Method:
    """The method of that version (default: the current one); raises MonitorError naming those there are."""
    try:
        return METHODS[version or CURRENT]
    except KeyError as error:
        raise MonitorError(f"no method {version!r}; there are: {', '.join(METHODS)}") from error


# The rules on deadlines, for columns of an engine and for arrays alike; times and deadlines in hours on the episode's
# own clock, null or nan where there is none.


def is_mature(followed: Any, deadline: Any) -> Any:
    """The deadline has passed: only then an episode counts as on time, late or undetermined."""
    return followed >= deadline


def is_on_time(first_offline: Any, deadline: Any) -> Any:
    """Certainly offline by the deadline, of a mature episode."""
    return first_offline <= deadline


def is_late(last_online: Any, deadline: Any) -> Any:
    """Certainly online after the deadline, of a mature episode."""
    return last_online > deadline


def is_overdue(followed: Any, deadline: Any) -> Any:
    """Still online when the deadline had passed, of an outstanding episode."""
    return followed > deadline


def is_possibly_overdue(last_online: Any, followed: Any, deadline: Any) -> Any:
    """Not seen online after the deadline, which has passed, of an outstanding episode. Seen after it: `is_late`."""
    return (last_online <= deadline) & (followed >= deadline)
