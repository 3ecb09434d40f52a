"""Bring the catalogues up to date with the templates and compile them: `python -m tools.update_translations`.

New strings appear empty in `nl/LC_MESSAGES/messages.po`: fill them in and run this again. A string of the English
catalogue that is left empty reads as it stands in the template.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).resolve().parents[1] / "web"
LANGUAGES = ("nl", "en")
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]


def extracted() -> Catalog:
    """Every string that the templates and the code mark for translation."""
    catalog = Catalog(project="hosting-abuse-compliance-monitor")
    for name, _, message, comments, _ in extract_from_dir(WEB, method_map=_METHODS, strip_comment_tags=True):
        catalog.add(message, locations=[(name, 0)], auto_comments=comments)
    return catalog


def path(language: str) -> Path:
    """Where a language's catalogue lies."""
    return WEB / "shared" / "translations" / language / "LC_MESSAGES" / "messages.po"


def load(language: str) -> Catalog:
    """The catalogue of a language."""
    with path(language).open("rb") as file:
        return read_po(file, locale=language)


def main() -> None:
    """Update and compile both catalogues; what is no longer used goes."""
    template = extracted()
    for language in LANGUAGES:
        catalog = load(language) if path(language).exists() else Catalog(locale=language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        path(language).parent.mkdir(parents=True, exist_ok=True)
        with path(language).open("wb") as file:
            write_po(file, catalog, width=110, omit_header=True, include_lineno=False)
        compile_one(catalog, language)


def compile_one(catalog: Catalog, language: str) -> None:
    """Write the binary form that the site reads."""
    with path(language).with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)


if __name__ == "__main__":
    main()
