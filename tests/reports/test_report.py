"""The report says what the release says, in both languages, as safe HTML and as a tagged PDF, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from pypdf.generic import DictionaryObject
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError

from monitor.db import connect
from monitor.disclosure.rows import public_table
from monitor.errors import MonitorError
from monitor.models.release import Stage
from monitor.settings import Settings
from monitor.wording.language import EN, LANGUAGES, NL, Language
from monitor.wording.words import STANDINGS
from reports.command import report
from reports.document import Report, page
from reports.figures import key_figures
from reports.pdf import OnlyOurFiles
from reports.publication import write
from reports.read_release import read_report
from reports.styles import STATIC
from reports.summary import standing_counts, what_was_measured
from tests.conftest import NewDatabase
from tests.reports.fiction import LONGEST, PERIOD, companies, pdf, publish, table
from tests.support.published import Invented, invent

FORBIDDEN = re.compile(r"guilty|criminal|schuldig|crimineel|criminele|dader|offender|illegal host", re.IGNORECASE)
SMALL = ("Watersnip VPS", "Kaaskop Hosting", "Paling Servers")


@pytest.fixture(scope="module")
def engine(new_database: NewDatabase) -> Iterator[Engine]:
    """A database with one release, and its correction."""
    opened = connect(new_database())
    with Session(opened) as session:
        publish(session, table(20))
        publish(session, table(), version=2)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def made(engine: Engine) -> Report:
    """The report of the newest version."""
    with Session(engine) as session:
        return read_report(session, Settings(demonstration=True), PERIOD)


@pytest.fixture(scope="module")
def files(made: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all four files."""
    folder = tmp_path_factory.mktemp("out") / "new"
    write(made, folder)
    return folder


def catalogue_of(files: Path, language: Language) -> dict[str, Any]:
    """The root of the PDF, by name; pypdf's own types do not say what is in it."""
    root: dict[str, Any] = cast(Any, PdfReader(files / f"report-{PERIOD}-{language}.pdf").trailer)["/Root"]
    return root


@cache
def text_of(files: Path, language: Language) -> str:
    """The words of the PDF, each run of white space as one blank."""
    reader = PdfReader(files / f"report-{PERIOD}-{language}.pdf")
    return re.sub(r"\s+", " ", " ".join(sheet.extract_text() for sheet in reader.pages))


def elements(item: DictionaryObject) -> Iterator[DictionaryObject]:
    """The structure of a tagged PDF, depth first."""
    yield item
    kids = item.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        if isinstance(known := kid.get_object(), DictionaryObject):
            yield from elements(known)


def test_four_files_and_no_leftovers(files: Path) -> None:
    expected = {f"report-{PERIOD}-{language}.{form}" for language in LANGUAGES for form in ("html", "pdf")}
    assert {path.name for path in files.iterdir()} == expected


def test_the_newest_version_is_reported(made: Report) -> None:
    assert made.version == 2
    assert len(made.table.rows) == 40


@pytest.mark.parametrize(("language", "title"), [(NL, "Verwijdering van gemeld"), (EN, "Removal of reported")])
def test_the_pdf_is_tagged_titled_and_in_its_language(files: Path, language: Language, title: str) -> None:
    reader = PdfReader(files / f"report-{PERIOD}-{language}.pdf")
    catalogue = catalogue_of(files, language)
    assert reader.metadata is not None
    assert str(reader.metadata.title).startswith(title)
    assert reader.metadata.author == "Hostingmonitor"
    assert reader.metadata.creation_date_raw == "D:20260720080000Z"
    assert catalogue["/Lang"] == language.code
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid:part" in catalogue["/Metadata"].get_data()
    assert len(reader.outline) >= 1
    sides = [sorted((sheet.mediabox.width, sheet.mediabox.height)) for sheet in reader.pages]
    assert all(pair == pytest.approx([595.28, 841.89], abs=0.1) for pair in sides)  # A4, upright or on its side


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_company_is_named_with_its_numbers(files: Path, made: Report, language: Language) -> None:
    text = text_of(files, language)
    names = [row.name for row in made.table.rows if row.name != LONGEST]
    assert [name for name in names if name not in text] == []
    item = made.table.rows[1].figures
    assert item is not None
    on_time = item.on_time
    share = language.share_range(on_time.strict.p, on_time.lenient.p).replace("\u00a0", " ")
    interval = language.share_range(on_time.lenient.low, on_time.lenient.high).replace("\u00a0", " ")
    assert f"{share} {interval}" in text
    assert language.hours(item.median_hours.value).replace("\u00a0", " ") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_html_needs_nothing_else(files: Path, language: Language) -> None:
    html = (files / f"report-{PERIOD}-{language}.html").read_text("utf-8")
    assert f'<html lang="{language}">' in html
    assert "<script" not in html
    addresses = re.findall(r'(?:src|href|action)="([^"]*)"|url\("?([^")]{0,20})', html)
    assert all((link or inside).startswith(("#", "data:")) for link, inside in addresses)
    assert set(re.findall(r"https?://[^\s\"'<]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert LONGEST in html
    assert "Grachten &amp; Zonen &lt;Web&gt;" in html
    assert len(set(ids := re.findall(r' id="([^"]+)"', html))) == len(ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_what_was_measured_and_accuses_nobody(files: Path, language: Language) -> None:
    html = (files / f"report-{PERIOD}-{language}.html").read_text("utf-8")
    assert not FORBIDDEN.search(html)
    assert not FORBIDDEN.search(text_of(files, language))


def test_the_same_release_gives_the_same_bytes(files: Path, made: Report) -> None:
    for language in LANGUAGES:
        assert pdf(made, language) == (files / f"report-{PERIOD}-{language}.pdf").read_bytes()
        assert page(made, language, "screen").encode() == (files / f"report-{PERIOD}-{language}.html").read_bytes()


def test_a_small_company_has_a_name_and_no_figures(files: Path) -> None:
    html = (files / f"report-{PERIOD}-en.html").read_text("utf-8")
    for name in SMALL:
        row = re.search(rf'<tr>\s*<th scope="row" class="company">{name}</th>(.*?)</tr>', html, re.DOTALL)
        assert row is not None
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row[1])
        assert cells == ["&lt;10", "–", "–", "–", "–", "fewer than 10 episodes: no figures"]


def test_totals_that_disclose_a_small_company_are_not_shown(made: Report) -> None:
    assert made.table.network.counts["refused"] is None
    assert "not shown" in page(made, EN, "screen")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_counts_every_company_once(made: Report, language: Language) -> None:
    counted = [int(item.companies.split("\u00a0")[0]) for item in standing_counts(made.table, language)]
    assert sum(counted) == len(made.table.rows)
    assert all("None" not in sentence and "{" not in sentence for sentence in what_was_measured(made.table, language))


def test_without_deadlines_curve_or_standings_nothing_is_claimed(made: Report) -> None:
    nothing = replace(made.table.network.lenient, p=None, low=None, high=None)
    network = replace(made.table.network, lenient=nothing, strict=nothing, curve=(), survival=())
    rows = tuple(replace(row, figures=None, standing=None, ranked=False) for row in made.table.rows)
    bare = replace(made, table=replace(made.table, network=network, rows=rows), demonstration=False)
    for language in LANGUAGES:
        assert standing_counts(bare.table, language) == ()
        html = page(bare, language, "screen")
        assert not any(f"standing--{key}" in html.split("</style>")[1] for key in STANDINGS)
        assert "demonstration" not in html.split("</style>")[1]
    assert any("nothing can be said" in sentence for sentence in what_was_measured(bare.table, EN))


def test_possible_ranks_and_bands_stand_beside_the_rank(made: Report) -> None:
    rows = tuple(
        replace(row, figures=replace(row.figures, rank_low=1, rank_high=7, band="A"))
        if row.ranked and row.figures
        else row
        for row in made.table.rows
    )
    plain = tuple(
        replace(row, figures=row.figures and replace(row.figures, rank_low=None, rank_high=None, band=None))
        for row in made.table.rows
    )
    assert "range · band" not in page(replace(made, table=replace(made.table, rows=plain)), EN, "print")
    html = page(replace(made, table=replace(made.table, rows=rows)), EN, "print")
    assert "range · band" in html
    assert "<small>1–7 · A</small>" in html


def test_where_the_network_gives_way_the_report_says_whom_it_leaves_out(made: Report) -> None:
    lone = Invented("lone", "Lone", 3, 0, 1, 1, 5)
    big = Invented("as64496", "Rietkraag Cloud", 90, 4, 26, 41, 90)
    hidden = public_table(invent(companies=(big, lone), stray=Invented("", "", 0, 0, 0, 0, 5)))
    html = page(replace(made, table=hidden), EN, "print")
    assert "all companies together leave out those with fewer than 10" in html
    lines = {line.key: line.value for line in key_figures(hidden, None, EN)}
    assert lines["on_time"].startswith("75")


def test_companies_that_joined_are_explained(made: Report) -> None:
    companies = (Invented("a", "A", 90, 4, 26, 41, 90), Invented("b", "B", 3, 0, 1, 1, 5))
    few = (Invented("c", "C", 6, 2, 2, 3, 5), Invented("d", "D", 5, 4, 3, 4, 5))
    joined = public_table(invent(companies=companies + few, stray=Invented("", "", 0, 0, 0, 0, 5)))
    html = page(replace(made, table=joined), EN, "print")
    assert "This time the next smallest companies have no figures either" in html
    assert html.count("&lt;30") == 3


def test_a_period_without_a_published_release_is_refused(engine: Engine) -> None:
    with Session(engine) as session, pytest.raises(MonitorError, match=r"no published release of '2031Q1'.*2026Q2"):
        read_report(session, Settings(), "2031Q1")


def test_a_draft_is_never_reported(new_database: NewDatabase) -> None:
    opened = connect(new_database())
    with Session(opened) as session:
        publish(session, table(8), stage=Stage.DRAFT)
        with pytest.raises(MonitorError, match="none yet"):
            read_report(session, Settings(), PERIOD)
    opened.dispose()


def test_a_folder_that_cannot_be_written_is_said_plainly(made: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MonitorError, match="cannot write the report"):
        write(made, tmp_path / "file" / "inside")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/x.css", "file:///etc/hostname", f"{STATIC.as_uri()}/../words.py"]
)
def test_nothing_outside_the_report_is_fetched(address: str) -> None:
    html = HTML(string=f'<html lang="en"><link rel="stylesheet" href="{address}">', url_fetcher=OnlyOurFiles())
    with pytest.raises(FatalURLFetchingError):
        html.write_pdf()


def test_the_command_writes_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_database: NewDatabase
) -> None:
    url = new_database()
    monkeypatch.setenv("MONITOR_HOME", str(tmp_path))
    monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    opened = connect(url)
    with Session(opened) as session:
        publish(session, table(8))
    opened.dispose()
    result = CliRunner().invoke(
        report, [PERIOD, "--out", str(tmp_path / "out"), "--only-report", "--json"], catch_exceptions=False
    )
    answer = json.loads(result.output)
    assert (answer["period"], answer["version"]) == (PERIOD, 1)
    assert all(Path(path).is_file() for path in answer["files"])


def test_fiction_adds_up() -> None:
    made = table()
    assert sum(item.episodes for item in companies()) + made.unattributed.episodes == made.network.episodes
    assert all(sum(age.episodes for age in item.outstanding_by_age) == item.outstanding for item in made.companies)
