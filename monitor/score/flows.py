"""Who to whom: the episodes of the period that ended because the content moved, by both companies and the country."""

from __future__ import annotations

from collections.abc import Mapping

from ibis import _

from monitor.score.engine import Engine, Expr
from monitor.score.facts import NOBODY
from monitor.score.label import Label
from monitor.score.table import Flow, in_order


def flows(engine: Engine, scored: Expr, labels: Mapping[int, Label]) -> tuple[Flow, ...]:
    """The flows of every company; those of one add up to its `relocated`. `scored` as for `monitor.score.gather`."""
    moved = scored.filter(_.relocated_h.notnull() & (_.company != NOBODY))
    ends = moved.select("company", to=_.destination_company.coalesce(NOBODY), country=_.destination.coalesce(""))
    rows = engine.to_pyarrow(ends.group_by(["company", "to", "country"]).aggregate(episodes=_.count())).to_pylist()

    def key(company: int) -> str:
        return labels[company].key if company in labels else str(company)

    return in_order(
        Flow(key(row["company"]), None if row["to"] == NOBODY else key(row["to"]), row["country"], row["episodes"])
        for row in rows
    )
