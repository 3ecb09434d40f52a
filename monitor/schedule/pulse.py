"""The sign of life of a leader: a number that changes, so that two machines never need to compare their clocks.

On PostgreSQL it is a column of the row that says who leads. On SQLite, where the one write lock may be held for as long
as a large delivery takes, it is a file beside the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, update
from sqlalchemy.engine import make_url

from monitor.db import transaction
from monitor.instants import to_datetime, to_instant
from monitor.models.run import Leadership
from monitor.schedule.term import leadership


@dataclass(frozen=True)
class Seen:
    """What an onlooker sees. As long as it is the same, nothing was heard of the leader; `at` is for people."""

    term: int
    held: bool
    beat: str
    at: int | None


def look(engine: Engine) -> Seen:
    """Who leads now, and the last sign of life."""
    row = leadership(engine)
    at = None if row.beat_at is None else to_instant(row.beat_at)
    beat = str(row.beat)
    if (file := _file(engine)) is not None and (said := _read(file)) is not None:
        beat, at = said
    return Seen(row.term, row.holder is not None, beat, at)


def beat(engine: Engine, term: int, number: int, at: int) -> bool:
    """Give a sign of life; False where the term is over."""
    if (file := _file(engine)) is not None:
        if leadership(engine).term != term:
            return False
        file.write_text(f"{term}.{number} {at}\n", "ascii")
        return True
    alive = update(Leadership).where(Leadership.term == term).values(beat=number, beat_at=to_datetime(at))
    with transaction(engine) as session:
        return session.execute(alive.returning(Leadership.term)).first() is not None


def _file(engine: Engine) -> Path | None:
    database = make_url(str(engine.url)).database
    return Path(f"{database}.beat") if engine.dialect.name == "sqlite" and database else None


def _read(file: Path) -> tuple[str, int] | None:
    """The beat and its time; None before the first, or while it is being written."""
    try:
        said, at = file.read_text("ascii").split()
        return said, int(at)
    except (FileNotFoundError, ValueError):
        return None
