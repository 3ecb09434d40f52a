"""Figures as they are published: rounded once, to the digits that everyone who computes them agrees on."""

from __future__ import annotations

import math

import numpy as np

from monitor.estimators.arrays import Floats

SIGNIFICANT_DIGITS = 10  # what engines and orders of summation agree on
TIE_TOLERANCE = 1e-10  # shares that are meant to be equal differ by rounding: one this close has reached the other
LEVEL_TOLERANCE = 1e-9  # the same of the level that a quantile reaches, since method 2026.2
_EXACT_POWER = 22  # up to here a power of ten is a double
_UP = 1 + 1e-12  # a share such as 3/2048 lies between two roundings: it goes up, whatever its last bits say


def round_array(values: Floats) -> Floats:
    """Each of the values as `round_number` gives it, many times as fast; what is not finite stays as it is."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        shift = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        easy = (shift >= 0) & (shift <= _EXACT_POWER)
        power = 10.0 ** np.where(easy, shift, 0.0)
        result = np.where(easy, np.rint(values * _UP * power) / power, values)  # the power is exact
    for place in np.flatnonzero(~easy & np.isfinite(values) & (values != 0.0)):
        result.flat[place] = round_number(float(values.flat[place]))
    return result


def round_known(value: float) -> float:
    """As `round_number`, of a number that is known; raises ArithmeticError where it is not finite."""
    found = round_number(value)
    if found is None:
        raise ArithmeticError("a figure that must be known is not finite")
    return found


def round_number(value: float) -> float | None:
    """A finite number at SIGNIFICANT_DIGITS, or None."""
    return float(f"{value * _UP:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
