"""What every picture has: a title, a description, the table beside it, and a way to draw it at a width."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from monitor.tables.sheets import guarded

Cell = str | int | float | None
Draw = Callable[[str, float], Markup]


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture in one language.

    `name` is its address (`funnel`); `draw` takes a name that is unique on the page, and the width in pixels.
    Each of the `rows` has a cell per column, the first of which names it; None: no number.
    """

    name: str
    title: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    draw: Draw

    def csv(self) -> str:
        """The table as CSV, headings first."""
        sheet = io.StringIO()
        csv.writer(sheet).writerows([self.columns, *([guarded(cell) for cell in row] for row in self.rows)])
        return sheet.getvalue()
