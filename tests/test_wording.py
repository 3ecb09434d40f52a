"""Words (S15): whatever the public reads says what was measured and no more, in plain Dutch and English.

Read are all sentences of code and templates in both languages, every kind of page as it is rendered, the report as
HTML, and the method.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from monitor.disclosure.rows import public_table
from monitor.wording.language import EN, LANGUAGES, NL, Language
from reports.document import Report, page
from tests.support.publications import Version, public_site
from tests.support.published import COMPANIES, invent, with_hash_hits
from tools import translations

ROOT = Path(__file__).parents[1]
both = pytest.mark.parametrize("language", LANGUAGES)

# Stems that say more than was measured, or blame. Who uses one for something innocent chooses another word.
TOO_MUCH: Mapping[Language, str] = {
    NL: (
        "schuldig|crimin|misdad|misdrijf|dader|overtred|strafbaar|schurk|malafide|slechtste|nalatig|laks|onwillig"
        "|medeplichtig|verdacht|boef|schand|beschuldig|veroordeel|gestraft|wangedrag|bulletproof|rotte appel"
    ),
    EN: (
        "guilt|crimin|culprit|offend|perpetrat|villain|rogue|worst|negligen|complicit|suspect|unlawful|lawbreak"
        "|convict|punish|blame|shame|misconduct|bulletproof|bad actor|wrongdo|notorious|unwilling"
    ),
}
# Words of statisticians, lawyers and managers for which there is a plain one.
JARGON: Mapping[Language, str] = {
    NL: (
        "significant|p-waarde|kwantiel|percentiel|posterior|stochast|regressie|logit|compliance|stakeholder|benchmark"
        "|timeframe|feedback|performance|middels|teneinde|derhalve|alsmede|conform|inzake|dient te|issue|checken"
    ),
    EN: (
        "statistically significant|p-value|quantile|percentile|posterior|stochastic|regression|logit|compliance"
        "|stakeholder|benchmark|timeframe|leverage|utilise|pursuant|aforementioned|hereby|thereof|whilst|heretofore"
    ),
}
# Terms that cannot be avoided: a page that has one leads to the method, which explains it.
EXPLAINED: Mapping[Language, Sequence[str]] = {
    NL: ("gevallen", "betrouwbaarheidsinterval", "mediaan", "twijfelgeval", "onbepaald"),
    EN: ("episode", "confidence interval", "median", "lenient reading", "strict reading", "undetermined"),
}
# What a column may hold of only one kind.
KINDS: Mapping[str, str] = {
    "measurement": r"\d\s?(%|uur|hours?|dagen|days)|aandeel|mediane|openstaand|\bshare\b|median|outstanding",
    "order": r"aanwijzing|verwijderingsbevel|\blast onder|binding instruction|removal order|order under penalty",
    "fine": r"\bboete|dwangsom|\bfined?s?\b|penalt",
}
LONGEST, USUAL = 30, 14  # words of a sentence: none longer, and half of them no longer
METHOD: Mapping[Language, str] = {NL: "/nl/werkwijze", EN: "/en/method"}
VALUES = {"period": "2026Q2", "key": "as64500", "figure": "funnel"}


class Reading(HTMLParser):
    """The words of a page, those for assistive technology too, and its tables by column."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[str] = []
        self.feed(text)

    @property
    def text(self) -> str:
        """All of it in lower case, with single spaces."""
        return re.sub(r"[\s\u00a0\u00ad]+", " ", " ".join(self.words)).lower()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
        self.words += [value for name, value in attrs if name in ("aria-label", "title", "alt", "content") and value]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if {"style", "script"} & set(self._open):
            return
        self.words.append(data)
        if {"td", "th"} & set(self._open) and self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data


def too_much(text: str, language: Language) -> list[str]:
    """The stems in a text that say more than was measured."""
    return re.findall(TOO_MUCH[language], text.lower())


def jargon(text: str, language: Language) -> list[str]:
    """The words in a text for which there is a plain one."""
    return re.findall(rf"\b(?:{JARGON[language]})\b", text.lower())


def mixed(table: Sequence[Sequence[str]]) -> list[int]:
    """The columns of a table that hold more than one of measurement, order and fine."""
    width = max(map(len, table), default=0)
    columns = [" ".join(row[i] for row in table if i < len(row)).lower() for i in range(width)]
    return [i for i, text in enumerate(columns) if sum(bool(re.search(kind, text)) for kind in KINDS.values()) > 1]


def sentences(text: str) -> Iterator[str]:
    """Whole sentences; what stands in brackets can be skipped by a reader, so it does not count."""
    plain = re.sub(r"\([^()]*\)", "", re.sub(r"%\(\w+\)s|\{\w*\}", "X", text))
    for found in re.findall(r"[^.?!:;]+(?:[.?!:;](?!\s|$)[^.?!:;]*)*[.?!:;](?=\s|$)", plain):
        if len(words(found)) > 3:
            yield found.strip()


def words(sentence: str) -> list[str]:
    """The words of a sentence."""
    return re.findall(r"[\w’'%,.-]*\w", sentence)


@cache
def said(language: Language) -> tuple[tuple[str, str], ...]:
    """All sentences of code and templates in a language, with where they stand."""
    strings = []
    for message in translations.load(NL.code):
        given = message.id if language == EN else message.string
        where = ", ".join(name for name, _ in message.locations)
        strings += [(where, str(part)) for part in (given if isinstance(given, tuple) else (given,)) if where]
    return tuple(strings)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A site with everything to say: two quarters, hash hits, a correction."""
    return public_site(
        tmp_path_factory.mktemp("wording"),
        Version(invent("2026Q1")),
        Version(invent("2026Q2", COMPANIES[:-1])),
        Version(with_hash_hits(invent("2026Q2")), version=2, reason="a notice was withdrawn"),
        demonstration=True,
    )


def pages_of(site: Flask, language: Language) -> Iterator[str]:
    """An address of every kind of page that has a language."""
    adapter = site.url_map.bind("localhost")
    for rule in site.url_map.iter_rules():
        given = dict(rule.defaults or {})
        if given.get("lang") == language and given.get("form", "html") == "html" and "GET" in (rule.methods or ()):
            yield adapter.build(rule.endpoint, _values(rule) | given)


def _values(rule: Rule) -> dict[str, str]:
    missing = rule.arguments - set(rule.defaults or {}) - set(VALUES)
    assert not missing, f"say here what {sorted(missing)} may be in {rule.endpoint}"
    return {name: VALUES[name] for name in rule.arguments if name in VALUES}


@cache
def _read(site: Flask, language: Language) -> Mapping[str, Reading]:
    client = site.test_client()
    more = {NL: ("/nl/nergens", "/nl/bedrijf/2026Q2/as64511"), EN: ("/en/nowhere", "/en/company/2026Q2/as64511")}
    found = {}
    for address in (*pages_of(site, language), *more[language]):
        answer = client.get(address, follow_redirects=True)
        if answer.mimetype == "text/html":
            found[address] = Reading(answer.text)
    return found


@pytest.fixture(scope="module")
def pages(site: Flask) -> Mapping[Language, Mapping[str, Reading]]:
    """Every kind of page, read in both languages."""
    return {language: _read(site, language) for language in LANGUAGES}


@pytest.fixture(scope="module")
def reports() -> Mapping[Language, Reading]:
    """The quarterly report as HTML."""
    table = public_table(with_hash_hits(invent("2026Q2")))
    report = Report(
        period="2026Q2",
        version=2,
        published_at=datetime(2026, 7, 20, 8, tzinfo=UTC),
        manifest_sha256="0" * 64,
        code_version="0",
        table=table,
        publisher="Hostingmonitor",
        demonstration=True,
        earlier=(public_table(invent("2026Q1")),),
    )
    return {language: Reading(page(report, language, "screen")) for language in LANGUAGES}


@both
def test_every_string_says_no_more_than_was_measured(language: Language) -> None:
    assert len(said(language)) > 900
    assert not [(where, text, found) for where, text in said(language) if (found := too_much(text, language))]


@both
def test_no_page_says_more_than_was_measured(
    pages: Mapping[Language, Mapping[str, Reading]], language: Language
) -> None:
    assert len(pages[language]) > 8
    found = {address: too_much(reading.text, language) for address, reading in pages[language].items()}
    assert not {address: stems for address, stems in found.items() if stems}


@both
def test_the_report_says_no_more_than_was_measured(reports: Mapping[Language, Reading], language: Language) -> None:
    assert "turnbull" in reports[language].text
    assert not too_much(reports[language].text, language)


@both
def test_the_method_says_no_more_than_was_measured(language: Language) -> None:
    text = (ROOT / "docs" / {NL: "method.nl.md", EN: "method.md"}[language]).read_text("utf-8")
    assert not too_much(text, language)


@pytest.mark.parametrize(
    ("language", "text", "stems"),
    [
        (NL, "De daders zijn bekend.", ["dader"]),
        (NL, "Het slechtste bedrijf", ["slechtste"]),
        (NL, "Er is een vergadering over de inkt.", []),
        (EN, "Criminal hosting, the worst offenders", ["crimin", "worst", "offend"]),
        (EN, "It was found, not guilty.", ["guilt"]),
        (EN, "The criterion is public.", []),
    ],
)
def test_the_check_of_words_finds_them(language: Language, text: str, stems: list[str]) -> None:
    assert too_much(text, language) == stems


@both
def test_order_fine_and_measurement_never_share_a_column(
    pages: Mapping[Language, Mapping[str, Reading]], reports: Mapping[Language, Reading], language: Language
) -> None:
    """In tables of companies; the method's own list of deadlines names kinds of notice beside their hours."""
    names = {item.name for item in COMPANIES}
    tables = [
        (address, table)
        for address, reading in (*pages[language].items(), ("report", reports[language]))
        for table in reading.tables
        if any(name in cell for row in table for cell in row for name in names)
    ]
    assert len(tables) > 5
    assert not [(address, table[0], columns) for address, table in tables if (columns := mixed(table))]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ([["Company", "Share on time", "Fine"], ["A", "40%", "imposed"]], []),
        ([["Company", "Result"], ["A", "40% on time"], ["B", "fined"]], [1]),
        ([["Bedrijf", "Besluit"], ["A", "bindende aanwijzing"], ["B", "boete"]], [1]),
        ([["Bedrijf", "Aandeel op tijd (dwangsom)"], ["A", "40%"]], [1]),
        ([["Bedrijf", "Aanwijzing", "Dwangsom"], ["A", "bindende aanwijzing", "dwangsom"]], []),
    ],
)
def test_the_check_of_columns_finds_mixed_ones(table: list[list[str]], columns: list[int]) -> None:
    assert mixed(table) == columns


@both
def test_sentences_are_short(language: Language) -> None:
    lengths = {sentence: len(words(sentence)) for _, text in said(language) for sentence in sentences(text)}
    assert len(lengths) > 300
    assert not {sentence: length for sentence, length in lengths.items() if length > LONGEST}
    assert statistics.median(lengths.values()) <= USUAL


@both
def test_there_is_a_plain_word_for_jargon(
    pages: Mapping[Language, Mapping[str, Reading]], reports: Mapping[Language, Reading], language: Language
) -> None:
    read = {address: reading for address, reading in pages[language].items() if not address.endswith("/api")}
    read["report"] = reports[language]  # and not the page for programmers, which names fields
    assert not [(where, text, found) for where, text in said(language) if (found := jargon(text, language))]
    assert not {where: found for where, reading in read.items() if (found := jargon(reading.text, language))}


def test_the_checks_of_plain_wording_find_what_is_not_plain() -> None:
    assert jargon("This is statistically significant.", EN) == ["statistically significant"]
    assert jargon("Dit dient te worden gedaan conform de eisen.", NL) == ["dient te", "conform"]
    long = "This is a sentence that goes on " + "and on " * 20 + "until nobody can follow it any more."
    assert [
        len(words(sentence)) > LONGEST for sentence in sentences(f"{long} This one (in brackets) ends here now.")
    ] == [
        True,
        False,
    ]


@both
def test_terms_that_cannot_be_avoided_are_explained_by_the_method(
    site: Flask, pages: Mapping[Language, Mapping[str, Reading]], language: Language
) -> None:
    client = site.test_client()
    method = Reading(client.get(METHOD[language]).text).text
    assert not [term for term in EXPLAINED[language] if term not in method]
    for address, reading in pages[language].items():
        if any(term in reading.text for term in EXPLAINED[language]):
            assert f'href="{METHOD[language]}' in client.get(address, follow_redirects=True).text, address
