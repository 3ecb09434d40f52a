"""Confidence intervals of shares and of survival curves, vectorised: arrays of one shape in, (low, high) out."""

from __future__ import annotations

import numpy as np
from scipy import special

from monitor.estimators.arrays import Floats


def logit_interval(p: Floats, se: Floats, df: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Limits of a share p with standard error se on the logit scale, Student's t on `df` degrees.

    R: `survey::svyciprop(method="logit")`. nan where p is 0 or 1 or anything is nan: the scale ends there.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        width = special.stdtrit(df, 0.5 + confidence / 2) * se / (p * (1 - p))
        middle = special.logit(p)
        return special.expit(middle - width), special.expit(middle + width)


def share_interval(p: Floats, se: Floats, sites: Floats, effective: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Limits of a share p over sites: on the logit scale, Student's t on half the effective number of sites.

    `effective` is n^2 / sum of n_c^2, with n_c the episodes of a site; at least one degree of freedom. Where se is 0
    the limits are Wilson's for `sites` trials. No limits are narrower than those of a company with no episode late, or
    all late: else one late episode would prove more than none. With G - 1 degrees, and without that floor, coverage
    falls to 85 % where a few of many sites hold most episodes (docs/study.md).
    """
    low, high = logit_interval(p, se, np.maximum(effective / 2, 1.0), confidence)
    wilson_low, wilson_high = wilson_interval(p, sites, confidence)
    low, high = np.where(se == 0.0, wilson_low, low), np.where(se == 0.0, wilson_high, high)
    least_high = wilson_interval(np.zeros_like(p), sites, confidence)[1]
    return np.minimum(low, 1.0 - least_high), np.maximum(high, least_high)


def wilson_interval(p: Floats, n: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Wilson's score interval for a share p of n trials (JASA 22, 1927); nan where n is 0.

    R: `prop.test(correct=FALSE)`; n need not be whole.
    """
    z = special.ndtri(0.5 + confidence / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def loglog_interval(s: Floats, se: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Limits of S on the log(-log) scale, se being that of S itself (Kalbfleisch, Prentice, 1980, section 1.3).

    R: `survfit(conf.type="log-log")`, from whose `std.err` of log S se is S times that. nan where S is 0 or 1.
    """
    z = special.ndtri(0.5 + confidence / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = (s > 0) & (s < 1)
        log = np.log(np.where(inside, s, np.nan))
        factor = np.exp(z * se / (s * -log))
        return np.exp(log * factor), np.exp(log / factor)
