"""The method of a release as texts to go with its data: the whole document where it is about that version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import monitor
from monitor.score.methods import Method
from monitor.wording.parameters import described
from monitor.wording.words import Language, Text

NAMES: Mapping[Language, str] = MappingProxyType({"en": "method.md", "nl": "method.nl.md"})
_DOCUMENTS = Path(monitor.__file__).parents[1] / "docs"
_HEADING = Text("# De methode, versie {version}", "# The method, version {version}")
_INTRODUCTION = Text(
    "Alles wat een cijfer kan veranderen staat hieronder. Met deze waarden is de tabel gemaakt.",
    "Everything that can move a figure is below. The table was made with these values.",
)


def method_files(record: Method) -> dict[str, bytes]:
    """The texts in both languages, and the parameters as JSON with their fingerprint."""
    data = {"method": record.version, "parameters": record.parameters(), "sha256": record.parameter_hash()}
    texts = {name: method_text(record, language).encode() for language, name in NAMES.items()}
    return {**texts, "method.json": f"{json.dumps(data, indent=1, sort_keys=True)}\n".encode()}


def method_text(record: Method, language: Language, documents: Path = _DOCUMENTS) -> str:
    """The document of the method; its parameters with their meaning where the document is about another version."""
    heading, file = _HEADING[language].format(version=record.version), documents / NAMES[language]
    if file.is_file():
        text = file.read_text("utf-8")
        if text.startswith(f"{heading}\n"):
            return text
    lines = [heading, "", _INTRODUCTION[language]]
    for item in described(record, language):
        lines += ["", f"## {item.name} (`{item.key}`)", "", item.help, "", *(f"- {value}" for value in item.value)]
    return "\n".join(lines) + "\n"
