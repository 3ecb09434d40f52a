"""The scenario of known waits: what must come out is what its truth says, and its exports have SCART's flaws."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import MonitorError
from monitor.instants import HOUR, parse_instant
from monitor.simulate import simulate
from monitor.simulate.waits import EXPECTED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("waits")
    summary = simulate("waits", out)
    assert (summary.companies, summary.notices, summary.files) == (5, 450, 3)
    return out


def test_the_expected_medians_are_those_of_the_truth(folder: Path) -> None:
    """The median is the first time by which half of all are through; what never gets there counts as endless."""
    waits = defaultdict(list)
    with (folder / "truth.csv").open() as file:
        for row in csv.DictReader(file):
            received, classified, sent, removed = (
                parse_instant(row[name]) / HOUR if row[name] else np.inf
                for name in ("received_at", "classified_at", "sent_at", "removed_at")
            )
            waits["receipt to classification"].append(classified - received)
            waits["classification to notice"].append(sent - classified)
            waits["hotline"].append(sent - received)
            waits["total"].append(removed - received)
            if row["sent_at"]:
                waits["company"].append(removed - sent)
    found = {name: float(np.sort(hours)[(len(hours) - 1) // 2]) for name, hours in waits.items()}
    assert found == EXPECTED["median_hours"]
    assert json.loads((folder / "scenario.json").read_text())["expected"] == EXPECTED


def test_later_exports_reset_the_times_of_some_items(folder: Path) -> None:
    stated = defaultdict(set)
    for path in sorted((folder / "deliveries").iterdir()):
        head, *rows = path.read_text().splitlines()
        names = head.split(";")
        for row in (dict(zip(names, line.split(";"), strict=False)) for line in rows):
            stated[row["filenumber"], "received_at"].add(row["received_at"])
            stated[row["filenumber"], "firstseen_at"].add(row["firstseen_at"])
    several = {column: sum(len(v) > 1 for (_, name), v in stated.items() if name == column) for _, column in stated}
    assert several == {"received_at": 166, "firstseen_at": 100}


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    simulate("waits", tmp_path)
    for path in (folder / "deliveries").iterdir():
        assert (tmp_path / "deliveries" / path.name).read_bytes() == path.read_bytes()


def test_it_has_no_other_export(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="scenario waits has the export report alone"):
        simulate("waits", tmp_path, exports={"ntd"})
