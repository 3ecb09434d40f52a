"""Every sentence is translated: none is missing, doubtful, left over or still English, and the check finds such."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from tools import translations

ONE, MANY = "{n} notice", "{n} notices"


@pytest.mark.parametrize("code", translations.CODES)
def test_nothing_is_wrong_with_the_catalogue(code: str) -> None:
    assert translations.problems(code) == []


def test_words_that_are_the_same_in_both_languages_are_listed_once_and_used() -> None:
    for code, same in translations.SAME.items():
        assert same <= {form for message in translations.load(code) for form in translations.forms(message.id)}


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of catalogues, and two sentences that are used."""
    used = Catalog()
    used.add("Late: {n}")
    used.add((ONE, MANY))
    used.add("hours", context="unit")
    monkeypatch.setattr(translations, "CATALOGUES", tmp_path)
    monkeypatch.setattr(translations, "extracted", lambda: used)
    return tmp_path


def write(folder: Path, *messages: tuple[Any, Any, str | None], flags: tuple[str, ...] = ()) -> None:
    """A Dutch catalogue of messages, translations and contexts, compiled as it is."""
    catalog = Catalog(locale="nl", fuzzy=False)
    for text, translated, context in messages:
        catalog.add(text, translated, context=context, flags=flags)
    with (folder / "nl.po").open("wb") as file:
        write_po(file, catalog)
    translations.compile_one(catalog, "nl")


LATE, NOTICES, HOURS = ("Late: {n}", "Te laat: {n}", None), ((ONE, MANY), ("{n} melding", "{n} meldingen"), None), (
    "hours", "uren", "unit",
)  # fmt: skip


def test_a_catalogue_of_all_that_is_used_is_well(catalogues: Path) -> None:
    write(catalogues, LATE, NOTICES, HOURS)
    assert translations.problems("nl") == []


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ((LATE, NOTICES), "not in nl.po: hours"),
        ((LATE, NOTICES, HOURS, ("Early", "Vroeg", None)), "no longer used: Early"),
        ((("Late: {n}", "", None), NOTICES, HOURS), "not translated: Late: {n}"),
        ((("Late: {n}", "Late: {n}", None), NOTICES, HOURS), "the same as the English: Late: {n}"),
        ((("Late: {n}", "Te laat: {m}", None), NOTICES, HOURS), "has other {values} than the English: Late: {n}"),
        ((("Late: {n}", "Te laat", None), NOTICES, HOURS), "has other {values} than the English: Late: {n}"),
        ((("Late: {n}", "Te laat: {n} ", None), NOTICES, HOURS), "begins or ends with a space: Late: {n}"),
        ((LATE, ((ONE, MANY), ("{n} melding", ""), None), HOURS), f"not translated: {(ONE, MANY)}"),
    ],
)
def test_what_is_wrong_is_told(catalogues: Path, messages: Any, problem: str) -> None:
    write(catalogues, *messages)
    assert translations.problems("nl") == [problem]


def test_a_doubtful_translation_is_told(catalogues: Path) -> None:
    write(catalogues, LATE, NOTICES, HOURS, flags=("fuzzy",))
    assert [problem.split(":")[0] for problem in translations.problems("nl")] == ["marked as fuzzy"] * 3


def test_a_translation_that_was_not_compiled_is_told(catalogues: Path) -> None:
    write(catalogues, LATE, NOTICES, HOURS)
    text = (catalogues / "nl.po").read_text("utf-8")
    (catalogues / "nl.po").write_text(text.replace("Te laat", "Over tijd"), "utf-8")
    assert translations.problems("nl") == ["nl.mo is not made from nl.po: run python -m tools.translations"]


def test_an_update_leaves_what_is_new_empty_and_removes_what_is_unused(catalogues: Path) -> None:
    write(catalogues, LATE, ("Early", "Vroeg", None))
    translations.update("nl")
    assert translations.problems("nl") == [f"not translated: {(ONE, MANY)}", "not translated: hours"]
    before = (catalogues / "nl.po").read_bytes()
    translations.update("nl")
    assert (catalogues / "nl.po").read_bytes() == before


def test_sentences_are_found_in_code_and_nothing_else_is() -> None:
    source = b"""
# Translators: a heading.
TITLE = Message("Late", "of a notice")
language.gettext("One" if n else "None", n=NAMES["key"])
language.gettext(NAMES["other"].label)
language.ngettext("{n} day", "{n} days", 3)
REFUSED = Plural("{n} notice", "{n} notices")
print(language.gettext("Outer {x}", x=language.gettext("In" "ner")))
"""
    found = list(translations.extract_python(io.BytesIO(source), translations.KEYWORDS, (), {}))
    assert sorted((text, comments) for _, _, text, comments in found if isinstance(text, str)) == [
        ("Inner", []), ("None", []), ("One", []), ("Outer {x}", []),
    ]  # fmt: skip
    assert sorted(text for _, _, text, _ in found if not isinstance(text, str)) == [
        ("Late", "of a notice"), ("{n} day", "{n} days"), ("{n} notice", "{n} notices"),
    ]  # fmt: skip
    assert [comments for _, _, text, comments in found if "Late" in text] == [["Translators: a heading."]]
