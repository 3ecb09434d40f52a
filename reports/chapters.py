"""The chapters of the report, in their order and with their numbers."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.disclosure.rows import PublicTable

_ORDER = (
    "summary",
    "key_figures",
    "ranking",
    "funnel",
    "slow",
    "relocation",
    "hash_hits",
    "quality",
    "norms",
    "trend",
    "how",
    "corrections",
    "tables",
    "colophon",
)


def chapters(table: PublicTable) -> Mapping[str, int]:
    """The number of each chapter that this release has, by its key."""
    there = (key for key in _ORDER if key != "hash_hits" or table.hash_hits)
    return {key: number for number, key in enumerate(there, 1)}
