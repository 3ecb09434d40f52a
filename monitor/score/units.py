"""Whose figures method 2026.2 estimates: the network, each company, groups, and the network without some companies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.estimators.arrays import Booleans, Floats, Integers
from monitor.score.facts import UNATTRIBUTED
from monitor.score.table import Label

NETWORK_UNIT = 0


@dataclass(frozen=True)
class Units:
    """Numbered from 0: the network, then `companies` (their numbers, sorted), then those of `together`.

    `together` has an array a unit that takes several companies as one, in the order of `companies`.
    """

    companies: Integers
    together: tuple[Booleans, ...] = ()

    @property
    def count(self) -> int:
        """How many units there are."""
        return 1 + len(self.companies) + len(self.together)

    @property
    def own(self) -> Integers:
        """The unit of each company by itself."""
        return np.arange(1, len(self.companies) + 1)

    @property
    def masks(self) -> list[tuple[int, Booleans]]:
        """The units that take several companies, the network first, each with its companies."""
        numbered = [(1 + len(self.companies) + place, mask) for place, mask in enumerate(self.together)]
        return [(NETWORK_UNIT, np.ones(len(self.companies), np.bool_)), *numbered]

    def copies(self, place: Integers) -> tuple[Integers, Integers]:
        """(row, unit): rows of the companies at those places, as often as there are units that they are in."""
        shared = [(np.flatnonzero(mask[place]), unit) for unit, mask in self.masks]
        rows = [np.arange(len(place)), *(own for own, _ in shared)]
        units = [place + 1, *(np.full(len(own), unit) for own, unit in shared)]
        return np.concatenate(rows), np.concatenate(units)

    def summed(self, values: Floats) -> Floats:
        """A count of each company as that of each unit."""
        return np.concatenate([[values.sum()], values, [values[mask].sum() for mask in self.together]])

    def largest(self, values: Floats) -> Floats:
        """A value of each company (nan: none) as the largest in each unit."""
        return np.concatenate([[_largest(values)], values, [_largest(values[mask]) for mask in self.together]])


def _largest(values: Floats) -> float:
    return float(np.nan if np.isnan(values).all() else np.nanmax(values))


def members_of_groups(labels: Mapping[int, Label], companies: Sequence[int]) -> dict[str, list[int]]:
    """By key of the group (its controlling company) the numbers of the companies in it that are listed, two or more."""
    found: dict[str, list[int]] = {}
    for company in companies:
        if company != UNATTRIBUTED and company in labels and (group := labels[company].group):
            found.setdefault(group, []).append(company)
    return {key: sorted(members) for key, members in sorted(found.items()) if len(members) > 1}
