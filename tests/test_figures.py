"""The registry of published figures: it has all of them, and no figure is spread over many files again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from monitor.competing_figures import COMPETING_FIGURES
from monitor.disclosure.rows import public_table
from monitor.figures import CHANGES, COLUMNS, FIGURES, FILED, IDENTITY, LINES, TOTALS
from monitor.score.table import CompetingEstimate, Estimate, LegalEntity, with_field
from monitor.tables.columns import column
from monitor.tables.sheets import row_json
from monitor.wording.readings import READERS
from tests.support.published import COMPANIES, invent

ROOT = Path(__file__).parents[1]
# Where figures are published. The packages below these count and estimate them, and cannot do without their names.
PUBLISHING = ("monitor/disclosure", "monitor/wording", "monitor/tables", "monitor/comparison", "monitor/charts", "web",
              "reports")  # fmt: skip
USUAL = 2  # files beside the registry, for a figure without a sentence, a picture or a rule of its own
# What every file about companies says: who it is, and what was counted.
NOUNS: Mapping[str, int] = {"company": 60, "name": 80, "country": 15, "episodes": 25, "notices": 15}
# What has pages, pictures or sentences of its own. Lower a number when a file no longer names its figure.
OWN: Mapping[str, int] = {
    "standing": 29, "on_time": 27, "rank": 22, "rank_low": 10, "rank_high": 7, "band": 6, "via_proxy": 9,
    "median": 11, "outstanding": 12, "overdue": 7, "refused": 10, "sites": 6, "relocated": 4, "change": 10,
    "curve": 13, "survival": 8, "relocation": 5, "unreachable": 14, "backlog": 4, "direction": 10, "reasons": 6,
    "unverified": 4, "oldest": 3, "estimate": 9, "followed": 5, "possibly_overdue": 5, "removed_at": 3,
    "gone_before_notice": 3,
}  # fmt: skip


ENTITIES = {item.key: LegalEntity(f"{item.name} B.V.", f"{90000000 + i}") for i, item in enumerate(COMPANIES)}


def mentions(key: str) -> list[str]:
    """The files in which a figure stands as an attribute, a key or a keyword: not as a word of a sentence."""
    names = {key, FIGURES[key].field} - {""}
    either = "|".join(sorted(map(re.escape, names)))
    found = re.compile(rf"""(?<!monitor)\.({either})\b|["']({either})["']|\b({either})=""")
    paths = (path for folder in PUBLISHING for path in sorted((ROOT / folder).rglob("*")))
    return [
        str(path.relative_to(ROOT))
        for path in paths
        if path.suffix in (".py", ".html") and found.search(path.read_text("utf-8"))
    ]


@pytest.mark.parametrize("key", FIGURES)
def test_a_figure_stands_in_few_files_beside_the_registry(key: str) -> None:
    files = mentions(key)
    assert len(files) <= {**NOUNS, **OWN}.get(key, USUAL), files


def test_the_registry_has_every_figure_of_a_company_and_describes_each_column() -> None:
    stored = {figure.later or figure.field for figure in FILED if figure.get is None or figure.later}
    since = {figure.field for figure in COMPETING_FIGURES if figure.field}
    assert stored - {"removed_at"} == {field.name for field in fields(Estimate)}
    assert {field.name for field in fields(Estimate)} | since == {field.name for field in fields(CompetingEstimate)}
    rows = public_table(with_field(invent(), "legal", ENTITIES)).rows
    shown = next(row for row in rows if row.figures)
    hidden = next(row for row in rows if not row.figures)
    assert set(row_json(shown, curve=True)) == {figure.field for figure in FILED} - since
    assert set(row_json(hidden)) == set(row_json(shown))
    assert [name for name, value in row_json(hidden).items() if value is None] == [
        name for name in row_json(shown) if FIGURES.get(name) not in IDENTITY and name != "episodes"
    ]
    for figure in TOTALS:
        assert column(figure.total).words.help == figure.help


@pytest.mark.parametrize("key", FIGURES)
def test_a_figure_is_described_whole(key: str) -> None:
    figure = FIGURES[key]
    assert figure.name.text
    assert figure.help.text.endswith(".")
    assert (
        figure.unit
        or figure.type in ("text", "flag", "standing", "rank", "direction")
        or key in ("rank_low", "rank_high")
    )
    assert bool(figure.total) == (figure.disclosure == "total")
    without_words = ("curve", "ages", "relocation", "change")
    assert figure.type in READERS or figure.type in without_words


def test_the_legal_entity_was_added_in_five_files() -> None:
    """A new figure: its field, where its value comes from, its row, and the registry; the test is the fifth."""
    files = [
        str(path.relative_to(ROOT))
        for folder in ("monitor/score", "monitor/figures.py", *PUBLISHING)
        for path in [ROOT / folder, *sorted((ROOT / folder).rglob("*"))]
        if path.suffix in (".py", ".html") and re.search('LegalEntity|key="legal_name"', path.read_text("utf-8"))
    ]
    assert files == [
        "monitor/score/pipeline.py",
        "monitor/score/table.py",
        "monitor/figures.py",
        "monitor/disclosure/rows.py",
    ]


def test_each_surface_has_a_figure_once() -> None:
    for places in (COLUMNS, LINES, CHANGES):
        keys = [place.figure.key for place in places]
        assert len(keys) == len(set(keys))
