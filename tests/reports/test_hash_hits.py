"""The report of a release with hash hits: a section of their own, in both languages and in the PDF."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from monitor.wording.language import EN, LANGUAGES, NL, Language
from reports.document import page
from tests.reports.fiction import pdf, report
from tests.support.published import invent, with_hash_hits


@pytest.mark.parametrize("language", LANGUAGES)
def test_hash_hits_are_a_section_of_their_own_where_there_are_any(language: Language) -> None:
    """Their companies stand there and in the table in full; a report without hits does not name the section."""
    heading = {NL: "Opvolging van de hashcheckservice", EN: "Follow-up of the hash service"}[language]
    hits = report(with_hash_hits(invent()))
    whole = page(hits, language, "screen")
    section = whole.partition('<section aria-labelledby="hash_hits"')[2].partition("</section>")[0]
    assert heading in section
    full = whole.partition('id="full-hits"')[2].partition("</table>")[0]
    assert section.count("Duinroos Hosting") == full.count("Duinroos Hosting") == 1
    assert whole.count("Duinroos Hosting") == 2
    assert re.findall(r'<a href="#hash_hits"><span[^>]*>7</span> ([^<]+)</a>', whole) == [heading]
    withheld = {
        NL: "zonder de bedrijven met minder dan 10 gevallen",
        EN: "leave out those with fewer than 10 episodes",
    }
    assert withheld[language] in section
    assert heading not in page(report(invent()), language, "screen")


def test_the_section_of_the_hash_hits_is_in_the_pdf_byte_for_byte() -> None:
    hits = report(with_hash_hits(invent()))
    assert pdf(hits, NL) == pdf(hits, NL)
    read = PdfReader(BytesIO(pdf(hits, NL)))
    assert any("Treffers: bedrijven met genoeg gevallen" in sheet.extract_text() for sheet in read.pages)
