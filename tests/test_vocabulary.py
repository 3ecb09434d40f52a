"""Private words stay out of code, pages and documents: a name is what a stranger would search for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READ = {".html", ".md", ".po", ".py", ".toml"}
NOT_OURS = {".git", ".venv", "build", "golden", "node_modules", "var", "vendor"}
NOT_READ = {"CHANGELOG.md", "tests/test_vocabulary.py"}

# What must not be written, and what is written instead.
BANNED = {
    "nobody's door": (r"nobody'?s[ _]door", "unattributed"),
    "gives way": (r"\b(?:gives?|giving|gave) way\b", "is suppressed, leaves out"),
    "betray": (r"betray", "disclose"),
    "waits for a person": (r"\bwait\w* for a person\b", "is pending review"),
    "taken in": (r"(?<!for )(?<!, )\btaken in\b", "ingested"),
    "take_in": (r"take_in", "ingest"),
    "Parcel": (r"\bParcel\b", "DeliveryFile"),
    "Fate": (r"\bFate\b", "RowResult"),
    "untold": (r"\buntold\b", "None"),
    "thaw": (r"\bthaw", "load"),
    "set_out": (r"\bset_out\b", "start"),
    "Shelf": (r"\bShelf\b", "ReleaseIndex"),
    "speak": (r"\bspeak\(", "init_babel"),
    "HEARSAY": (r"\bHEARSAY\b", "UNVERIFIED_SOURCES"),
    "HandedKey": (r"\bHandedKey\b", "ExportedKey"),
    "DiscreetRecord": (r"\bDiscreetRecord\b", "RedactingLogRecord"),
    "let_go": (r"\blet_go\b", "release"),
    "briefly": (r"\b(?:def|import|from) (?:[\w.]+\.)?briefly\b|\bbriefly\(|\.briefly\b|_briefly\b", "short_timeout"),
    "NOWHERE": (r"\bNOWHERE\b", "NO_MATCH"),
    "tongue": (r"\btongue\b", "language"),
    "presses": (r"\bpresses\b", "pdf_pool"),
    "dissect": (r"\bdissect", "parse_url"),
    "withdraw_retold": (r"\bwithdraw_retold\b", "reconcile"),
}


def files() -> Iterator[Path]:
    """What is read, by its path in the repository."""
    for folder, names, inside in os.walk(ROOT):
        names[:] = sorted(set(names) - NOT_OURS)
        paths = (Path(folder, name).relative_to(ROOT) for name in sorted(inside) if Path(name).suffix in READ)
        yield from (path for path in paths if path.as_posix() not in NOT_READ)


def banned(text: str) -> set[str]:
    """The phrases that a text has, across the ends of lines too."""
    one_line = re.sub(r"\s+(?:#:? |[\"*] ?)?", " ", text)
    return {phrase for phrase, (pattern, _) in BANNED.items() if re.search(pattern, one_line)}


def found() -> dict[str, set[str]]:
    """The phrases in each file and in its name."""
    return {path.as_posix(): banned(f"{path.stem} {(ROOT / path).read_text('utf-8')}") for path in files()}


def test_no_text_and_no_name_has_a_private_word() -> None:
    phrases = found()
    assert len(phrases) > 600
    said = [f"{path}: {phrase} (write: {BANNED[phrase][1]})" for path, has in phrases.items() for phrase in sorted(has)]
    assert not said, "\n".join(said)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("what is at nobody's door", {"nobody's door"}),
        ("The network gives\n    way.", {"gives way"}),
        ('"gives_way": network.gives_way', set()),
        ("# what waits for a\n# person", {"waits for a person"}),
        ("once it is taken in", {"taken in"}),
        ("for name, taken in claims.items():", set()),
        ("from monitor.schedule.briefly import connect_briefly", {"briefly"}),
        ("It says briefly why.", set()),
        ("test_a_reader_is_let_go_at_once", set()),
        ("let_go(engine, term)", {"let_go"}),
    ],
)
def test_the_words_are_found(text: str, phrases: set[str]) -> None:
    assert banned(text) == phrases
