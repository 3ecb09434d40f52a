"""The catalogues of `monitor/translations`: `python -m tools.translations` brings them up to date with the sources.

New sentences appear empty in `nl.po`: fill them in, with any editor of .po files, and run this again; it also compiles
`nl.mo`, which the software reads. With `--check` nothing is written, and what is wrong is told.
"""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from monitor.wording.language import CATALOGUES, EN, LANGUAGES

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("monitor", "reports", "web")
CODES = tuple(language.code for language in LANGUAGES if language != EN)
_PLURALS = ("ngettext", "nmarkup", "Plural")
# What a call has: a sentence, two for a plural, a sentence and its context.
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("gettext", "markup", "_"), None),
    **dict.fromkeys(_PLURALS, (1, 2)),
    "pgettext": ((1, "c"), 2),
    "Message": {1: None, 2: (1, (2, "c"))},
}
# What reads the same in Dutch as in English.
SAME: dict[str, frozenset[str]] = {
    "nl": frozenset(
        {
            "API",
            "Contact",
            "Contact:",
            "Episodes",
            "Interval (95%)",
            "Is",
            "Norm",
            "Norm {target}",
            "Open data",
            "Parameter",
            "Score",
            "Sites",
            "Via proxy",
            "Was",
            "episodes",
            "hosting",
            "items",
            "sites",
            "via proxy",
            "{n} episode",
            "{n} episodes",
            "{n} site",
            "{n} sites",
        }
    )
}


def extract_python(
    file: BinaryIO,
    keywords: Any,
    comment_tags: Any,  # noqa: ARG001
    options: Any,  # noqa: ARG001
) -> Iterator[tuple[int, str, Any, list[str]]]:
    """The calls of a module as Babel takes them. Its own method joins both ends of `"a" if x else "b"`, and takes the
    string of `gettext(NAMES["key"])` for a sentence; this one takes what is a sentence.
    """
    source = file.read().decode()
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name in keywords and node.args:
            for first in _ends(node.args[0]):
                rest = [_text(arg) for arg in node.args[1:2]] if name in (*_PLURALS, "Message") else []
                texts = (first, *rest)
                if all(texts):
                    yield node.lineno, name, texts if len(texts) > 1 else first, _comments(lines, node.lineno)


def _ends(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _ends(node.body)
        yield from _ends(node.orelse)
    elif text := _text(node):
        yield text


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _comments(lines: list[str], number: int) -> list[str]:
    """The comment for translators on the lines before a call."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("#"):
            break
        found.insert(0, line.strip(" #"))
    return found if found and found[0].startswith("Translators:") else []


def extracted() -> Catalog:
    """Every sentence that code and templates mark."""
    catalog = Catalog(project="hosting-abuse-compliance-monitor")
    methods: Any = [("**.py", extract_python), ("**/templates/**", "jinja2")]  # a function, which Babel takes too
    for package in PACKAGES:
        folder = ROOT / package
        found = extract_from_dir(folder, methods, None, KEYWORDS, ("Translators:",), strip_comment_tags=True)
        for name, _, message, comments, context in found:
            catalog.add(message, locations=[(f"{package}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def path(code: str) -> Path:
    """Where a language's catalogue lies."""
    return CATALOGUES / f"{code}.po"


def load(code: str) -> Catalog:
    """The catalogue of a language."""
    with path(code).open("rb") as file:
        return read_po(file, locale=code)


def update(code: str) -> None:
    """Bring a catalogue up to date and compile it: what is new is empty, what is no longer used goes."""
    catalog = load(code) if path(code).exists() else Catalog(locale=code)
    catalog.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.header_comment = "# The sentences of site, desk, report and files; CONTRIBUTING.md says how they are kept."
    catalog.project, catalog.version = "hosting-abuse-compliance-monitor", "main"
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the repository knows better
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = "see CONTRIBUTING.md"
    with path(code).open("wb") as file:
        write_po(file, catalog, width=0, include_lineno=False)
    compile_one(catalog, code)


def compile_one(catalog: Catalog, code: str) -> None:
    """Write the binary form that the software reads."""
    with path(code).with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)


def problems(code: str) -> list[str]:
    """What is wrong with a catalogue, one line each."""
    catalog, used = load(code), {_key(message): message for message in extracted() if message.id}
    known = {_key(message): message for message in catalog if message.id}
    found = [f"not in {code}.po: {key[1]}" for key in used.keys() - known.keys()]
    found += [f"no longer used: {key[1]}" for key in known.keys() - used.keys()]
    found += [f"no longer used: {message.id}" for message in catalog.obsolete.values()]
    for (_, text), message in known.items():
        found += [f"{what}: {text}" for what in _wrong(message, SAME[code])]
    with path(code).with_suffix(".mo").open("rb") as file:
        compiled = {_key(message): forms(message.string) for message in read_mo(file) if message.id}
    whole = {key: forms(each.string) for key, each in known.items() if all(forms(each.string)) and not each.fuzzy}
    if compiled.keys() - known.keys() or any(compiled.get(key) != text for key, text in whole.items()):
        found.append(f"{code}.mo is not made from {code}.po: run python -m tools.translations")
    return sorted(found)


def _key(message: Message) -> tuple[str | None, Any]:
    context: Any = message.context  # bytes where Babel reads a compiled catalogue
    context = context.decode() if isinstance(context, bytes) else context
    return context, tuple(message.id) if isinstance(message.id, list) else message.id


def _wrong(message: Message, same: frozenset[str]) -> Iterator[str]:
    sources, texts = forms(message.id), forms(message.string)
    if not all(texts):
        yield "not translated"
        return
    if message.fuzzy:
        yield "marked as fuzzy"
    if any(text in sources and text not in same for text in texts):
        yield "the same as the English"
    if any(text != text.strip() for text in (*sources, *texts)):
        yield "begins or ends with a space"
    wanted, given = _places(sources), [_places([text]) for text in texts]
    if not all(places <= wanted for places in given) or given[-1] != wanted:
        yield "has other {values} than the English"


def forms(text: Any) -> list[str]:
    """One sentence, or the forms of a plural."""
    return [str(form) for form in text] if isinstance(text, list | tuple) else [str(text)]


def _places(texts: list[str]) -> set[str]:
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


def main() -> None:
    """Update, or check with exit code 1 where something is wrong."""
    if sys.argv[1:] == ["--check"]:
        found = [problem for code in CODES for problem in problems(code)]
        sys.exit("\n".join(found) if found else 0)
    for code in CODES:
        update(code)
        print(*problems(code), sep="\n")


if __name__ == "__main__":
    main()
