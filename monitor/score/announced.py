"""How many addresses each company of a table announced, told beside its figures: it moves no score and no rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from monitor.attribute.volume import announced
from monitor.instants import to_datetime
from monitor.score.label import Label
from monitor.score.table import Table


def announced_ipv4(session: Session, known_at: int, as_of: int, labels: Mapping[int, Label]) -> dict[str, int]:
    """By key the IPv4 addresses on the day of `as_of`, 0 for a company with none; empty where no table tells."""
    found = announced(session, to_datetime(known_at), to_datetime(as_of).date())
    if all(size.v4 is None for size in found.values()):
        return {}
    sizes = {number: size.v4 or 0 for number, size in found.items()}
    return {label.key: sizes.get(number, 0) for number, label in labels.items()}


def with_announced(table: Table, sizes: Mapping[str, int]) -> Table:
    """The table, and that of its hash hits, with these sizes; None for a company that has none."""
    companies = tuple(replace(company, announced_ipv4=sizes.get(company.company)) for company in table.companies)
    hits = table.hash_hits and with_announced(table.hash_hits, sizes)
    return replace(table, companies=companies, hash_hits=hits)
