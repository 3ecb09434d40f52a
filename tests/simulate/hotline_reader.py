"""An independent small reader of the simulated exports: knows the quoting rules and nothing of the writer."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
LINE = re.compile(r'(?:"(?:[^"\\]|\\.)*";)+')
FIELD = re.compile(r'"((?:[^"\\]|\\.)*)";')
Row = dict[str, str]


def read_export(path: Path) -> list[Row]:
    """Rows of one export; fails on anything that is not of the dialect."""
    text = path.read_bytes().decode("utf-8")
    assert text.endswith("\n")
    assert "\r" not in text
    lines = text.split("\n")[:-1]
    for line in lines:
        assert LINE.fullmatch(line), line
    fields = [[re.sub(r"\\(.)", r"\1", field) for field in FIELD.findall(line)] for line in lines]
    return [dict(zip(fields[0], row, strict=True)) for row in fields[1:]]


def exports(folder: Path, kind: str) -> Iterator[tuple[datetime, list[Row]]]:
    """When each export of this kind came in, and its rows, in the order of arrival."""
    for path in sorted((folder / "deliveries").iterdir()):
        stamp, name = path.stem.split("-", 1)
        if name == f"scart-{kind}":
            yield datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), read_export(path)


def truth(folder: Path) -> list[Row]:
    """The true course, row by row."""
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def hours_online(row: Row) -> float | None:
    """Hours from the first notice until the item left its company, by either way; None where it stayed."""
    end = row["removed_at"] or row["relocated"]
    if not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(row["sent_at"])).total_seconds() / 3600


@cache
def local(text: str) -> datetime:
    """A printed time as the moment it means."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=AMSTERDAM).astimezone(UTC)
