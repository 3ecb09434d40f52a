"""What a worker keeps of the releases: read once, whole but for the curves, and no more than there is room for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.charts.frame import NARROW, WIDE, standalone
from monitor.charts.release_figures import release_figures
from monitor.disclosure.rows import public_table
from monitor.release import published
from monitor.release.published import Published, ReleaseContent
from monitor.score.table import Estimate
from monitor.settings import Settings
from monitor.wording.language import LANGUAGES
from tests.support.publications import Version, put
from tests.support.published import COMPANIES, invent, with_hash_hits

ODD = replace(COMPANIES[0], name='Odd "curve":[1] Hosting')
TABLES = {"2026Q1": invent("2026Q1", (ODD, *COMPANIES[1:])), "2026Q2": with_hash_hits(invent("2026Q2"))}


@pytest.fixture(scope="module")
def publications(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two quarters; one name would spoil a careless reader of the text."""
    home = tmp_path_factory.mktemp("quarters")
    put(home, *map(Version, TABLES.values()))
    return Settings(home=home).publications


def _bare(companies: tuple[Estimate, ...]) -> tuple[Estimate, ...]:
    return tuple(replace(company, curve=()) for company in companies)


def test_a_kept_table_is_the_published_one_without_its_curves(publications: Path) -> None:
    folder = Published(publications)
    for edition in folder.index().editions:
        whole = TABLES[edition.period]
        hits = whole.hash_hits and replace(whole.hash_hits, companies=_bare(whole.hash_hits.companies))
        kept = folder.table(edition)
        assert kept == public_table(replace(whole, companies=_bare(whole.companies), hash_hits=hits))
        for shown, company in zip(kept.rows, public_table(whole).rows, strict=True):
            assert folder.row(edition, shown.company) == company


def test_nothing_of_a_withheld_company_is_in_the_files(publications: Path) -> None:
    """But its name and that it has fewer episodes than is published."""
    (edition, *_) = Published(publications).index().editions
    table = public_table(TABLES[edition.period])
    withheld = [row.company for row in table.rows if row.figures is None]
    assert withheld
    places = published.read_content((publications / "site" / edition.folder / "release.json").read_bytes()).curves
    assert not set(withheld) & set(places)


def test_the_pictures_are_those_that_would_be_drawn(publications: Path) -> None:
    folder = Published(publications)
    (edition, *_) = folder.index().editions
    for language in LANGUAGES:
        drawn, kept = (
            release_figures(public_table(TABLES[edition.period]), language),
            folder.pictures(edition, language),
        )
        assert list(kept) == list(drawn) == ["funnel", "all-companies", "age", "flows", "norms"]
        for name, figure in drawn.items():
            assert standalone(kept[name]) == standalone(figure)
            assert kept[name].csv() == figure.csv()
            assert kept[name].draw("x", WIDE) == figure.draw("x", WIDE)
            assert kept[name].draw("y", NARROW) == figure.draw("y", NARROW)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each table has that is read from now on."""
    read, reader = list[int](), published.read_content

    def count(content: bytes) -> ReleaseContent:
        read.append(len(content))
        return reader(content)

    monkeypatch.setattr(published, "read_content", count)
    return read


def test_many_threads_read_a_table_once(publications: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, folder = counted(monkeypatch), Published(publications)
    edition = folder.index().editions[0]
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: id(folder.table(edition)), range(32)))) == 1
    assert len(read) == 1


def test_who_asks_for_another_table_does_not_wait(publications: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, begun, go_on = Published(publications), threading.Event(), threading.Event()
    slow, quick = folder.index().editions
    reader = published.read_content

    def hesitate(content: bytes) -> ReleaseContent:
        if b'"period":"2026Q2"' in content:
            begun.set()
            assert go_on.wait(60)
        return reader(content)

    monkeypatch.setattr(published, "read_content", hesitate)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(folder.table, slow)
        assert begun.wait(60)
        assert folder.table(quick).period == "2026Q1"
        go_on.set()
        assert waiting.result().period == "2026Q2"


def test_no_more_tables_than_there_is_room_for(publications: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "_KEPT", 1)
    read, folder = counted(monkeypatch), Published(publications)
    first, second = folder.index().editions
    for edition in (first, first, second, first):
        folder.table(edition)
    assert len(read) == 3
