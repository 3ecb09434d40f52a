"""The funnel: how far a company's share on time may lie from the network's by chance alone, given its sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Share

Place = Literal["far_below", "below", "within", "above", "far_above"]
Floats = npt.NDArray[np.float64]

INNER, OUTER = 0.95, 0.998


@dataclass(frozen=True, slots=True)
class Position:
    """A ranked company in the funnel; its limits at the two levels are (low, high) shares."""

    row: Row
    sites: int
    lenient: Share
    strict: Share
    inner: tuple[float, float] | None
    outer: tuple[float, float] | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """The network's share (None: not known), what a site counts for, and the ranked companies, worst first.

    `weight` is how many independent observations one site is worth, by the companies' own clustered errors.
    """

    centre: float | None
    weight: float
    positions: tuple[Position, ...]

    def limits(self, sites: Sequence[float] | Floats, coverage: float) -> tuple[Floats, Floats]:
        """Control limits at those numbers of sites; raises ValueError where the network's share is not known."""
        if self.centre is None:
            raise ValueError("no limits without the network's share")
        observations = np.asarray(sites, dtype=float) * self.weight
        return control_limits(self.centre, observations, coverage)


def funnel(table: PublicTable) -> Funnel:
    """The funnel of a table's ranked companies around the network's lenient share (Spiegelhalter 2005).

    Episodes of one site fall together, so neither episodes nor sites are independent observations. The limits take
    `weight` of these a site: the median over the companies of p(1-p) / (V sites), where V is the clustered variance
    of a company's share (docs/method.md) and p(1-p) / V, at most its mature episodes, its effective number of
    observations as in the score (Kish's design effect), though here it may be less than its sites. Spiegelhalter's
    factor from the spread of the z-scores was rejected: it would take the very differences that are measured for
    noise, and hide them.
    """
    known = [row for row in table.rows if _share(row) is not None and row.figures and row.figures.sites > 0]
    bare = Funnel(table.network.lenient.p, _weight(known), ())
    sites = [float(row.figures.sites) for row in known if row.figures]
    if bare.centre is None or not known:
        return Funnel(bare.centre, bare.weight, tuple(_position(row, None, None, None) for row in known))
    inner, outer = (_pairs(*bare.limits(sites, coverage)) for coverage in (INNER, OUTER))
    placed = zip(known, inner, outer, strict=True)
    return Funnel(bare.centre, bare.weight, tuple(_position(*each, bare.centre) for each in placed))


def _pairs(low: Floats, high: Floats) -> list[tuple[float, float]]:
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _share(row: Row) -> float | None:
    return row.figures.on_time.lenient.p if row.ranked and row.figures else None


def _weight(rows: Sequence[Row]) -> float:
    """Independent observations a site; 1 where no company's error says."""
    found = []
    for row in rows:
        assert row.figures is not None
        share = row.figures.on_time.lenient
        if share.p is not None and 0 < share.p < 1 and share.se:
            observations = min(share.p * (1 - share.p) / share.se**2, row.figures.on_time.mature)
            found.append(observations / row.figures.sites)
    return median(found) if found else 1.0


def _position(
    row: Row, inner: tuple[float, float] | None, outer: tuple[float, float] | None, centre: float | None
) -> Position:
    assert row.figures is not None
    timing = row.figures.on_time
    place = None if inner is None or outer is None or centre is None else _place(timing.lenient, inner, outer, centre)
    return Position(row, row.figures.sites, timing.lenient, timing.strict, inner, outer, place)


def _place(share: Share, inner: tuple[float, float], outer: tuple[float, float], centre: float) -> Place:
    """Outside the outer limits counts only where the company's own interval leaves out the network's share too.

    The limits are those of a company whose sites fall together as usual; one whose do more than that must not stand
    out for it.
    """
    assert share.p is not None
    apart = share.low is not None and share.high is not None and not share.low <= centre <= share.high
    if share.p < inner[0]:
        return "far_below" if share.p < outer[0] and apart else "below"
    if share.p > inner[1]:
        return "far_above" if share.p > outer[1] and apart else "above"
    return "within"


def control_limits(centre: float, observations: Floats, coverage: float) -> tuple[Floats, Floats]:
    """Lower and upper limit between which that part of the shares lies by chance, for each number of observations.

    The upper one is the lower one of what is not on time: taken at the other tail, as it is printed, the formula puts
    an institution that has every case right outside, even where chance does that often (Manktelow & Seaton 2012).
    """
    tail = (1 - coverage) / 2
    return _between_whole(centre, observations, tail), 1 - _between_whole(1 - centre, observations, tail)


def _between_whole(centre: float, observations: Floats, tail: float) -> Floats:
    """Interpolated between two whole numbers of observations; under one it is the limit of one."""
    first = np.maximum(np.floor(observations), 1)
    part = np.clip(observations - first, 0, 1)
    return (1 - part) * lower_limit(centre, first, tail) + part * lower_limit(centre, first + 1, tail)


def lower_limit(centre: float, observations: Floats, tail: float) -> Floats:
    """The share under which a binomial one lies with that chance, interpolated (Spiegelhalter 2005, appendix A.1.1).

    (r - a) / n with r the smallest number for which F(r) >= tail, and a = (F(r) - tail) / (F(r) - F(r - 1)); not
    under 0. `observations` are whole numbers of 1 or more.
    """
    from scipy import stats  # here, for it takes a second to load, and most of what imports this draws no funnel

    r = stats.binom.ppf(tail, observations, centre)
    there, before = (stats.binom.cdf(value, observations, centre) for value in (r, r - 1))
    limit: Floats = np.clip((r - (there - tail) / (there - before)) / observations, 0, 1)
    return limit
