"""One small run of each scenario, shared by the tests of the synthetic hotline."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import pytest

from monitor.simulate import Summary, simulate

SCALES = {"tudelft-2020": 0.02, "tudelft-2022": 1.0, "quiet": 1.0, "refuser": 1.0}

Run: TypeAlias = tuple[Path, Summary]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One run of each scenario: its folder and its summary."""
    folders = {name: tmp_path_factory.mktemp(name) for name in SCALES}
    return {name: (folder, simulate(name, folder, 1, SCALES[name])) for name, folder in folders.items()}


@pytest.fixture(params=sorted(SCALES))
def run(request: pytest.FixtureRequest, runs: dict[str, Run]) -> Run:
    """Each run in turn."""
    return runs[request.param]
