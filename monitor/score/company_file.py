"""The list of a release's companies (CSV): their names, and the counts that anonymised episodes cannot say."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import DeliveryError
from monitor.score.table import Label, Unattributed

POOLED_COUNTS = ("episodes", "renotices", "outstanding", "overdue", "unverified", "relocated", "reappeared", "refused")
NEEDED = ("company", "name", "country", "via_proxy", "figures", "notices", *POOLED_COUNTS)
ANNOUNCED = "announced_ipv4"  # not in the files of earlier releases
COLUMNS = (*NEEDED, ANNOUNCED)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Companies:
    """By key the labels, refused notices and addresses of the companies with figures; and the counts of the others.

    `pooled`: of all companies without figures together; `unattributed`: of no company. A count that is not published is
    not in `pooled`; `unattributed` is None where it is not. `groups`: by key the companies that control a group and are
    not listed themselves.
    """

    labels: Mapping[str, Label]
    refused: Mapping[str, int]
    announced: Mapping[str, int]
    pooled: Mapping[str, int]
    unattributed: Unattributed | None
    groups: Mapping[str, Label]


def read_companies(path: Path) -> Companies:
    """Raises DeliveryError naming the column and the first row (counted from 1) that cannot be."""
    rows = list(enumerate(_rows(path), 1))
    shown = [(place, row) for place, row in rows if row["figures"] == "shown"]
    pooled = {k: n for place, row in rows if row["figures"] == "pooled" for k, n in _counts(path, place, row).items()}
    unattributed = [_counts(path, place, row) for place, row in rows if row["figures"] == "unattributed"]
    return Companies(
        {unescape_formula(row["company"]): _label(row) for _, row in shown},
        {unescape_formula(row["company"]): _counts(path, place, row).get("refused", 0) for place, row in shown},
        {
            unescape_formula(row["company"]): int(row[ANNOUNCED])
            for place, row in shown
            if _counted(path, place, row, ANNOUNCED)
        },
        {name: pooled[name] for name in POOLED_COUNTS if name in pooled},
        next(
            (Unattributed(n["episodes"], n["notices"]) for n in unattributed if {"episodes", "notices"} <= set(n)), None
        ),
        {unescape_formula(row["company"]): _label(row) for _, row in rows if row["figures"] == "group"},
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
    except FileNotFoundError as error:
        raise DeliveryError(f"{path.name}: no such file") from error
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise DeliveryError(f"{path.name}: not readable as CSV") from error
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise DeliveryError(f"{path.name}: no column {', '.join(map(repr, missing))}; needed: {', '.join(NEEDED)}")
    return rows


def _label(row: Mapping[str, str]) -> Label:
    return Label(
        unescape_formula(row["company"]),
        unescape_formula(row["name"]),
        row["country"] or None,
        row["via_proxy"] == "true",
    )


def _counts(path: Path, place: int, row: Mapping[str, str]) -> dict[str, int]:
    """The counts that the row has."""
    return {name: int(row[name]) for name in ("notices", *POOLED_COUNTS) if _counted(path, place, row, name)}


def _counted(path: Path, place: int, row: Mapping[str, str], name: str) -> bool:
    """Whether the row has that count; raises DeliveryError where something else stands there."""
    text = row.get(name, "")
    if text and not (text.isascii() and text.isdigit()):
        raise DeliveryError(f"{path.name}: row {place}: {name} is not a whole number")
    return bool(text)


def escape_formula(text: str) -> str:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe, as `unescape_formula` undoes."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def unescape_formula(text: str) -> str:
    """The text that `escape_formula` made this of."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text
