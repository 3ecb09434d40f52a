"""The episodes of a release: anyone gets its table from them, to the last digit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from monitor.cli import cli
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.release import package
from monitor.release.draft import draft
from monitor.release.package import write_open_data
from monitor.release.store import find, load_table
from monitor.score.methods import method
from monitor.score.pipeline import Request, score_for_release, scored_episodes
from monitor.score.table import Flow, with_field
from tests.conftest import Database
from tests.release.conftest import Published, Run
from tests.release.history import DRAFTED, MOVES_FIGURES, first_facts, learn, request


def test_anyone_recomputes_the_release_from_its_episodes(published: Published, run: Run, tmp_path: Path) -> None:
    said = run("release", "episodes", "1", "--out", str(tmp_path / "open"))
    assert "episodes.csv, companies.csv give its figures again" in said.out
    files = [str(tmp_path / "open" / name) for name in ("episodes.csv", "companies.csv")]
    answer = CliRunner().invoke(cli, ["estimate", files[0], "--companies", files[1], "--curves", "--json"])
    found = {company["company"]: company for company in json.loads(answer.stdout)["companies"]}
    with transaction(published.database.engine) as session:
        frozen = with_field(load_table(session, find(session, "1")), "legal", {}).as_json()["companies"]
    shown = {company["company"]: company for company in frozen if company["episodes"] >= 10}
    assert set(shown) == {"a", "b"}
    assert found == json.loads(json.dumps(shown))


def test_the_same_release_gives_the_same_bytes_whatever_is_learnt_later(published: Published, tmp_path: Path) -> None:
    written = []
    for name in ("then", "later"):
        with transaction(published.database.engine) as session:
            write_open_data(session, find(session, "1"), tmp_path / name)
        written.append([(tmp_path / name / file).read_bytes() for file in ("episodes.csv", "companies.csv")])
        learn(published.database, MOVES_FIGURES["a notice withdrawn"], published.items)
    assert written[0] == written[1]


def test_episodes_of_other_facts_than_the_release_s_are_refused(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fewer(session: Session, request: Request) -> pa.Table:
        every = scored_episodes(session, request)
        counted = pc.and_(every["scored"], pc.is_valid(every["company"])).to_pylist()
        dropped = counted.index(True)  # which row comes first differs, so it must be one that counts
        return pa.concat_tables([every.slice(0, dropped), every.slice(dropped + 1)])

    monkeypatch.setattr(package, "scored_episodes", fewer)
    with (
        transaction(published.database.engine) as session,
        pytest.raises(MonitorError, match="the episodes do not give the table of 2026Q1"),
    ):
        write_open_data(session, find(session, "1"), tmp_path)


@pytest.mark.parametrize("part", ["flows", "norms"])
def test_flows_and_norms_that_the_episodes_do_not_give_are_refused(
    database: Database, part: str, tmp_path: Path
) -> None:
    first_facts(database)
    with transaction(database.engine) as session:
        table = score_for_release(session, request())
        first, *others = table.norms or ()
        other: dict[str, Any] = {
            "flows": (Flow("a", "b", "NL", 1),),
            "norms": (replace(first, companies=first.companies[:1]), *others),
        }
        release = draft(session, replace(table, **{part: other[part]}), method(), DRAFTED, "test")
        with pytest.raises(MonitorError, match="the episodes do not give the table of 2026Q1"):
            write_open_data(session, release, tmp_path)
