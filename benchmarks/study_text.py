"""What the studies write: tables in Markdown, between the marks of docs/study.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is to the left, all others to the right."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(*values: float) -> list[str]:
    """Shares in per cent, without the sign."""
    return [f"{100 * value:.1f}" for value in values]


def write_between(text: str, docs: Path, begin: str, end: str) -> None:
    """Put a text into study.md between its marks; raises ValueError where one is missing."""
    page = docs / "study.md"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")
