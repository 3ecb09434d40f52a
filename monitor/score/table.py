"""The scored table: the one shape that the command line, the site, the report and the API show.

Times are ISO 8601 in UTC, durations hours, shares fractions of one. Unknown is `None`, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Standing = Literal["meets", "below", "not_proven", "too_few", "unreachable"]
Proof = Literal["meets", "below", "not_proven"]
# On which side of the norm the share is: the strict reading reaches it, the lenient one does not, or the checks leave
# both open.
Direction = Literal["above", "below", "open"]


@dataclass(frozen=True)
class Label:
    """How a company is shown."""

    key: str
    name: str
    country: str | None = None
    via_proxy: bool = False
    group: str | None = None  # the key of the company that controls its group, itself included
    no_contact: bool = False  # no known contact at the reference date


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its clustered standard error and 95 % interval."""

    p: float | None
    se: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class OnTime:
    """The three counts among mature episodes, and the range of the share on time."""

    deadline_hours: float
    mature: int
    on_time: int
    late: int
    undetermined: int
    lenient: Share
    strict: Share


@dataclass(frozen=True, slots=True)
class AllCases:
    """Limits of the share on time over all cases: the episodes older than their deadline, and items undelivered."""

    cases: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetingOnTime(OnTime):
    """The same since method 2026.2: with the estimate between both readings, and how many could be followed.

    `older`: episodes older than their deadline by the wall clock, of which `followed` is the share that is mature.
    """

    estimate: float | None
    older: int
    followed: float | None
    all_cases: AllCases


@dataclass(frozen=True, slots=True)
class HourlyShare:
    """A share of the episodes by so many hours after the notice."""

    hours: float
    p: float | None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The share of the notices that was refused or could not be delivered, and whether no contact is known.

    `notices` and `refused` count an item once a day; `sites` are those of the notices.
    """

    notices: int
    refused: int
    sites: int
    p: float | None
    low: float | None
    high: float | None
    no_contact: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a standing is what it is: a code, and the two numbers that it says (`count` of or against `of`)."""

    code: str
    count: float | None
    of: float | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is open of all periods since measuring began."""

    outstanding: int
    overdue: int
    possibly_overdue: int
    unverified: int
    oldest_hours: float | None


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of the time to removal; `None`: not reached (value, high) or not known (low)."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SurvivalPoint:
    """Share not yet removed `t` hours after the notice: Turnbull, and the two curves around it."""

    t: float
    npmle: float | None
    lenient: float | None
    lenient_se: float | None
    strict: float | None
    strict_se: float | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """A figure under the lenient and under the strict reading."""

    lenient: float | None
    strict: float | None


@dataclass(frozen=True, slots=True)
class Incidence:
    """Cumulative incidence `p` of relocation by `hours` after the notice, with its clustered error and interval."""

    hours: float
    p: float | None
    se: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Relocation:
    """Episodes that ended by relocation to `country` (None: to any; "": to one that is not known)."""

    country: str | None
    episodes: int
    incidence: tuple[Incidence, ...]


@dataclass(frozen=True, slots=True)
class AgeCount:
    """Outstanding episodes whose age is at least `from_hours` and under `to_hours` (None: no upper end)."""

    from_hours: float
    to_hours: float | None
    episodes: int


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """The legal entity behind a company, and its number in the trade register.

    None: not known, or not told because the entity is a natural person, or nobody has said that it is none.
    """

    name: str | None
    registration: str | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Every figure of one company, or of the network as a whole (whose rank fields stay `None`)."""

    company: str
    name: str
    country: str | None
    via_proxy: bool
    episodes: int
    sites: int
    notices: int
    renotices: int
    on_time: OnTime
    median_hours: Quantile
    p90_hours: Quantile
    mean_online_hours_7d: Bounds
    survival: tuple[SurvivalPoint, ...]
    outstanding: int
    overdue: int
    unverified: int
    oldest_hours: float | None
    exposure_hours: float
    relocated: int
    reappeared: int
    refused: int
    outstanding_by_age: tuple[AgeCount, ...]
    curve: tuple[SurvivalPoint, ...]
    relocation: tuple[Relocation, ...] = ()
    score: float | None = None
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    band: str | None = None
    standing: Standing | None = None
    announced_ipv4: int | None = None
    legal: LegalEntity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetingEstimate(Estimate):
    """Every figure since method 2026.2. What is outstanding is of the period here; `backlog` is of all periods.

    `removed_at`, `moved_at` and `online_at` sum to 1 at each hour. `grid_seconds`: the grid of the times that they and
    the quantiles were estimated on, 0: exact. `n_eff`: how many independent episodes the estimate is worth. `p_below`:
    the probability of so large a share late at the norm; `bh`: below the norm also where false discoveries are limited.
    `proof` and `direction` are None without a mature episode; `reasons` say why the standing is what it is.
    """

    on_time: CompetingOnTime
    possibly_overdue: int
    gone_before_notice: int
    items_undelivered: int
    removed_at: tuple[HourlyShare, ...]
    moved_at: tuple[HourlyShare, ...]
    online_at: tuple[HourlyShare, ...]
    not_removed_7d: float | None
    grid_seconds: int
    unreachable: Unreachable
    backlog: Backlog
    n_eff: float | None
    p_below: float | None
    bh: bool = False
    proof: Proof | None = None
    direction: Direction | None = None
    reasons: tuple[Reason, ...] = ()


LATER_FIELDS = ("announced_ipv4", "legal")  # of a company: in no row of a release made before there was such a field


@dataclass(frozen=True, slots=True)
class Flow:
    """Episodes of `origin` that ended because the content moved to `destination`, in `country`.

    Companies by key; None: the company is not known. `country` is "" where it is not known.
    """

    origin: str
    destination: str | None
    country: str
    episodes: int


def sort_flows(flows: Iterable[Flow]) -> tuple[Flow, ...]:
    """The largest first, then by the keys of both companies, the one not known last, and the country."""
    return tuple(
        sorted(flows, key=lambda f: (-f.episodes, f.origin, f.destination is None, f.destination or "", f.country))
    )


DEADLINES_HOURS = (1.0, 12.0, 24.0, 48.0)  # of the norms of a release


@dataclass(frozen=True, slots=True)
class NormLine:
    """One company under another norm: the counts, shares, rank and standing it would have."""

    company: str
    on_time: OnTime
    score: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    band: str | None
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Norm:
    """The period's companies, worst first, if the deadline of every episode had been `deadline_hours`."""

    deadline_hours: float
    companies: tuple[NormLine, ...]


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """What one source delivered in the period; `quarantined` is the share of its rows that could not be taken.

    `deliveries` is None where each holds a report or a few: their number would tell that of the rows.
    """

    source: str
    deliveries: int | None
    first: str | None
    last: str | None
    longest_gap_hours: float | None
    quarantined: float | None


@dataclass(frozen=True, slots=True)
class Standstill:
    """The clock of every episode stood still from `starts` to `ends` (None: it still does)."""

    starts: str
    ends: str | None
    pause: str
    reason: str


@dataclass(frozen=True, slots=True)
class Quality:
    """What could be measured in the period, and what could not: sources, gaps longer than usual, standstills."""

    sources: tuple[SourceQuality, ...]
    gaps: tuple[Standstill, ...]
    standstills: tuple[Standstill, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Companies under one control, `members` by key, taken as one: its figures have no score and no rank."""

    group: str
    members: tuple[str, ...]
    figures: CompetingEstimate


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a table says of one company: its standing, and its rank with the ranks that are also possible."""

    company: str
    standing: Standing | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None


@dataclass(frozen=True, slots=True)
class EarlierMethod:
    """What the method that was in force before says of the same period, from the same facts."""

    method: str
    companies: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class Unattributed:
    """What no company could be named for: it counts in the network and in no company."""

    episodes: int
    notices: int


@dataclass(frozen=True, slots=True)
class Table:
    """A period's companies, worst first, and the network as a whole.

    `kinds` of notice began its episodes (None: those of the method). Only in a release: `flows` of relocation, the
    same episodes under other `norms`, the `quality` of what came in, and `hash_hits`, a table of its own beside that
    of the notices, where there was a hit in the period; in the first releases under another method what the `earlier`
    one says.
    """

    method: str
    as_of: str
    known_at: str
    period: str
    companies: tuple[Estimate, ...]
    network: Estimate
    unattributed: Unattributed
    rest: Estimate | None = None  # the network without the companies under `publish_below`, where there are some
    kinds: tuple[str, ...] | None = None
    flows: tuple[Flow, ...] | None = None
    norms: tuple[Norm, ...] | None = None
    quality: Quality | None = None
    hash_hits: Table | None = None
    groups: tuple[Group, ...] | None = None  # of two companies or more, since method 2026.2
    earlier: EarlierMethod | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data for `json.dumps`; a table of the method's own kinds alone has neither `kinds` nor `hash_hits`."""
        data = asdict(replace(self, hash_hits=None)) | {"hash_hits": self.hash_hits and self.hash_hits.as_json()}
        groups = [group["figures"] for group in data["groups"] or ()]
        for estimate in filter(None, (data["network"], data["rest"], *data["companies"], *groups)):
            if estimate["legal"] is None:  # as it was when there was no such field
                del estimate["legal"]
        return {name: value for name, value in data.items() if value is not None or name not in _OMITTED_IF_NONE}


def has_parts(table: Table) -> bool:
    """Whether a table holds what a release has beside its figures; those of the first versions do not."""
    return table.norms is not None


def without_parts(table: Table) -> Table:
    """The table as releases were at first: without flows, norms, quality, announced addresses and legal entities."""
    bare = replace(
        table,
        flows=None,
        norms=None,
        quality=None,
        hash_hits=table.hash_hits and without_parts(table.hash_hits),
        earlier=None,
    )
    return with_field(with_field(bare, "announced_ipv4", {}), "legal", {})


def alike(one: Table, other: Table) -> tuple[Table, Table]:
    """Both tables with no more than both can have, where one is of a release made before releases had it."""
    if not (has_parts(one) and has_parts(other)):
        return without_parts(one), without_parts(other)
    if all(any(company.legal for company in table.companies) for table in (one, other)):
        return one, other
    return with_field(one, "legal", {}), with_field(other, "legal", {})


def with_field(table: Table, name: str, values: Mapping[str, Any]) -> Table:
    """The table, and that of its hash hits, with that field of each company by key; None where there is no value."""
    changes: Iterable[dict[str, Any]] = ({name: values.get(company.company)} for company in table.companies)
    companies = tuple(replace(company, **change) for company, change in zip(table.companies, changes, strict=True))
    hits = table.hash_hits and with_field(table.hash_hits, name, values)
    return replace(table, companies=companies, hash_hits=hits)


_OMITTED_IF_NONE = ("kinds", "flows", "norms", "quality", "hash_hits", "groups", "earlier")
T = TypeVar("T")
Read: TypeAlias = Callable[[Any], Any]


def from_json(cls: type[T], data: Mapping[str, Any]) -> T:
    """Rebuild a dataclass of this module from its JSON; the inverse of `asdict`."""
    return cast(T, _reader(cast(Any, cls))(data))


def fields_from_json(cls: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Those fields of a dataclass that its JSON has, each as its type."""
    return {name: read(data[name]) for name, read in _fields(cls).items() if name in data}


@cache
def _fields(cls: type) -> dict[str, Read]:
    hints = get_type_hints(cls)
    return {field.name: _reader(hints[field.name]) for field in fields(cast(Any, cls))}


@cache
def _reader(hint: Any) -> Read:
    """How a value of that type is read: worked out once a type, for a table holds thousands of each."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        inner = _reader(next(part for part in parts if part is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _reader(parts[0])
        return tuple if item is _as_is else lambda value: tuple(map(item, value))
    if not (isinstance(hint, type) and is_dataclass(hint)):
        return _as_is
    if hint not in _SINCE_2026_2:
        return _record(hint)
    newer, sign = _SINCE_2026_2[hint]
    earlier, later = _record(hint), _record(newer)
    return lambda value: (later if sign in value else earlier)(value)


# What a record is since method 2026.2, and a field that tells it from what it was.
_SINCE_2026_2: Mapping[type, tuple[type, str]] = {
    Estimate: (CompetingEstimate, "removed_at"),
    OnTime: (CompetingOnTime, "older"),
}


def _record(cls: type) -> Read:
    """Reads the fields that there are; how is worked out with the first one that is read: a table holds a table."""
    return lambda data: cls(**fields_from_json(cls, data))


def _as_is(value: Any) -> Any:
    return value
