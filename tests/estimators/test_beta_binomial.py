"""The score: against R, by its own likelihood, and what shrinking must and must not do."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special

from monitor.estimators.beta_binomial import Prior, effective_sample_size_from_se, fit_prior, posterior_mean

Floats = npt.NDArray[np.float64]
Companies = list[tuple[float, float]]
COMPANIES = st.lists(
    st.tuples(st.integers(0, 20).map(lambda fifths: fifths / 20), st.integers(10, 2000).map(lambda half: half / 2)),
    min_size=1,
    max_size=25,
)


def columns(companies: Companies) -> tuple[Floats, Floats]:
    p, n = zip(*companies, strict=True)
    return np.array(p), np.array(n)


def log_likelihood(p: Floats, n: Floats, mean: Floats, precision: Floats) -> Floats:
    """Of every (mean, precision), by `betaln` alone."""
    a, b = mean[..., None] * precision[..., None], (1 - mean[..., None]) * precision[..., None]
    return np.asarray((special.betaln(a + n * p, b + n * (1 - p)) - special.betaln(a, b)).sum(axis=-1))


# R 4.2.2. x <- n * p; y <- n - x
#   loss <- function(v) { m <- plogis(v[1]); s <- exp(v[2]); sum(lbeta(s*m, s*(1-m)) - lbeta(s*m + x, s*(1-m) + y)) }
#   optim(c(0, 1), loss, slope, method = "BFGS", control = list(reltol = 1e-16)), then five Newton steps to slope 0
#   (below 2e-13 for both); slope() from digamma(). Printed: m, s and 100 * (x + s * m) / (n + s).
@pytest.mark.parametrize(
    ("p", "n", "prior", "scores"),
    [
        (
            [0.98, 0.95, 0.95, 0.9, 0.75, 0.6, 0.2, 1.0],
            [40, 12, 200, 6.5, 25, 80, 15, 5],
            (0.773814871214889, 2.74889872769698),
            [
                96.6741599080769, 91.7162627847798, 94.7611256685507, 86.2496060321979,
                75.2359180803004, 60.5774088666844, 28.8870807908479, 91.9761499718792,
            ],
        ),
        (
            [0.95, 0.9, 0.85, 0.97, 0.8],
            [60, 50, 70, 100, 45],
            (0.897916947169511, 31.2639985079651),
            [93.2158085196754, 89.9198605018457, 86.4793760733199, 95.2831511444433, 84.0140503384337],
        ),
    ],
)  # fmt: skip
def test_as_r_computes_it(p: list[float], n: list[float], prior: tuple[float, float], scores: list[float]) -> None:
    found = fit_prior(np.array(p), np.array(n))
    assert (found.mean, found.precision) == pytest.approx(prior, rel=1e-11)
    assert 100 * posterior_mean(np.array(p), np.array(n)) == pytest.approx(np.array(scores), rel=1e-12)


@pytest.mark.parametrize(
    ("p", "n", "prior", "posterior"),
    [
        ([0.8], [30.0], Prior(0.8, math.inf), [0.8]),
        ([0.9, 0.9, 0.9], [10.0, 20.0, 90.0], Prior(0.9, math.inf), [0.9, 0.9, 0.9]),
        ([0.88, 0.92], [100.0, 100.0], Prior(0.9, math.inf), [0.9, 0.9]),
        ([1.0, 1.0], [5.0, 9.0], Prior(1.0, math.inf), [1.0, 1.0]),
        ([0.0, 0.0], [5.0, 9.0], Prior(0.0, math.inf), [0.0, 0.0]),
        ([0.0, 1.0, 1.0, 1.0], [5.0, 9.0, 5.0, 30.0], Prior(0.75, 0.0), [0.0, 1.0, 1.0, 1.0]),
    ],
    ids=["alone", "equal", "spread of chance only", "all 1", "all 0", "only 0 and 1"],
)
def test_at_the_edges_of_the_likelihood(p: list[float], n: list[float], prior: Prior, posterior: list[float]) -> None:
    found = fit_prior(np.array(p), np.array(n))
    assert found.mean == pytest.approx(prior.mean, rel=1e-14)
    assert found.precision == prior.precision
    assert posterior_mean(np.array(p), np.array(n)) == pytest.approx(np.array(posterior), rel=1e-14)


def test_a_lone_outlier_of_many_small_companies_is_not_taken_for_chance() -> None:
    """Tarone's statistic, ruled by the large company, is negative here; the likelihood has its maximum inside."""
    p, n = np.array([0.675, 0.1, 0.6]), np.array([1000.0, 20.0, 1000.0])
    found = fit_prior(p, n)
    assert found.precision < 20
    inside = log_likelihood(p, n, np.array(found.mean), np.array(found.precision))
    assert inside > log_likelihood(p, n, np.array((675 + 2 + 600) / 2020), np.array(1e9)) + 5


@given(COMPANIES)
def test_no_other_prior_makes_the_shares_more_likely(companies: Companies) -> None:
    p, n = columns(companies)
    found = fit_prior(p, n)
    assume(0.0 < found.mean < 1.0 and found.precision > 0.0)
    mean, precision = np.meshgrid(special.expit(np.linspace(-5, 5, 41)), np.exp(np.linspace(-4, 13, 35)))
    own = log_likelihood(p, n, np.array(found.mean), np.array(min(found.precision, 1e8)))
    assert log_likelihood(p, n, mean, precision).max() <= own + 1e-3 + 1e-7 * abs(own)


@given(COMPANIES)
def test_a_score_lies_between_the_share_and_the_mean_of_all(companies: Companies) -> None:
    p, n = columns(companies)
    mean, found = fit_prior(p, n).mean, posterior_mean(p, n)
    assert np.all(found >= np.minimum(p, mean) - 1e-15)
    assert np.all(found <= np.maximum(p, mean) + 1e-15)


@given(COMPANIES, st.floats(0.05, 0.95), st.floats(5, 500), st.floats(1.1, 50))
def test_the_less_is_known_the_more_it_is_drawn(companies: Companies, p: float, n: float, times: float) -> None:
    found = posterior_mean(*columns([*companies, (p, n), (p, n * times)]))
    assert abs(found[-2] - p) >= abs(found[-1] - p) - 1e-15


@given(COMPANIES, st.randoms(use_true_random=False))
def test_the_order_of_the_companies_changes_no_bit(companies: Companies, random: object) -> None:
    order = list(range(len(companies)))
    random.shuffle(order)  # type: ignore[attr-defined]
    p, n = columns(companies)
    assert posterior_mean(p[order], n[order]).tolist() == posterior_mean(p, n)[order].tolist()


@pytest.mark.parametrize(
    ("p", "se", "sites", "mature", "n"),
    [
        (0.8, 0.08, 10, 100, 25.0),  # 0.16 / 0.0064
        (0.8, 0.4, 10, 100, 10.0),  # 1: fewer than the sites
        (0.8, 0.01, 10, 100, 100.0),  # 1,600: more than the episodes
        (1.0, 0.0, 10, 100, 10.0),  # all sites agreed
        (0.8, 0.4, 10, 4, 4.0),  # six sites have no mature episode
    ],
)
def test_observations_behind_a_standard_error(p: float, se: float, sites: int, mature: int, n: float) -> None:
    arrays = [np.array([value], dtype=np.float64) for value in (p, se, sites, mature)]
    assert effective_sample_size_from_se(*arrays)[0] == pytest.approx(n, rel=1e-14)
