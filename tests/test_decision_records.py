"""The decision records in docs/adr have one form, their list is complete, and every link to one leads to a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "adr"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
STATUS = re.compile(r"Status: (?P<status>proposed|accepted|superseded by ADR \d+)\. Date: (?P<date>.+)\.")
DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:, amended (\d{4}-\d\d-\d\d))?")
SECTIONS = ["Context", "Decision", "Consequences"]
ROW = re.compile(r"\| (\d+) \| \[(.+)\]\((.+)\) \| (.+) \| (.+) \|")
NOT_OURS = {".git", ".venv", "build", "node_modules", "var"}

every_record = pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])


def title(path: Path) -> str:
    """The title of a record, without its number."""
    return path.read_text("utf-8").split("\n", 1)[0].split(". ", 1)[1]


def documents() -> Iterator[Path]:
    """The repository's markdown."""
    for folder, names, files in os.walk(ROOT):
        names[:] = sorted(set(names) - NOT_OURS)
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(".md"))


def test_the_numbers_have_no_gaps() -> None:
    assert len(RECORDS) > 20
    assert [path.name[:5] for path in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]


@every_record
def test_a_record_has_its_number_a_title_and_a_status_with_a_date(path: Path) -> None:
    heading, empty, status, after, *_ = path.read_text("utf-8").split("\n")
    assert re.fullmatch(rf"# {int(path.name[:4])}\. \S.*[^.]", heading), heading
    assert (empty, after) == ("", "")
    found = STATUS.fullmatch(status)
    assert found, status
    dates = DATE.fullmatch(found["date"])
    assert dates, found["date"]
    made, *amended = (date.fromisoformat(day) for day in dates.groups() if day)
    assert all(made < day for day in amended)


@every_record
def test_a_record_has_the_three_sections_in_order_and_each_has_text(path: Path) -> None:
    _, *sections = re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)
    assert [section.split("\n", 1)[0] for section in sections] == SECTIONS
    assert all(section.split("\n", 1)[1].strip() for section in sections)


@every_record
def test_the_file_is_named_after_the_title(path: Path) -> None:
    words = re.sub(r"[^a-z0-9 -]", "", title(path).lower()).replace(" ", "-")
    assert path.name == f"{path.name[:4]}-{words}.md"


@every_record
def test_the_files_that_a_record_names_exist(path: Path) -> None:
    for name in re.findall(
        r"`((?:monitor|web|reports|spiders|tests|docs|benchmarks)/[\w./-]+)`", path.read_text("utf-8")
    ):
        assert (ROOT / name).exists(), name


def test_the_list_has_every_record_with_its_title_status_and_date() -> None:
    rows = [line for line in (FOLDER / "README.md").read_text("utf-8").splitlines() if line.startswith("|")]
    assert rows[0] == "| number | title | status | date |"
    listed = [match.groups() if (match := ROW.fullmatch(row)) else row for row in rows[2:]]
    expected = []
    for path in RECORDS:
        found = STATUS.search(path.read_text("utf-8"))
        assert found, path.name
        expected.append((str(int(path.name[:4])), title(path), path.name, found["status"], found["date"]))
    assert listed == expected


def test_every_link_to_a_record_leads_to_a_file_with_its_number() -> None:
    links = [
        (document, text, target)
        for document in documents()
        for text, target in re.findall(r"\[([^\]]*)\]\(([^)\s#]*\d{4}-[a-z][^)\s#]*\.md)", document.read_text("utf-8"))
        if document.parent == FOLDER or "adr/" in target
    ]
    assert len(links) > len(RECORDS)
    for document, text, target in links:
        assert (document.parent / target).resolve() in RECORDS, (str(document.relative_to(ROOT)), target)
        if number := re.fullmatch(r"ADR (\d+)", text):
            assert Path(target).name.startswith(f"{int(number[1]):04}-"), (str(document.relative_to(ROOT)), target)


def test_every_record_that_code_or_documents_name_by_number_exists() -> None:
    names = {path.name[:4] for path in RECORDS}
    for folder in ("benchmarks", "docs", "migrations", "monitor", "reports", "spiders", "tests", "web"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".md", ".html"}:
                text = path.read_text("utf-8")
                named = {*re.findall(r"docs/adr/(\d{4})", text)}
                named |= {number.zfill(4) for number in re.findall(r"\bADR (\d+)\b", text)}
                assert named <= names, (str(path.relative_to(ROOT)), named - names)
                for name in re.findall(r"docs/adr/(\d{4}-[\w-]+\.md)", text):
                    assert (FOLDER / name).is_file(), (str(path.relative_to(ROOT)), name)
