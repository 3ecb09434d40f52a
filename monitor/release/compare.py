"""What differs between two tables, figure by figure: ranks and standings first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

from monitor.release.store import HASH_HIT
from monitor.score.table import Estimate, Flow, NormLine, Table

Figure: TypeAlias = str | int | float | bool | None

_FIRST = ("rank", "standing")
_CURVE = "curve["
_OF_BOTH = ("method", "as_of", "period", "kinds")  # told of the table of the notices


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of a company (None: of the table itself) before and after; None: it was, or is, not there.

    A company of the hash hits has HASH_HIT before its key, as in the release.
    `field` is a path: `on_time.late`, `survival[24].npmle` (at 24 hours), `relocation[NL].episodes`, `norms[12].rank`
    (had the deadline been 12 hours), `flows[as64496 to as64497, NL]` of the table itself.
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

    When the facts were known is not a difference, nor is the quality of what came in: a correction always knows more.
    An hourly curve is named once, by the first hour at which it differs. Both tables may be of different periods, dates
    or methods. Where one is of before releases had flows and norms, these are compared in neither.
    """
    if not (has_parts(old) and has_parts(new)):
        old, new = without_parts(old), without_parts(new)
    before, after = _rows(old), _rows(new)
    changes = [
        *_changes(None, _head(old), _head(new)),
        *(change for key in after if key in before for change in _changes(key, before[key], after[key])),
    ]
    changes.sort(key=lambda change: change.company is None or change.field not in _FIRST)
    added, gone = (tuple(key for key in one if key not in other) for one, other in ((after, before), (before, after)))
    return Differences(tuple(changes), added, gone)


def has_parts(table: Table) -> bool:
    """Whether a table holds what a release has beside its figures; those of the first versions do not."""
    return table.norms is not None


def without_parts(table: Table) -> Table:
    """The table as releases were at first: without flows, norms, quality and announced addresses."""
    return replace(
        table,
        flows=None,
        norms=None,
        quality=None,
        companies=tuple(replace(company, announced_ipv4=None) for company in table.companies),
        hash_hits=table.hash_hits and without_parts(table.hash_hits),
    )


def _rows(table: Table, begin: str = "") -> dict[str, dict[str, Figure]]:
    """The figures of each company, and those under other norms."""
    norms: dict[str, dict[str, Any]] = defaultdict(dict)
    for norm in table.norms or ():
        for line in norm.companies:
            norms[line.company][f"norms[{norm.deadline_hours:g}]"] = _without_key(line)
    rows = {begin + row.company: dict(_leaves(_without_key(row) | norms[row.company])) for row in table.companies}
    return rows | (_rows(table.hash_hits, HASH_HIT) if table.hash_hits else {})


def _without_key(row: Estimate | NormLine) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name != "company"}


def _head(table: Table) -> dict[str, Figure]:
    own = _own_head(table)
    hits = _own_head(table.hash_hits) if table.hash_hits else {}
    return dict(_leaves(own | {"hash_hits": {name: value for name, value in hits.items() if name not in _OF_BOTH}}))


def _own_head(table: Table) -> dict[str, Any]:
    """What a table holds beside its companies, their norms, and the quality of what came in."""
    flows = {f"flows[{_ends(flow)}]": flow.episodes for flow in table.flows or ()}
    bare = replace(table, companies=(), flows=None, norms=None, quality=None, hash_hits=None)
    return {name: value for name, value in bare.as_json().items() if name not in ("companies", "known_at")} | flows


def _ends(flow: Flow) -> str:
    return f"{flow.origin} to {flow.destination or 'unknown'}, {flow.country or 'unknown'}"


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
