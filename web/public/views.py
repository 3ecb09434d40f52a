"""What each page shows, as values: the reader's query, the rows that answer it, and the pages they fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from werkzeug.datastructures import MultiDict

from monitor.comparison.share_change import Movement, movements, ranks_by_share
from monitor.disclosure.rows import PublicTable, Row, filter_rows, sort_rows
from monitor.figures import COLUMNS
from monitor.release.published import ReleaseVersion
from monitor.wording.readings import Figure, Order
from monitor.wording.words import STANDING_WORDS

PER_PAGE = 50
ORDERS: Mapping[str, Order] = {each.figure.key: each.figure.sort for each in COLUMNS if each.figure.sort}
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Query:
    """What the reader asked for; everything unknown or out of range falls back to what is usual."""

    text: str = ""
    standing: str = ""
    sort: str = "rank"
    order: Order = "asc"
    page: int = 1
    version: int | None = None

    @classmethod
    def read(cls, args: MultiDict[str, str]) -> Query:
        """From the query string."""
        sort = args.get("sort", "rank")
        sort = sort if sort in ORDERS else "rank"
        standing = args.get("standing", "")
        order = args.get("order", "")
        return cls(
            text=args.get("q", "").replace("\0", "")[:_LONGEST].strip(),
            standing=standing if standing in STANDING_WORDS else "",
            sort=sort,
            order="desc" if order == "desc" else "asc" if order == "asc" else ORDERS[sort],
            page=max(1, _number(args.get("page")) or 1),
            version=_number(args.get("version")),
        )

    def parameters(self, **changes: str | int | None) -> Mapping[str, str | int]:
        """The query string of this view with changes; what is usual is left out. A change starts at page 1."""
        new = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        given: dict[str, str | int | None] = {
            "q": new.text,
            "standing": new.standing,
            "sort": None if new.sort == "rank" and new.order == "asc" else new.sort,
            "order": None if new.order == ORDERS[new.sort] else new.order,
            "page": None if new.page == 1 else new.page,
            "version": new.version,
        }
        return {name: value for name, value in given.items() if value}

    def sorted_by(self, column: str) -> Mapping[str, str | int]:
        """The query string behind a column's header: that column, or its other direction."""
        if column != self.sort:
            return self.parameters(sort=column, order=ORDERS[column])
        return self.parameters(order="desc" if self.order == "asc" else "asc")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else None


@dataclass(frozen=True, slots=True)
class RankingPage:
    """The rows of one page of the ranking: the ranked, then those that are not.

    `before` is the table of the release before, where there is one; `moved` has the companies to compare with it.
    `by_share`: the rank that the share alone would give, of companies whose score gives another.
    `columns`: a change and a volume only in a release that has something to say of them.
    """

    table: PublicTable
    edition: ReleaseVersion
    query: Query
    found: tuple[Row, ...]
    columns: tuple[Figure, ...]
    before: PublicTable | None = None
    moved: Mapping[str, Movement] = field(default_factory=dict)
    by_share: Mapping[str, int] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """How many pages the rows fill."""
        return max(1, -(-len(self.found) // PER_PAGE))

    @property
    def page(self) -> int:
        """The page shown."""
        return min(self.query.page, self.pages)

    @property
    def here(self) -> tuple[Row, ...]:
        """The rows on this page."""
        return self.found[(self.page - 1) * PER_PAGE : self.page * PER_PAGE]

    @property
    def ranked(self) -> tuple[Row, ...]:
        """Those with a place in the ranking."""
        return tuple(row for row in self.here if row.ranked)

    @property
    def unranked(self) -> tuple[Row, ...]:
        """Those too small to judge."""
        return tuple(row for row in self.here if not row.ranked)

    @property
    def unreachable(self) -> tuple[Row, ...]:
        """The companies that notices do not reach, whatever the search: they stand above the ranking."""
        return tuple(row for row in self.table.rows if row.standing == "unreachable")

    @property
    def has_rank_intervals(self) -> bool:
        """Whether this release says how sure its ranks are."""
        return any(row.figures is not None and row.figures.rank_low is not None for row in self.table.rows)


def ranking_page(
    table: PublicTable, edition: ReleaseVersion, query: Query, before: PublicTable | None = None
) -> RankingPage:
    """The rows that answer a query, in its order."""
    moved = movements(table, before)
    rows = filter_rows(table.rows, query.text, query.standing)
    found, columns = _sorted(rows, query, moved), _columns(table, before)
    return RankingPage(table, edition, query, found, columns, before, moved, ranks_by_share(table))


def _columns(table: PublicTable, before: PublicTable | None) -> tuple[Figure, ...]:
    items = [row.figures for row in table.rows if row.figures is not None]
    return tuple(
        each.figure
        for each in COLUMNS
        if (before is not None if each.figure.type == "change" else any(map(each.holds, items)) or not each.optional)
    )


def _sorted(rows: Sequence[Row], query: Query, moved: Mapping[str, Movement]) -> tuple[Row, ...]:
    if query.sort != "change":
        return sort_rows(rows, query.sort, query.order)
    known = [row for row in rows if row.company in moved]
    known.sort(key=lambda row: moved[row.company].change, reverse=query.order == "desc")
    rest = [row for row in rows if row.company not in moved]
    return tuple(sorted(known + rest, key=lambda row: not row.ranked))
