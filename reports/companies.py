"""The companies of a table as the report lists them."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.disclosure.rows import PublicTable, Row

IN_A_CHAPTER = 40  # about a page of rows; a longer list is in the tables at the end


@dataclass(frozen=True, slots=True)
class Listed:
    """Companies with a rank in their order, and those without by name; all of them are in the tables at the end."""

    table: PublicTable
    ranked: tuple[Row, ...]
    unranked: tuple[Row, ...]

    @property
    def first(self) -> tuple[Row, ...]:
        """The ranked companies that the chapter itself lists, worst first."""
        return self.ranked[:IN_A_CHAPTER]

    @property
    def cut(self) -> bool:
        """Whether the chapter lists only the first of them."""
        return len(self.ranked) > len(self.first)

    @property
    def has_ranks(self) -> bool:
        """Whether the release gives ranks at all."""
        return any(row.figures and row.figures.rank is not None for row in self.ranked)

    @property
    def rank_intervals(self) -> bool:
        """Whether it says which other ranks are possible."""
        return any(row.figures and row.figures.rank_low is not None for row in self.ranked)

    @property
    def withheld(self) -> int:
        """How many companies keep no figures."""
        return sum(row.figures is None for row in self.unranked)

    @property
    def via_proxy(self) -> bool:
        """Whether a company with a rank passes traffic on for others."""
        return any(row.via_proxy for row in self.ranked)


def listed(table: PublicTable) -> Listed:
    """The companies of a table, with and without a rank."""
    ranked = tuple(row for row in table.rows if row.ranked)
    others = (row for row in table.rows if not row.ranked)
    return Listed(table, ranked, tuple(sorted(others, key=lambda row: (row.name.casefold(), row.company))))
