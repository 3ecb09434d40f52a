"""The synthetic hotline: the truth has the shape each scenario promises."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.simulate.hotline_reader import hours_online, truth

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulate.conftest import Run


def _shares(folder: Path) -> dict[str, tuple[int, float]]:
    """Of each company the number of items, and the share gone within 24 hours of the notice."""
    hours: dict[str, list[float | None]] = defaultdict(list)
    for row in truth(folder):
        hours[row["company_key"]].append(hours_online(row))
    return {
        key: (len(values), sum(value is not None and value <= 24 for value in values) / len(values))
        for key, values in hours.items()
    }


def _network(shares: dict[str, tuple[int, float]]) -> float:
    return sum(count * share for count, share in shares.values()) / sum(count for count, _ in shares.values())


def test_shape_of_2020(runs: dict[str, Run]) -> None:
    folder, summary = runs["tudelft-2020"]
    shares = _shares(folder)
    assert summary.notices == pytest.approx(185_000 * 0.02, rel=0.01)
    assert len(shares) == 35
    count, share = max(shares.values())
    assert count / summary.notices == pytest.approx(0.93, abs=0.005)
    assert share == pytest.approx(0.84, abs=0.001)
    assert _network(shares) == pytest.approx(0.83, abs=0.01)
    giant = max(shares, key=lambda key: shares[key])
    sites = {urlsplit(row["url"]).netloc for row in truth(folder) if row["company_key"] == giant}
    assert len({".".join(host.split(".")[-2:]) for host in sites}) >= 12


def test_shape_of_2022(runs: dict[str, Run]) -> None:
    folder, summary = runs["tudelft-2022"]
    shares = _shares(folder)
    assert (summary.notices, len(shares)) == (3000, 39)
    assert sum(share >= 0.9 for _, share in shares.values()) == 16
    assert sum(0.15 <= share <= 0.25 for _, share in shares.values()) == 16
    assert sum(0.29 < share < 0.7 for _, share in shares.values()) == 7
    assert _network(shares) == pytest.approx(0.40, abs=0.005)
    assert min(count for count, _ in shares.values()) >= 30
    expected = json.loads((folder / "scenario.json").read_text("utf-8"))["expected"]["companies"]
    assert min(company["sites"] for company in expected.values()) >= 6


def test_shape_of_quiet(runs: dict[str, Run]) -> None:
    folder, _ = runs["quiet"]
    counts = [count for count, _ in _shares(folder).values()]
    assert sum(count >= 30 for count in counts) == 3
    assert sum(10 <= count < 30 for count in counts) == 5
    assert sum(count < 10 for count in counts) == 4


def test_refusers_never_get_a_notice(runs: dict[str, Run]) -> None:
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for row in truth(runs["refuser"][0]):
        tally[row["company_key"]][row["delivery"]] += 1
    assert tally["zilvermeeuw-host"] == {"failed": 130}
    assert tally["t-veenhuis-hosting"] == {"failed": 70}
    assert 30 <= tally["hunebed-housing"]["failed"] <= 60
    assert sum(counts["failed"] > 0 for counts in tally.values()) == 3
    assert sum(counts["delivered"] > 0 for counts in tally.values()) == 2


def test_the_whole_scenario_json_agrees_with_the_truth(run: Run) -> None:
    content = json.loads((run[0] / "scenario.json").read_text("utf-8"))
    assert (content["period"], content["as_of"]) == (run[1].period, run[1].as_of)
    assert content["counts"]["notices"] == content["expected"]["network"]["items"] == run[1].notices
    for key, (count, share) in _shares(run[0]).items():
        company = content["expected"]["companies"][key]
        assert company["items"] == count
        if not company["failed"]:
            assert company["on_time_share"] == pytest.approx(share, abs=1e-4)
