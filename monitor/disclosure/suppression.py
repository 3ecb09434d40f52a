"""Which companies keep no figures, and which counts of all the others would give those figures back.

The rule and why it holds are in docs/adr/0008-secondary-suppression-of-withheld-companies.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.figures import TOTALS
from monitor.score.methods import Method
from monitor.score.table import CompetingEstimate, Estimate, Table

Measure = Callable[[Estimate], int]
Counts = Mapping[str, int | None]
# shown: every line; covered: only together with what is unattributed; hidden: not even in the network's total
State = Literal["shown", "covered", "hidden"]

MEASURES: Mapping[str, Measure] = {figure.total: figure.of for figure in TOTALS}
TIMING: Mapping[str, Measure] = {figure.total: figure.of for figure in TOTALS if "timing" in figure.groups}
# What the timing of the network discloses besides its counts: curves and intervals show the sites too.
_DISCLOSED: Sequence[Measure] = (
    *TIMING.values(),
    lambda item: item.on_time.mature,
    lambda item: item.sites,
)


def _since_2026_2(name: str) -> Measure:
    return lambda item: getattr(item, name) if isinstance(item, CompetingEstimate) else 0


# Since method 2026.2 these are of the same episodes as the three counts, so the one could be taken from the other.
_OF_THE_PERIOD = ("outstanding", "overdue", "unverified", "relocated")
# Where relocation competes with removal, the curves of the network tell of relocation too, and of what was gone before
# its notice. What is open is of the period then: the rows that have no end are what is outstanding or unverified, and
# where none of them is late, or undetermined, nothing is overdue, or possibly overdue.
_COMPETING: Mapping[str, Measure] = {
    **{name: MEASURES[name] for name in _OF_THE_PERIOD},
    "gone_before_notice": _since_2026_2("gone_before_notice"),
    "open": lambda item: item.outstanding + item.unverified,
    "possibly_overdue": _since_2026_2("possibly_overdue"),
    "older": lambda item: item.on_time.older if isinstance(item, CompetingEstimate) else 0,
}
_DISCLOSED_WHERE_COMPETING: Sequence[Measure] = (*_DISCLOSED, *_COMPETING.values())
_VOLUME = tuple(figure.total for figure in TOTALS if "volume" in figure.groups)  # any two of these give the third
_WORST: Sequence[State] = ("shown", "covered", "hidden")


@dataclass(frozen=True, slots=True)
class Withheld:
    """The keys of the companies without figures, all with fewer than `below` episodes, and each count's state."""

    companies: frozenset[str]
    below: int
    states: Mapping[str, State]

    @property
    def timing(self) -> State:
        """The state of all that is made from the times of the network's episodes: three counts, shares, curves."""
        return self.states["late"]

    def tells_nobodys(self, measure: str) -> bool:
        """Whether that count of what is unattributed may be told: it covers nothing, nor tells what does."""
        related = (measure, "episodes") if measure in _VOLUME else (measure,)
        return all(self.states[name] != "covered" for name in related)

    def bound(self, company: str) -> int | None:
        """What a company without figures has fewer episodes than; None for one that keeps them."""
        return self.below if company in self.companies else None


def withheld(table: Table, rules: Method, *, covers: bool = True, pools: bool = True) -> Withheld:
    """The companies under `publish_below`, and the next smallest that have no rank where those alone stand out.

    Where no such company helps, they stay as they are and the network's figures leave them out. What is unattributed
    hides nothing unless it `covers`; what is made from the times of the withheld is told in no sum unless it `pools`.
    """
    small = [company for company in table.companies if company.episodes < rules.publish_below]
    nobody = unattributed_counts(table) if covers else dict.fromkeys(MEASURES, 0)
    for group, below in _groups(table, small, rules) if pools or not small else ():
        timing = _timing(group, {**_of_nobody(table, rules, covers=covers), **nobody}, rules)
        if timing != "hidden":
            return _withheld(group, below, nobody, timing, rules)
    return _withheld(small, rules.publish_below, nobody, "hidden", rules)


def withheld_in_both(notices: Table, hits: Table, rules: Method) -> tuple[Withheld, Withheld]:
    """What a release withholds that has a table of the notices and one of the hash hits (docs/adr/0008).

    An item that was noticed and hit has an episode in each, and the time between two checks tells that it is one
    item. So what one table leaves without a name, the other may not name: the pool of the hits is never told, that
    of the notices only where no company in it has figures among the hits, and nobody's part of it hides nothing.
    """
    of_hits = withheld(hits, rules, covers=False, pools=False)
    of_notices = withheld(notices, rules, covers=False)
    named = {company.company for company in hits.companies} - of_hits.companies
    if of_notices.companies & named:
        of_notices = withheld(notices, rules, covers=False, pools=False)
    return of_notices, of_hits


def unattributed_counts(table: Table) -> Mapping[str, int]:
    """What counts in the network and in no company."""
    return {name: get(table.network) - sum(map(get, table.companies)) for name, get in MEASURES.items()}


def _of_nobody(table: Table, rules: Method, *, covers: bool) -> Mapping[str, int]:
    """The same of what is disclosed under method 2026.2 besides."""
    if not (covers and rules.competing_risks):
        return dict.fromkeys(_COMPETING, 0)
    return {name: get(table.network) - sum(map(get, table.companies)) for name, get in _COMPETING.items()}


def _groups(table: Table, small: list[Estimate], rules: Method) -> Iterator[tuple[list[Estimate], int]]:
    """The small companies; then with one more, two more, ... all under one bound, so that none stands out."""
    yield small, rules.publish_below
    few = [c for c in table.companies if rules.publish_below <= c.episodes < rules.minimum_episodes and c.rank is None]
    few.sort(key=lambda company: (company.episodes, company.company))
    for joined in range(1, len(few) + 1):
        yield small + few[:joined], rules.minimum_episodes


def _withheld(
    group: Sequence[Estimate], below: int, nobody: Mapping[str, int], timing: State, rules: Method
) -> Withheld:
    states = {name: _state(group, get, nobody[name]) for name, get in MEASURES.items()}
    if timing != "hidden" or states["episodes"] == "covered":  # nobody's own episodes are told, and cover nothing
        states["episodes"] = timing
    together = (*TIMING, *(_OF_THE_PERIOD if rules.competing_risks else ()))
    states |= {name: timing for name in together if name != "episodes"}
    volume = max((states[name] for name in _VOLUME), key=_WORST.index)
    states |= {name: volume for name in _VOLUME if name != "episodes"}
    return Withheld(frozenset(company.company for company in group), below, states)


def _timing(group: Sequence[Estimate], nobody: Mapping[str, int], rules: Method) -> State:
    if not any(_alike(group, get) for get in (_DISCLOSED_WHERE_COMPETING if rules.competing_risks else _DISCLOSED)):
        return "shown"
    covering = (*TIMING, *(_COMPETING if rules.competing_risks else ()))
    wide = nobody["episodes"] >= rules.publish_below and all(nobody[name] for name in covering)
    return "covered" if wide else "hidden"


def _state(group: Sequence[Estimate], get: Measure, nobody: int) -> State:
    if not _alike(group, get):
        return "shown"
    return "covered" if nobody else "hidden"


def _alike(group: Sequence[Estimate], get: Measure) -> bool:
    """Whether all companies but one have the same figure: that one knows, or the sum tells, what the others have.

    True for one company and for two. Where it is false, to swap any two companies' figures changes nothing
    that is published, so nobody can tell who has which.
    """
    values = Counter(map(get, group))
    return bool(values) and max(values.values()) > len(group) - 2
