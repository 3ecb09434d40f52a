"""The usual tasks of CONTRIBUTING take the files that it names: held against what the last such change stands in."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from monitor.db import transaction
from monitor.instants import DAY, HOUR, Period
from monitor.score import methods
from monitor.score.pipeline import Request, score
from monitor.vocabulary import Kind
from monitor.wording.language import EN
from tests.conftest import Database
from tests.score.world import ZERO, world

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PRODUCT = ("monitor", "spiders", "migrations/versions", "web", "reports")
WORDS = {"five": 5}


def files_of(task: str) -> list[str]:
    """The files that a task names, which must be as many as it says, and exist."""
    [number] = re.findall(rf"\*\*Add a {task}[^:]*: (\w+) files", TEXT)
    table = TEXT.split(f"| {task}: file | what |\n|---|---|\n")[1].split("\n\n")[0]
    found = [line.split("`")[1] for line in table.splitlines()]
    assert len(found) == WORDS[number]
    assert [name for name in found if not (ROOT / name).is_file()] == []
    return found


def product_with(pattern: str) -> set[str]:
    """The files of the product in which that stands."""
    wanted = re.compile(pattern)
    paths = [path for name in PRODUCT for path in (ROOT / name).rglob("*") if path.suffix in (".py", ".html")]
    return {str(path.relative_to(ROOT)) for path in paths if wanted.search(path.read_text("utf-8"))}


def product_of(task: str) -> set[str]:
    return {name for name in files_of(task) if name.startswith(PRODUCT)}


def test_a_figure() -> None:
    """The legal entity came last: of the registry, as the list says, so it has its value in another file."""
    stands = product_with(r"\bLegalEntity\b|key=\"legal_name\"")
    told = product_of("figure") - {"monitor/score/estimate.py"} | {"monitor/score/pipeline.py"}
    assert stands - {"monitor/disclosure/rows.py"} == told  # there, who a company is stands beside its figures


def test_a_page() -> None:
    stands = product_with(r'Blueprint\("norm"|norm\.html"|\bnorm\.norm\b|from web\.public import [^\n]*\bnorm\b')
    assert stands - {
        "web/public/feeds.py",  # as one of the pages of each period
        "web/public/templates/pictures.html",  # links in their texts
        "web/public/templates/ranking.html",
    } == product_of("page")
    assert "norm" in (ROOT / files_of("page")[-1]).read_text("utf-8")


def test_a_fact() -> None:
    """Reports and classifications came last. `monitor.models` only names all tables; who asks for them comes after."""
    others = {"monitor/models/__init__.py", "monitor/score/extract.py", "monitor/supplements/clocks.py"}
    assert product_with(r"\bClassification\b(?!\.)|\"classifications\"") - others == product_of("fact")
    assert '"reports"' in (ROOT / "monitor/models/guards.py").read_text("utf-8")


@pytest.mark.database("sqlite")
def test_a_deadline_rule_is_one_record(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new method says is what is scored, judged and told: no other file knows of 24 hours."""
    with world(database) as w:
        for _ in range(2):
            item = w.content("a")
            w.notice(item, 1)
            w.seen(item, 14, "online")
            w.seen(item, 15, "offline")
    sooner: dict[str, float] = {**methods.METHODS["2026.1"].deadlines_hours, Kind.HOTLINE_NOTICE: 12.0}
    new = replace(methods.METHODS["2026.1"], version="2099.1", deadlines_hours=MappingProxyType(sooner))
    monkeypatch.setattr(methods, "METHODS", MappingProxyType({**methods.METHODS, new.version: new}))
    asked = Request(Period("2026Q2", ZERO, ZERO + DAY), ZERO + 100 * HOUR, ZERO, methods.method())
    with transaction(database.engine) as session:
        [before] = score(session, asked).companies
        [after] = score(session, replace(asked, method=methods.method("2099.1"))).companies
    assert (before.on_time.on_time, before.on_time.late) == (2, 0)
    assert (after.on_time.on_time, after.on_time.late) == (0, 2)
    assert EN.deadline(new.usual_deadline_hours) == "12\u00a0hours"
    assert product_of("deadline rule") == {"monitor/score/methods.py"}
