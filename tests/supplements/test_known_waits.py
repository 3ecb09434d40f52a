"""From the simulator's exports to the five figures: waits that are known come out as they are, on both databases.

The exports are ingested and attributed as the operator would; the figures are those of `monitor supplements`.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.simulate import simulate
from monitor.simulate.waits import EXPECTED, GAP_HOURS
from tests.conftest import NewDatabase

Run = Callable[..., str]
AS_OF = "2026-07-08T00:00:00Z"


@pytest.fixture(scope="module")
def run(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs `monitor` in an installation that has ingested the scenario `waits`."""
    folder = tmp_path_factory.mktemp("waits")
    simulate("waits", folder)
    home = folder / "home"
    home.mkdir()
    text = f'[sources.scart]\nzone = "Europe/Amsterdam"\nrecheck_gap_hours = {GAP_HOURS}\nmaximum_rows = 100000\n'
    (home / "monitor.toml").write_text(text)
    url = new_database(migrated=False)

    def command(*arguments: object) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MONITOR_HOME", str(home))
            patch.setenv("MONITOR_DATABASE_URL", url)
            patch.setattr(sys, "argv", ["monitor", *map(str, arguments)])
            return _output(patch)

    command("init", "--create-keys")
    command("registry", "load", folder / "registry.yaml")
    for path in sorted((folder / "deliveries").iterdir()):
        stamp = path.name[:16]
        at = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:11]}:{stamp[11:13]}:{stamp[13:]}"
        command("ingest", "scart-report", path, "--source", "scart", "--received-at", at)
    command("attribute")
    return command


def _output(patch: pytest.MonkeyPatch) -> str:
    """What the command prints; it must end well."""
    out, err = io.StringIO(), io.StringIO()
    patch.setattr(sys, "stdout", out)
    patch.setattr(sys, "stderr", err)
    status: object = 0
    try:
        main()
    except SystemExit as stop:
        status = stop.code
    assert not status, err.getvalue()
    return out.getvalue()


def asked(run: Run, name: str) -> Any:
    return json.loads(run("supplements", name, "--period", "2026Q2", "--as-of", AS_OF, "--json"))


@pytest.fixture(scope="module")
def clocks(run: Run) -> Any:
    return asked(run, "clocks")


def test_the_five_figures_come_out_at_their_known_values(clocks: Any) -> None:
    """SCART reset the receipt of every third item and the classification of every fifth: neither moves a figure."""
    found = {clock["name"]: clock for clock in clocks["clocks"]}
    medians = {name: found[name]["median_hours"] for name in EXPECTED["median_hours"]}
    assert medians == EXPECTED["median_hours"]
    assert {name: (clock["items"], clock["ended"], clock["competing"]) for name, clock in found.items()} == {
        "company": (450, 450, 0),
        "hotline": (500, 450, 50),
        "hotline, from the first": (500, 450, 50),
        "total": (500, 500, 0),
        "total, from the first": (500, 500, 0),
        "receipt to classification": (500, 500, 0),
        "classification to notice": (500, 450, 0),
    }


def test_each_public_definition_comes_out_at_its_known_value(clocks: Any) -> None:
    public = clocks["definitions"]
    assert {each["days"]: each["items"] / 50 for each in public["inhope"]} == EXPECTED["inhope_days"]
    assert public["inhope_not_removed"] == 0
    assert public["eco_mean_days"] == pytest.approx(EXPECTED["eco_mean_days"], rel=1e-9)
    assert {str(each["hours"]): each["removed"] / 50 for each in public["iwf"]} == EXPECTED["iwf"]
    assert (public["tu_delft"]["removed"], public["tu_delft"]["items"]) == (50 * EXPECTED["tu_delft"], 450)


def test_the_answer_says_what_was_asked(clocks: Any) -> None:
    assert (clocks["measure"], clocks["period"], clocks["as_of"]) == ("clocks", "2026Q2", AS_OF)


def test_a_step_of_one_company_is_a_change_at_most(run: Run, tmp_path: Path) -> None:
    """One quarter of data: no change can be told, and the command says why."""
    steps = tmp_path / "steps.csv"
    steps.write_text("company,in_force_from,step\ndelta-datacenters,2026-05-01,letter\n")
    text = run("supplements", "step-effect", "--period", "2026Q2", "--as-of", AS_OF, "--steps", steps)
    assert "delta-datacenters from 2026Q2" in text
    assert "left out, for want of quarters or controls: delta-datacenters" in text
    assert "effect -" not in text


def test_the_sites_of_a_day_are_names(run: Run) -> None:
    """What the vault opened to say so is in no answer; six of nine are on time whatever the company."""
    data = asked(run, "case-mix")
    assert [(row["determined"], row["observed"]) for row in data["companies"]] == [(90, 30)] * 5
    assert [row["ratio"] for row in data["companies"]] == pytest.approx([1] * 5, abs=0.02)
    assert data["dispersion"] == pytest.approx(0, abs=0.01)
