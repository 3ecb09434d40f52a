"""The PDF as assistive technology reads it: PDF/UA-1 (ISO 14289-1) as far as its structure can be read back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import pairwise
from typing import Any, cast

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, NumberObject

from monitor.wording.language import EN, LANGUAGES, NL, Language
from reports.document import CHAPTERS, chapters
from reports.figures import pictures
from reports.pdf_pool import pdf_pool
from reports.publication import documents
from tests.reports.fiction import PERIOD, pdf, report

HEADINGS = {"/H1": 1, "/H2": 2, "/H3": 3, "/H4": 4}


@pytest.fixture(scope="module")
def readers() -> Mapping[Language, PdfReader]:
    """The report in both languages."""
    with pdf_pool(len(LANGUAGES)) as pool:
        files = documents(report(), pool)()
    return {language: PdfReader(BytesIO(files[f"report-{PERIOD}-{language}.pdf"])) for language in LANGUAGES}


def root(reader: PdfReader) -> Any:
    """The catalogue; pypdf's own types do not say what is in it."""
    return cast(Any, reader.trailer)["/Root"]


def elements(item: Any) -> Iterator[Any]:
    """The structure of a tagged PDF, in reading order."""
    yield item
    kids = item.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        known = kid.get_object()
        if isinstance(known, DictionaryObject) and "/S" in known:
            yield from elements(known)


def of_kind(reader: PdfReader, *kinds: str) -> list[Any]:
    """Every structure element of those kinds."""
    tree = root(reader)["/StructTreeRoot"]["/K"][0].get_object()
    return [item for item in elements(tree) if item.get("/S") in kinds]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_that_it_is_pdf_ua_1_in_which_language_and_what_it_is_called(
    readers: Mapping[Language, PdfReader], language: Language
) -> None:
    reader = readers[language]
    catalogue = root(reader)
    packet = catalogue["/Metadata"].get_data().decode()
    assert reader.pdf_header == "%PDF-1.7"
    assert re.search(r"pdfuaid:part>\s*1\s*<|pdfuaid:part=\"1\"", packet)
    assert catalogue["/Lang"] == language.code
    assert catalogue["/MarkInfo"]["/Marked"].value is True
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert reader.metadata is not None
    assert language.gettext("Removal of reported illegal material") in str(reader.metadata.title)
    assert str(reader.metadata.title) in packet


@pytest.mark.parametrize("language", LANGUAGES)
def test_headings_begin_at_one_and_leave_no_level_out(
    readers: Mapping[Language, PdfReader], language: Language
) -> None:
    levels = [HEADINGS[item["/S"]] for item in of_kind(readers[language], *HEADINGS)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_has_words_and_icons_are_no_pictures(
    readers: Mapping[Language, PdfReader], language: Language
) -> None:
    found = of_kind(readers[language], "/Figure")
    made = report()
    drawn = pictures(made.table, made.earlier, language)
    assert sorted(item["/Alt"] for item in found) == sorted(figure.title for figure in drawn.values())
    assert len(found) == 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_header_cell_says_what_it_heads_and_every_cell_names_its_headers(
    readers: Mapping[Language, PdfReader], language: Language
) -> None:
    reader = readers[language]
    for table in of_kind(reader, "/Table"):
        inside = list(elements(table))
        heads = [item for item in inside if item.get("/S") == "/TH"]
        known = {item["/ID"] for item in heads}
        assert {item["/A"]["/Scope"] for item in heads} <= {"/Column", "/Row"}
        assert all(set(item["/A"]["/Headers"]) <= known for item in inside if item.get("/S") == "/TD")
        assert all(item["/A"]["/Headers"] for item in inside if item.get("/S") == "/TD")
    rows = [item for item in of_kind(reader, "/TBody") for item in elements(item) if item.get("/S") == "/TH"]
    assert rows
    assert {item["/A"]["/Scope"] for item in rows} == {"/Row"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_on_two_pages_repeats_its_head(readers: Mapping[Language, PdfReader], language: Language) -> None:
    tables = of_kind(readers[language], "/Table")
    with_columns = [table for table in tables if any(item.get("/S") == "/THead" for item in elements(table))]
    facts = [table for table in tables if table not in with_columns]
    assert len(facts) == 2  # the cover and the colophon, whose headers are their rows
    assert len(with_columns) > 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chapter_is_a_bookmark_and_a_line_of_the_contents_with_its_page(
    readers: Mapping[Language, PdfReader], language: Language
) -> None:
    reader = readers[language]
    numbers = chapters(report().table)
    titles = [f"{number} {language.gettext(CHAPTERS[key])}" for key, number in numbers.items()]
    bookmarks: list[Any] = cast(Any, reader.outline)[1]
    places = {
        str(mark["/Title"]): cast(int, reader.get_destination_page_number(mark)) + 1
        for mark in bookmarks
        if not isinstance(mark, list)
    }
    assert list(places) == titles
    text = re.sub(r"\s+", " ", reader.pages[1].extract_text())
    for title, place in places.items():
        assert re.search(rf"{re.escape(title)} ?{place}\b", text), (title, place)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_is_one_page(readers: Mapping[Language, PdfReader], language: Language) -> None:
    texts = [re.sub(r"\s+", " ", page.extract_text()) for page in readers[language].pages]
    assert language.gettext("What this report says and does not say") in texts[2]
    assert f"2 {language.gettext(CHAPTERS['key_figures'])}" in texts[3]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_says_which_of_how_many_it_is(readers: Mapping[Language, PdfReader], language: Language) -> None:
    pages = readers[language].pages
    for number, page in enumerate(pages[1:], 2):
        words = {NL: "Pagina {} van {}", EN: "Page {} of {}"}[language].format(number, len(pages))
        assert words in re.sub(r"\s+", " ", page.extract_text())


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_font_that_comes_with_the_report_is_used_and_it_is_inside(
    readers: Mapping[Language, PdfReader], language: Language
) -> None:
    """A font of the machine would make other bytes elsewhere."""
    fonts = {}
    for page in readers[language].pages:
        for font in cast(Any, page)["/Resources"].get("/Font", {}).values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[str(inner["/BaseFont"])] = inner["/FontDescriptor"].get_object()
    assert all("Source-Sans-3" in name or "SourceSans3" in name for name in fonts), sorted(fonts)
    assert all("/FontFile2" in one or "/FontFile3" in one for one in fonts.values())


def test_links_say_where_they_go(readers: Mapping[Language, PdfReader]) -> None:
    annotations = [note.get_object() for page in readers[EN].pages for note in cast(Any, page).get("/Annots", [])]
    assert len(annotations) >= len(chapters(report().table))
    assert all(note["/Contents"] and isinstance(note["/StructParent"], NumberObject) for note in annotations)


def test_both_at_once_are_the_same_as_each_by_itself(readers: Mapping[Language, PdfReader]) -> None:
    stream = readers[NL].stream
    stream.seek(0)
    assert stream.read() == pdf(report(), NL)
