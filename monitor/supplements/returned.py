"""Returned: what is online again some days after it was removed, among items drawn at random; and the share on time
by *first* removal, so that the rule of reappearance within 168 h is no cliff.

The draw goes by the keyed digest of the item: nobody without the key knows which items are looked at again, and an item
that is drawn stays drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis
import pyarrow as pa
from ibis import _
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.instants import DAY
from monitor.models.facts import Content
from monitor.score.aggregate import NETWORK
from monitor.score.engine import Expr, keep, put
from monitor.score.episodes import episodes, hosting_in_force, with_host
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import is_mature, is_on_time
from monitor.supplements.inputs import Inputs
from monitor.supplements.shares import NOTHING, ClusteredShare, clustered_shares, read_cells
from monitor.vocabulary import State

DRAWN_SHARE = 0.05
DRAWN_BELOW = round(DRAWN_SHARE * 2**32).to_bytes(4)  # of an item's digest, as bytes
LOOKED_AT_DAYS = (1, 3, 7)
_COULD_LOOK = [str(state) for state in State if state is not State.UNKNOWN]


@dataclass(frozen=True, slots=True)
class LookedAgain:
    """Drawn items that a check could look at so many days after their removal, half a day more or less; the ones that
    are counted were online."""

    days: int
    returned: ClusteredShare


@dataclass(frozen=True, slots=True)
class ReturnedItems:
    """One company. `on_time` is its strict share as in the table, `on_time_at_first_removal` that of first removals."""

    company: str
    name: str
    looked: tuple[LookedAgain, ...]
    on_time: ClusteredShare
    on_time_at_first_removal: ClusteredShare


@dataclass(frozen=True, slots=True)
class Returned:
    """The companies with an episode in the period, and all together (without company)."""

    companies: tuple[ReturnedItems, ...]
    network: ReturnedItems


def drawn_contents(session: Session) -> pa.Table:
    """(content): the items that are drawn."""
    drawn = session.scalars(select(Content.id).where(Content.url_digest < DRAWN_BELOW).order_by(Content.id))
    return pa.table({"content": pa.array(list(drawn), pa.int64())})


def returned(inputs: Inputs, drawn: pa.Table) -> Returned:
    """Of the episodes of the period; `drawn` as `drawn_contents` gives it."""
    first = keep(_by_first_removal(inputs))
    looked = keep(_looked(inputs, first, put(inputs.engine, "drawn", drawn)))
    shares = {days: _online_after(inputs, looked, days) for days in LOOKED_AT_DAYS}
    mature = first.filter(is_mature(_.followed_h, _.deadline_h))
    final, earliest = (_on_time(inputs, mature, name) for name in ("first_offline_h", "first_removal_h"))

    def items(number: int, company: str, name: str) -> ReturnedItems:
        again = tuple(LookedAgain(days, found.get(number, NOTHING)) for days, found in shares.items())
        return ReturnedItems(company, name, again, final.get(number, NOTHING), earliest.get(number, NOTHING))

    numbers = set(final) - {NETWORK, UNATTRIBUTED}
    companies = (items(number, *inputs.named(number)) for number in numbers)
    return Returned(tuple(sorted(companies, key=lambda row: row.company)), items(NETWORK, "", ""))


def _by_first_removal(inputs: Inputs) -> Expr:
    """The episodes of the period with `first_removal_h` (own clock) and `first_removed` (epoch s), null where none.

    With no time to reappear, every offline sighting ends an episode: each that begins as one of the table's does ends
    at its first removal.
    """
    no_return = replace(inputs.rules, reappear_within_hours=0.0)
    first = episodes(inputs.facts, no_return, inputs.request.as_of)
    ends = first.select("company", "content", "start", first_removed=_.removed, first_removal_h=_.first_offline_h)
    scored, keys = inputs.scored, ["company", "content", "start"]
    return scored.left_join(ends, keys).drop(*[f"{key}_right" for key in keys])


def _looked(inputs: Inputs, first: Expr, drawn: Expr) -> Expr:
    """Checks that could look at a drawn item after its first removal, while it was hosted where it had been removed."""
    closed = first.filter(_.first_removed.notnull() & (_.company != UNATTRIBUTED)).semi_join(drawn, "content")
    closed = closed.select("company", "site", "content", "first_removed")
    seen = inputs.facts.sightings.filter((_.t <= inputs.request.as_of) & _.state.isin(_COULD_LOOK))
    seen = with_host(seen.semi_join(closed, "content"), hosting_in_force(inputs.facts))
    checks = closed.join(seen.select("company", "content", "t", "state"), ["company", "content"])
    return checks.filter(_.t > _.first_removed)


def _online_after(inputs: Inputs, looked: Expr, days: int) -> dict[int, ClusteredShare]:
    """An item that is checked more than once on that day counts as online where any of the checks found it so."""
    since = looked.t - looked.first_removed
    due = looked.filter((since >= days * DAY - DAY // 2) & (since <= days * DAY + DAY // 2))
    online = (due.state == str(State.ONLINE)).ifelse(ibis.literal(1, "int64"), ibis.literal(0, "int64"))
    items = due.group_by(["company", "site", "content", "first_removed"]).aggregate(online=online.max())
    rows = items.select("company", "site", at=_.first_removed, one=_.online == 1)
    return clustered_shares(read_cells(inputs.engine, rows), inputs.rules)


def _on_time(inputs: Inputs, mature: Expr, end: str) -> dict[int, ClusteredShare]:
    rows = mature.select("company", "site", at=_.start, one=is_on_time(mature[end], mature.deadline_h))
    return clustered_shares(read_cells(inputs.engine, rows), inputs.rules)
