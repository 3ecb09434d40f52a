"""Sections of the report that are tables: companies, other norms, the trend, corrections, and progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from monitor.comparison.changes import Changes, CompanyChange, changes, lines
from monitor.comparison.decomposition import Decomposition, decompose, obstacle
from monitor.comparison.other_norm import HOURS, under_norm
from monitor.comparison.share_change import comparable, points, ranked_shares, ranks_by_share
from monitor.comparison.trend import Moved, moved_beyond_doubt, network_trend
from monitor.comparison.trend_sentences import OBSTACLES, PARTS, remarks, what_moved
from monitor.disclosure.rows import PublicTable, Row
from monitor.figures import CORRECTED, FIGURES
from monitor.score.table import Share, Standing
from monitor.wording.language import Language, Message

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
    def by_share(self) -> Mapping[str, int]:
        """By company the rank that its share alone would give, where the score gives another."""
        return ranks_by_share(self.table)

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


@dataclass(frozen=True, slots=True)
class Norms:
    """Standings by deadline in hours: how many companies have each, and those of every company that would change."""

    hours: tuple[float, ...]
    tally: Mapping[float, Mapping[Standing, int]]
    changing: tuple[tuple[str, tuple[Standing | None, ...]], ...]


def norms(table: PublicTable) -> Norms | None:
    """None where the release does not say how it would be under another norm."""
    under = {hours: found for hours in HOURS if (found := under_norm(table, hours))}
    if not under:
        return None
    standings = {hours: {each.row.company: each.row.standing for each in found.rows} for hours, found in under.items()}
    changing = (
        (row.name, tuple(standings[hours].get(row.company) for hours in under)) for row in table.rows if row.figures
    )
    return Norms(
        hours=tuple(float(hours) for hours in under),
        tally={float(hours): {key: pair[0] for key, pair in found.tally.items()} for hours, found in under.items()},
        changing=tuple((name, line) for name, line in changing if len(set(line)) > 1),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a change: its name, its size in percentage points, and what it means."""

    name: str
    points: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What a reader of the trend must know, why the share changed, and the parts; no parts: it cannot be split."""

    remarks: tuple[str, ...]
    sentences: tuple[str, ...]
    parts: tuple[Part, ...]


def explained(table: PublicTable, earlier: Sequence[PublicTable], language: Language) -> Explained:
    """The trend up to this release; nothing is explained where it is the first."""
    if not earlier:
        return Explained((), (), ())
    said = remarks(network_trend((*earlier, table)), language)
    hindrance = obstacle(earlier[-1], table)
    if hindrance:
        return Explained(said, (language.gettext(OBSTACLES[hindrance]),), ())
    found = decompose(earlier[-1], table)
    return Explained(said, what_moved(found, language), _parts(found, language))


def _parts(found: Decomposition, language: Language) -> tuple[Part, ...]:
    return tuple(
        Part(language.gettext(words.name), points(getattr(found, key), language), language.gettext(words.help))
        for key, words in PARTS.items()
    )


MOST = 20  # companies that are listed; the release itself has all

_TOLD = tuple(figure.key for figure in CORRECTED)
_YES, _NO = Message("yes"), Message("no")


@dataclass(frozen=True, slots=True)
class Correction:
    """A published version that replaced another of the same period, the reason given for it, and both tables."""

    period: str
    version: int
    published_at: datetime
    reason: str
    before: PublicTable
    after: PublicTable


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of a company that reads otherwise."""

    company: str
    figure: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """The differences that are printed, and how many companies have others besides."""

    lines: tuple[Difference, ...]
    others: int


def corrected(correction: Correction, language: Language) -> Corrected:
    """What the reader of the earlier version must know: ranks, standings and main figures, the notices first."""
    told: list[Difference] = []
    others = 0
    for before, after, name in _tables(correction, language):
        found = changes(before, after)
        companies = _companies(found, name, language)
        told += [*_whole(before, after, name, language), *chain.from_iterable(companies[:MOST])]
        others += len(found.companies) + len(found.came) + len(found.gone) - len(companies[:MOST])
    return Corrected(tuple(told), others)


def _tables(correction: Correction, language: Language) -> Iterator[tuple[PublicTable, PublicTable, str]]:
    """Both tables of the notices and, where both versions have them, of the hash hits; with how companies are named."""
    before, after = correction.before, correction.after
    yield before, after, "{name}"
    if before.hash_hits and after.hash_hits:
        yield before.hash_hits, after.hash_hits, language.gettext("{name} (hits)")


def _companies(found: Changes, name: str, language: Language) -> list[tuple[Difference, ...]]:
    """Company by company, those with another rank or standing first; without those that differ in a detail only."""
    moved = sorted(found.companies, key=lambda company: not company.judged_otherwise)
    told = [_company(company, name, language) for company in moved]
    for rows, words in ((found.came, (_NO, _YES)), (found.gone, (_YES, _NO))):
        before, after = (language.gettext(word) for word in words)
        told += [
            (Difference(name.format(name=row.name), language.gettext("In the release"), before, after),) for row in rows
        ]
    return [company for company in told if company]


def _company(change: CompanyChange[Row], name: str, language: Language) -> tuple[Difference, ...]:
    told = lines(change.before, change.after, language, only=_TOLD)
    return tuple(Difference(name.format(name=change.after.name), line.name, line.before, line.after) for line in told)


def _whole(before: PublicTable, after: PublicTable, name: str, language: Language) -> Iterator[Difference]:
    share = FIGURES["on_time"]
    old, new = (table.network.read(share, language).value for table in (before, after))
    if old != new:
        yield Difference(
            name.format(name=language.gettext("All companies together")), language.gettext(share.name), old, new
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """Companies below the norm, worst first; and those that moved since the release before, most moved first.

    `judged`: whether the release judges anyone. `compared`: whether there is a release before, by the same method.
    `then`: the lenient share in that release by company, for those with a rank in it.
    """

    below: tuple[Row, ...]
    worsened: tuple[Moved, ...]
    improved: tuple[Moved, ...]
    judged: bool
    compared: bool
    then: Mapping[str, Share]


def progress(table: PublicTable, before: PublicTable | None) -> Progress:
    """Only what intervals prove: entirely under the norm, or apart from that of the release before."""
    moved = moved_beyond_doubt(before, table) if before else ()
    return Progress(
        below=tuple(row for row in table.rows if row.ranked and row.standing == "below"),
        worsened=tuple(pair for pair in moved if pair.change < 0),
        improved=tuple(pair for pair in reversed(moved) if pair.change > 0),
        judged=any(row.ranked and row.standing for row in table.rows),
        compared=comparable(table, before),
        then=ranked_shares(before) if before and comparable(table, before) else {},
    )
