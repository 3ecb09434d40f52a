"""The commands that the README shows, run as they stand there on the files of a simulated hotline."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import cli

TEXT = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
FILES = {"companies.yaml": "registry.yaml", "notices.csv": "deliveries/20210108T120000Z-scart-ntd.csv"}


def test_what_it_shows_to_use_publishes_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = TEXT.split("## Use it\n\n```sh\n")[1].split("```")[0]
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert [lines[0][0], lines[-1]] == ["export", ["monitor", "serve"]]
    assert [line[1] for line in lines[1:-1]] == ["init", "registry", "ingest", "release", "confirm", "release"]
    run, simulated = CliRunner(), tmp_path / "simulated"
    monkeypatch.setenv("MONITOR_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = run.invoke(cli, ["simulate", "--scenario", "quiet", "--out", str(simulated)])
    assert made.exit_code == 0, made.output
    for shown, name in FILES.items():
        shutil.copy(simulated / name, tmp_path / shown)
    for line in lines[1:-1]:
        words = [re.sub("^2026Q2$", "2021Q1", word) for word in line[1:]]  # the quarter that is simulated
        ended = run.invoke(cli, words)
        assert ended.exit_code == 0, (words, ended.output, ended.exception)
    assert (tmp_path / "home" / "publications" / "2021Q1-v1").exists()
