"""What a company is called where a table names it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """How a company is shown."""

    key: str
    name: str
    country: str | None = None
    via_proxy: bool = False
