"""What differs between two tables, figure by figure: ranks and standings first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from monitor.release.store import HASH_HIT
from monitor.score.table import Estimate, Table

Figure: TypeAlias = str | int | float | bool | None

_FIRST = ("rank", "standing")
_CURVE = "curve["
_OF_THE_HITS = ("network", "unattributed", "rest")  # the rest of their head is that of the notices


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of a company (None: of the table itself) before and after; None: it was, or is, not there.

    A company of the hash hits has HASH_HIT before its key, as in the release.
    `field` is a path: `on_time.late`, `survival[24].npmle` (at 24 hours), `relocation[NL].episodes`.
    """

    company: str | None
    field: str
    old: Figure
    new: Figure


@dataclass(frozen=True, slots=True)
class Differences:
    """Figures that changed, and the keys of companies that are only in the new or only in the old table."""

    changes: tuple[Change, ...]
    added: tuple[str, ...]
    gone: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.changes or self.added or self.gone)


def differences(old: Table, new: Table) -> Differences:
    """Ranks and standings, then the table itself, then company by company in the order of the new table.

    When the facts were known is not a difference: a correction always knows more. An hourly curve is named once, by
    the first hour at which it differs. Both tables may be of different periods, dates or methods.
    """
    before, after = _rows(old), _rows(new)
    changes = [
        *_changes(None, _head(old), _head(new)),
        *(
            change
            for key in after
            if key in before
            for change in _changes(key, _figures(before[key]), _figures(after[key]))
        ),
    ]
    changes.sort(key=lambda change: change.company is None or change.field not in _FIRST)
    added, gone = (tuple(key for key in one if key not in other) for one, other in ((after, before), (before, after)))
    return Differences(tuple(changes), added, gone)


def _rows(table: Table) -> dict[str, Estimate]:
    hits = table.hash_hits.companies if table.hash_hits else ()
    return {row.company: row for row in table.companies} | {HASH_HIT + row.company: row for row in hits}


def _head(table: Table) -> dict[str, Figure]:
    data = table.as_json()
    hits = {name: value for name, value in data.get("hash_hits", {}).items() if name in _OF_THE_HITS}
    own = {name: value for name, value in data.items() if name not in ("companies", "known_at", "hash_hits")}
    return dict(_leaves({**own, "hash_hits": hits}))


def _figures(row: Estimate) -> dict[str, Figure]:
    return dict(_leaves({name: value for name, value in asdict(row).items() if name != "company"}))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Figure]]:
    """Each plain value under its path; a place in a list is named by what it is about, the first of its fields."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            about, *rest = item.items()
            yield from _leaves(dict(rest), f"{path}[{_place(about[1])}]")
    else:
        yield path, value


def _place(about: Figure) -> str:
    if about is None:
        return "any"
    return f"{about:g}" if isinstance(about, float) else str(about) or "unknown"


def _changes(company: str | None, old: Mapping[str, Figure], new: Mapping[str, Figure]) -> Iterator[Change]:
    paths = (path for path in {**new, **old} if old.get(path) != new.get(path))
    for path in _one_of_a_curve(paths):
        yield Change(company, path, old.get(path), new.get(path))


def _one_of_a_curve(paths: Iterable[str]) -> Iterator[str]:
    """Of all points of one curve only the first."""
    told = set()
    for path in paths:
        curve, found, _ = path.partition(_CURVE)
        if not found:
            yield path
        elif curve not in told:
            told.add(curve)
            yield path
