"""`monitor simulate --exports`: which of SCART's exports are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli.demo import simulate
from monitor.errors import MonitorError

SMALL = ("--scenario", "quiet", "--scale", "0.01")


def written(folder: Path, *options: str) -> set[str]:
    """The kinds of export in the folder."""
    said = CliRunner().invoke(simulate, [*SMALL, "--out", str(folder), *options], catch_exceptions=False)
    assert said.exit_code == 0
    return {path.stem.partition("-scart-")[2] for path in (folder / "deliveries").iterdir()}


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ((), {"ntd", "ntdclosed"}),
        (("--exports", "ntd, report"), {"ntd", "report"}),
        (("--exports", "all"), {"ntd", "ntdclosed", "whois", "all", "report", "report-anonymous"}),
    ],
)
def test_the_exports_that_were_asked_for(tmp_path: Path, options: tuple[str, ...], kinds: set[str]) -> None:
    assert written(tmp_path, *options) == kinds


def test_an_export_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="no export ntdopen; there are: all, ntd, ntdclosed, report"):
        written(tmp_path, "--exports", "ntdopen")
