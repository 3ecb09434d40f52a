"""Both languages are whole: no string of the site is missing, doubtful, or left over."""

from __future__ import annotations

import gettext
import json
import re

import pytest

from tools import build_static
from tools import update_translations as update


def strings(message: object) -> list[str]:
    """One string, or the forms of a plural."""
    return [str(part) for part in message] if isinstance(message, tuple | list) else [str(message)]


@pytest.mark.parametrize("language", update.LANGUAGES)
def test_the_catalogue_has_exactly_what_the_site_says(language: str) -> None:
    said = {message.id for message in update.extracted() if message.id}
    catalog = update.load(language)
    assert {message.id for message in catalog if message.id} == said
    assert not catalog.obsolete
    assert not [message.id for message in catalog if message.id and message.fuzzy]


def test_every_dutch_string_is_there_with_the_same_places_to_fill_in() -> None:
    for message in update.load("nl"):
        if not message.id:
            continue
        places = {name for text in strings(message.id) for name in re.findall(r"%\((\w+)\)", text)}
        for text in strings(message.string):
            assert text, message.id
            assert set(re.findall(r"%\((\w+)\)", text)) <= places, message.id


@pytest.mark.parametrize("language", update.LANGUAGES)
def test_the_compiled_catalogue_is_that_of_its_source(language: str) -> None:
    with update.path(language).with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in update.load(language):
        if message.id and isinstance(message.id, str) and message.string:
            assert compiled.gettext(message.id) == message.string


def test_vendored_files_are_those_on_record() -> None:
    record = json.loads((build_static.VENDOR / "vendor.json").read_text())
    assert record["files"] == build_static.hashes()
    assert {about["licence"] for about in record["packages"].values()} == {"EUPL-1.2", "OFL-1.1"}
