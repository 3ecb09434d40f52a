"""What each measure is made from: the facts, all episodes and the names of the companies, in one engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from monitor.score import engine as engines
from monitor.score.engine import Engine, Expr, keep
from monitor.score.facts import Facts, load_tables
from monitor.score.methods import Method
from monitor.score.pipeline import Request, database_url, episodes_of, load
from monitor.score.table import Label


@dataclass(frozen=True)
class Inputs:
    """`every` episode up to the reference date of the request, `scored` where it began in the period.

    Its columns are those of `monitor.score.episodes.episodes`; companies are numbers, named in `labels`.
    """

    engine: Engine
    database_url: str
    facts: Facts
    every: Expr
    labels: Mapping[int, Label]
    request: Request

    @property
    def rules(self) -> Method:
        """The method for the kinds that are asked for."""
        return self.request.rules

    @property
    def scored(self) -> Expr:
        """The episodes that began in the period."""
        return self.every.filter(self.every.scored)

    def named(self, number: int) -> tuple[str, str]:
        """Key and name of a company."""
        label = self.labels.get(number)
        return (str(number), str(number)) if label is None else (label.key, label.name)

    def tables(self, *names: str) -> dict[str, Expr]:
        """Further tables of facts, by their names in `monitor.score.extract`."""
        return load_tables(self.engine, self.database_url, self.request.known_at, names)

    def at(self, request: Request) -> Inputs:
        """The same facts, asked otherwise; the episodes are made anew where another period alone would not do."""
        if replace(request, period=self.request.period) != self.request:
            return replace(self, request=request, every=_episodes(self.facts, request))
        start, end = request.bounds
        every = self.every.mutate(scored=(self.every.start >= start) & (self.every.start < end))
        return replace(self, request=request, every=every)


@contextmanager
def opened(session: Session, request: Request) -> Iterator[Inputs]:
    """The facts that a request asks for, in an engine that is closed in the end.

    Raises MonitorError as `monitor.score.pipeline.load` does.
    """
    url = database_url(session)
    with engines.opened(request.engine_url, url) as engine:
        facts, labels = load(engine, session, request)
        yield Inputs(engine, url, facts, _episodes(facts, request), labels, request)


def _episodes(facts: Facts, request: Request) -> Expr:
    """All episodes; an undelivered item, which method 2026.2 has among them without times, is none."""
    every = episodes_of(facts, request)
    return keep(every.filter(every.undelivered == 0) if request.rules.competing_risks else every)
