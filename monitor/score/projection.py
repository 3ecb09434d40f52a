"""The running quarter as it stands at an hour: the same table as a score of that hour, made from what changed.

Episodes are kept in a folder of the installation. An hour later only those are made again that new facts bear on, that
have not ended, or that a fact bears on whose time had not come; of all others only the time that passed is added. The
table is then estimated from all of them. Where what was kept cannot be used, everything is made anew
(docs/adr/0041-projection-of-the-running-quarter.md).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

import monitor
from monitor.instants import HOUR, to_datetime
from monitor.models.facts import Attribution, Content, Correction, Notice, Sighting, Suspension
from monitor.models.identity import ItemIdentity
from monitor.score import engine as engines
from monitor.score.aggregate import refused_notices
from monitor.score.engine import Engine
from monitor.score.extract import QUERIES, extract_contents
from monitor.score.facts import Facts, load_facts, read_database, read_tables
from monitor.score.pipeline import (
    Request,
    company_details,
    database_url,
    dated,
    episodes_of,
    labels_at,
    make_table,
    refused_by_company,
)
from monitor.score.table import Table

_EPISODES, _REFUSED, _STATE, _TABLE = "episodes", "refused", "state.json", "table.json"
_FORMAT = 1
_CHUNK = 20_000  # contents in one query
_MOST = 0.5  # of all contents: beyond, everything is made anew
# What is stored of facts, with the time at which each begins to bear on episodes.
_FACTS: tuple[tuple[Any, Any], ...] = (
    (Notice, Notice.sent_at),
    (Sighting, Sighting.seen_at),
    (Attribution, Attribution.valid_from),
    (Suspension, None),
    (Correction, Correction.starts_at),
)


@dataclass(frozen=True)
class Projection:
    """The table, and how many contents were made anew; None: all."""

    table: Table
    anew: int | None


@dataclass(frozen=True)
class _Kept:
    """What an earlier projection left: its state, episodes, and refused notices by content and company."""

    state: Mapping[str, Any]
    episodes: pa.Table
    refused: pa.Table


def project(session: Session, request: Request, folder: Path) -> Projection:
    """The table of `request` (`as_of` and `known_at`: the hour), equal to `pipeline.score` of it; kept in `folder`.

    The caller sees to it that one projection runs at a time in a folder.
    """
    state = _state(session, request)
    kept = _read(folder, state)
    changed = None if kept is None else _changed(session, kept, request)
    with engines.opened("duckdb://") as engine:
        if kept is None or changed is None:
            facts = load_facts(engine, database_url(session), request.known_at)
            episodes, refused = _made(engine, facts, request)
        else:
            facts = _load_contents(engine, session, request, changed)
            episodes, refused = _made(engine, facts, request)
            every = {content for group in changed for content in group}
            episodes = _joined(_passed(_others(kept.episodes, every), kept.state["as_of"], request.as_of), episodes)
            refused = _joined(_others(kept.refused, every), refused)
        labels = labels_at(session, request.known_at, request.as_of)
        rows = engines.put(engine, "episodes", episodes)
        table = make_table(engine, rows, labels, refused_by_company(refused), request.rules)[0]
    table = dated(table, request)
    _write(folder, state, episodes, refused, table)
    return Projection(table, None if changed is None else sum(map(len, changed)))


def read_table(folder: Path) -> dict[str, Any] | None:
    """The newest projection as `Table.as_json` has it, without hourly curves; None where there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / _TABLE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found


def without_curves(table: Table) -> Table:
    """The table without its hourly curves, which are most of it, as `monitor score --json` shows it."""
    groups = tuple(replace(group, figures=replace(group.figures, curve=())) for group in table.groups or ())
    return replace(
        table,
        companies=tuple(replace(each, curve=()) for each in table.companies),
        network=replace(table.network, curve=()),
        rest=table.rest and replace(table.rest, curve=()),
        groups=groups if table.groups is not None else None,
    )


def _made(engine: Engine, facts: Facts, request: Request) -> tuple[pa.Table, pa.Table]:
    """Episodes and undelivered items of some facts, and the refused notices of the period."""
    episodes = engines.fetch(engine, episodes_of(facts, request))
    return episodes, engines.fetch(engine, refused_notices(facts, *request.bounds, request.rules))


def _others(table: pa.Table, contents: Collection[int]) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table["content"], pa.array(sorted(contents), pa.int64()))))


def _joined(kept: pa.Table, made: pa.Table) -> pa.Table:
    return pa.concat_tables([kept.select(made.column_names).cast(made.schema), made])


def _passed(episodes: pa.Table, before: int, now: int) -> pa.Table:
    """Ended episodes at a later reference date: what is counted from the start or the last sighting went on."""
    for name in ("followed_h", "wall_h", "since_online_h"):
        if name in episodes.column_names:
            seconds = pc.add(pc.round(pc.multiply(episodes[name], float(HOUR))), float(now - before))
            episodes = episodes.set_column(
                episodes.column_names.index(name), name, pc.divide(seconds, pa.scalar(float(HOUR)))
            )
    return episodes


def _changed(session: Session, kept: _Kept, request: Request) -> list[list[int]] | None:
    """The contents to make anew, in groups that one query can hold; None: all."""
    before, then = to_datetime(kept.state["known_at"]), to_datetime(kept.state["as_of"])
    known = to_datetime(request.known_at)
    if _counts(session, kept.state["known_at"]) != kept.state["rows"]:
        return None  # something was recorded before what was known then
    recent = Content.recorded_at >= before, Content.recorded_at <= known
    found: set[int] = set(session.scalars(select(Content.id).where(*recent)))
    for model, moment in _FACTS:
        anew: list[ColumnElement[bool]] = [model.recorded_at >= before]
        if moment is not None:
            anew.append(moment > then)
        query = select(model.content_id).where(model.recorded_at <= known, or_(*anew)).distinct()
        found.update(content for content in session.scalars(query) if content is not None)
    still = pc.and_(pc.is_null(kept.episodes["removed"]), pc.is_null(kept.episodes["relocated"]))
    found.update(kept.episodes["content"].filter(still).to_pylist())
    mates = _with_stems(session, found)
    total = session.scalar(select(func.count()).select_from(Content)) or 0
    if sum(map(len, mates)) > _MOST * total:
        return None
    return _chunks(mates)


def _with_stems(session: Session, contents: set[int]) -> list[list[int]]:
    """Groups of contents that may be one item: those with a stem together with all that share it."""
    stems: dict[bytes, list[int]] = {}
    alone = set(contents)
    for part in _parts(sorted(contents)):
        query = select(Content.stem_digest).where(Content.id.in_(part), Content.stem_digest.is_not(None)).distinct()
        wanted = [stem for stem in session.scalars(query) if stem is not None and stem not in stems]
        for some in _parts(wanted):
            for content, stem in session.execute(
                select(Content.id, Content.stem_digest).where(Content.stem_digest.in_(some))
            ):
                stems.setdefault(stem or b"", []).append(content)
                alone.discard(content)
    return [*([content] for content in sorted(alone)), *(sorted(group) for group in stems.values())]


def _parts(values: Sequence[Any], most: int = 900) -> list[Sequence[Any]]:
    return [values[begin : begin + most] for begin in range(0, len(values), most)]


def _chunks(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    chunks: list[list[int]] = [[]]
    for group in groups:
        if len(chunks[-1]) + len(group) > _CHUNK and chunks[-1]:
            chunks.append([])
        chunks[-1].extend(group)
    return chunks


def _load_contents(engine: Engine, session: Session, request: Request, chunks: list[list[int]]) -> Facts:
    with TemporaryDirectory(prefix="monitor-facts-") as folder:
        read_database(extract_contents, database_url(session), request.known_at, Path(folder), chunks)
        tables = read_tables(Path(folder), QUERIES)
    return Facts(**{name: engines.put(engine, name, table) for name, table in tables.items()})


def _state(session: Session, request: Request) -> dict[str, Any]:
    """What a projection rests on beside the facts of single contents; where any of it changed, all is made anew."""
    known = to_datetime(request.known_at)
    countries = sorted([company.id, detail.country] for company, detail in company_details(session, request.known_at))
    general = session.scalars(
        select(Suspension.id)
        .where(Suspension.content_id.is_(None), Suspension.recorded_at <= known)
        .order_by(Suspension.id)
    )
    joined = session.scalar(select(func.count()).select_from(ItemIdentity).where(ItemIdentity.recorded_at <= known))
    return {
        "format": _FORMAT,
        "code": monitor.__version__,
        "database": hashlib.sha256(session.get_bind().engine.url.render_as_string().encode()).hexdigest(),
        "method": request.rules.parameter_hash(),
        "period": request.period.label,
        "countries": countries,
        "suspensions": list(general),
        "identities": joined,
        "as_of": request.as_of,
        "known_at": request.known_at,
        "rows": _counts(session, request.known_at),
    }


def _counts(session: Session, known_at: int) -> list[list[int | None]]:
    """Of each table of facts how many rows were recorded before then, and the sum of their numbers."""
    models = [Content, *(model for model, _moment in _FACTS)]
    known = to_datetime(known_at)
    found = [
        session.execute(select(func.count(), func.sum(model.id)).where(model.recorded_at < known)).one()
        for model in models
    ]
    return [[rows, None if total is None else int(total)] for rows, total in found]


def _read(folder: Path, state: Mapping[str, Any]) -> _Kept | None:
    """What was kept, where it is whole and still holds."""
    try:
        earlier: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        tables = {
            name: _read_whole(folder / earlier[name]["file"], earlier[name]["sha256"]) for name in (_EPISODES, _REFUSED)
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None
    same = ("format", "code", "database", "method", "period", "countries", "suspensions", "identities")
    if any(earlier.get(name) != state[name] for name in same) or state["identities"]:
        return None
    if earlier["as_of"] > state["as_of"] or earlier["known_at"] > state["known_at"]:
        return None
    return _Kept(earlier, tables[_EPISODES], tables[_REFUSED])


def _read_whole(file: Path, sha256: str) -> pa.Table:
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError("the file is not what was written")
    with pa.ipc.open_file(pa.py_buffer(content)) as reader:
        return reader.read_all()


def _write(folder: Path, state: dict[str, Any], episodes: pa.Table, refused: pa.Table, table: Table) -> None:
    """The tables under names of their own, then the state that names them: whoever reads finds the old or the new."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, rows in ((_EPISODES, episodes), (_REFUSED, refused)):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, rows.schema) as writer:
            writer.write_table(rows)
        content = sink.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        state[name] = {"file": f"{name}.{digest[:16]}.arrow", "sha256": digest}
        _replace(folder / state[name]["file"], content)
    _replace(folder / _STATE, json.dumps(state).encode())
    _replace(folder / _TABLE, json.dumps(without_curves(table).as_json()).encode())
    named = {state[name]["file"] for name in (_EPISODES, _REFUSED)}
    for file in folder.glob("*.arrow"):
        if file.name not in named:
            file.unlink()


def _replace(file: Path, content: bytes | pa.Buffer) -> None:
    unfinished = file.with_name(f"{file.name}.unfinished")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
    unfinished.replace(file)
