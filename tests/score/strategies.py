"""Small messy worlds of facts, drawn by hypothesis, and the same facts as tables of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from monitor.instants import HOUR
from monitor.score import episodes as expression
from monitor.score.engine import Engine, Expr, drop, fetch
from monitor.score.facts import EVERYTHING, OPEN, Facts
from monitor.score.methods import Method, method
from tests.score.oracle import (
    Attribution,
    Content,
    Correction,
    Episode,
    Fact,
    Notice,
    Sighting,
    Suspension,
    World,
    about,
    known,
)

# Few instants, so that things meet: a week and a deadline apart, to the hour and one more or less.
HOURS = (0, 1, 2, 12, 13, 24, 25, 26, 37, 50, 96, 168, 169, 170, 192, 193, 194, 218, 240, 360)
INSTANTS = st.sampled_from([hours * HOUR for hours in HOURS])
AS_OF = st.sampled_from([hours * HOUR for hours in (26, 169, 240, 361, 1000)])

_TYPES = {name: pa.string() for name in ("kind", "delivery", "state", "pause", "country")} | {
    "deadline_hours": pa.float64()
}
_COLUMNS = {
    "contents": ("content", "site"),
    "notices": ("notice", "content", "t", "kind", "delivery", "deadline_hours"),
    "sightings": ("content", "t", "state", "pause", "country"),
    "attributions": ("attribution", "content", "company", "valid_from"),
    "suspensions": ("content", "a", "b"),
    "decided_removals": ("content", "t"),
    "countries": ("company", "country"),
}

NOTICES = st.builds(
    Notice,
    id=st.just(0),
    content=st.just(0),
    t=INSTANTS,
    kind=st.sampled_from(["hotline_notice", "hotline_notice", "binding_instruction", "removal_order", "hash_hit"]),
    recipient=st.sampled_from(["hoster", "hoster", "hoster", "hoster", "site_owner"]),
    delivery=st.sampled_from(["assumed", "assumed", "delivered", "failed", "refused"]),
    deadline_hours=st.sampled_from([None, None, 6.5, 36.0]),
    recorded_at=INSTANTS,
)
SEEN = st.sampled_from(
    [
        *[("online", None), ("offline", None)] * 2,
        *[("moved", None), ("unknown", None), ("unknown", "host_changed")],
    ]
)
SIGHTINGS = st.builds(
    lambda t, seen, recorded_at: Sighting(0, t, seen[0], seen[1], recorded_at), INSTANTS, SEEN, INSTANTS
)
PAUSED_SIGHTINGS = st.builds(lambda t: Sighting(0, t, "unknown", "manual_check"), INSTANTS)
ATTRIBUTIONS = st.builds(
    Attribution,
    id=st.just(0),
    content=st.just(0),
    company=st.sampled_from([1, 1, 2, 3, 0]),
    valid_from=INSTANTS,
    recorded_at=INSTANTS,
)
SUSPENSIONS = st.builds(
    lambda content, a, hours, recorded_at: Suspension(content, a, None if hours is None else a + hours, recorded_at),
    st.just(0),
    INSTANTS,
    st.one_of(st.none(), INSTANTS),
    INSTANTS,
)
GENERAL = SUSPENSIONS.map(lambda suspension: replace(suspension, content=None))
CORRECTIONS = st.builds(
    Correction,
    decision=st.sampled_from(["withdraw_notice", "set_removal", "exclude_interval", "reassign"]),
    content=st.just(0),
    notice=st.sampled_from([1, 2, 3, None]),
    a=INSTANTS,
    b=st.one_of(st.none(), st.just(400 * HOUR)),
    recorded_at=INSTANTS,
)


def search(examples: int) -> settings:
    """Settings for a property of so many large examples.

    Each is dozens of items: shrinking takes minutes, and `differences` already shows one item alone.
    """
    return settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example),
    )


@dataclass(frozen=True)
class Story:
    """What is told of one content item; `form` is plain, or whole or cut of one URL."""

    form: str
    notices: list[Notice]
    sightings: list[Sighting]
    attributions: list[Attribution]
    suspensions: list[Suspension]
    corrections: list[Correction]


STORIES = st.builds(
    Story,
    form=st.sampled_from(["plain", "whole", "cut"]),
    notices=st.lists(NOTICES, min_size=1, max_size=6, unique_by=lambda n: (n.t, n.kind, n.recipient, n.delivery)),
    sightings=st.lists(SIGHTINGS, max_size=10),
    attributions=st.lists(ATTRIBUTIONS, min_size=1, max_size=4),
    suspensions=st.lists(SUSPENSIONS, max_size=2),
    corrections=st.lists(CORRECTIONS, max_size=2),
)


@st.composite
def worlds(draw: st.DrawFn, least: int = 10, most: int = 20) -> World:
    """So many groups of one to three items, of which those cut and whole are one URL, told in one world.

    Many, since a question to an engine takes as long for one as for twenty.
    """
    groups = draw(st.lists(st.lists(STORIES, min_size=1, max_size=3), min_size=least, max_size=most))
    return told(groups, draw(st.lists(GENERAL, max_size=1)))


def told(groups: Sequence[Sequence[Story]], general: Sequence[Suspension] = ()) -> World:
    """One world of all stories: numbered in order, attributions in the order in which they were recorded."""
    world = World(suspensions=tuple(general))
    for group, stories in enumerate(groups, 1):
        for story in stories:
            world = _with(world, story, f"stem {group}")
    attributions = sorted(world.attributions, key=lambda a: a.recorded_at)
    numbered = tuple(replace(a, id=number) for number, a in enumerate(attributions, 1))
    return replace(world, attributions=numbered)


def _with(world: World, story: Story, stem: str) -> World:
    number, before = len(world.contents) + 1, len(world.notices)
    first = story.attributions[0]  # each item is attributed when it comes in
    first = replace(first, recorded_at=0, valid_from=min(first.valid_from, 12 * HOUR))
    notices = [replace(n, id=before + index) for index, n in enumerate(story.notices, 1)]
    corrections = [_decided(c, notices) for c in story.corrections]
    content = Content(number, story.form == "cut", None if story.form == "plain" else stem)
    return World(
        (*world.contents, content),
        (*world.notices, *_placed(notices, number)),
        (*world.sightings, *_placed(story.sightings, number)),
        (*world.attributions, *_placed([first, *story.attributions[1:]], number)),
        (*world.suspensions, *_placed(story.suspensions, number)),
        (*world.corrections, *_placed(corrections, number)),
    )


def _decided(correction: Correction, notices: Sequence[Notice]) -> Correction:
    """The decision on one of these notices, taken when it was known."""
    if correction.notice is None:
        return correction
    notice = notices[correction.notice % len(notices)]
    recorded_at = max(correction.recorded_at, notice.recorded_at)
    return replace(correction, notice=notice.id, recorded_at=recorded_at)


def _placed(facts: Sequence[Fact], content: int) -> list[Fact]:
    return [replace(fact, content=content) for fact in facts]


def running(world: World) -> World:
    """The same world in which no clock ever stands still."""
    return replace(
        world,
        suspensions=(),
        sightings=tuple(replace(s, pause=None) for s in world.sightings),
        corrections=tuple(c for c in world.corrections if c.decision != "exclude_interval"),
    )


def settled(world: World) -> World:
    """The same world in which nothing moves and no removal is decided."""
    homes = {a.content: a for a in reversed(world.attributions)}
    return replace(
        world,
        attributions=tuple(replace(a, valid_from=0) for a in homes.values()),
        sightings=tuple(s for s in world.sightings if s.state != "moved"),
        corrections=tuple(c for c in world.corrections if c.decision != "set_removal"),
    )


def tables(world: World) -> dict[str, pa.Table]:
    """The facts as `monitor.score.extract` would give them: known, placed and corrected."""
    facts = known(world)
    rows: dict[str, list[tuple[Any, ...]]] = {
        "contents": [(c.id, c.id) for c in facts.contents],
        "notices": [(n.id, n.content, n.t, n.kind, n.delivery, n.deadline_hours or -1.0) for n in facts.notices],
        "sightings": [(s.content, s.t, s.state, s.pause or "", "") for s in facts.sightings],
        "attributions": [(a.id, a.content, a.company, a.valid_from) for a in facts.attributions],
        "suspensions": [(s.content or EVERYTHING, s.a, OPEN if s.b is None else s.b) for s in facts.suspensions],
        "decided_removals": [(c.content, c.a) for c in facts.corrections],
        "countries": [],
    }
    return {name: _table(_COLUMNS[name], rows[name]) for name in _COLUMNS}


def _table(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pa.table(
        {name: pa.array(column, _TYPES.get(name, pa.int64())) for name, column in zip(columns, values, strict=True)}
    )


def found_in(engine: Engine, given: dict[str, pa.Table], as_of: int, record: Method | None = None) -> list[Episode]:
    """The expression's episodes of these tables, in the order and form of the oracle's."""
    rows = expressed(engine, given, as_of, record)
    found = read(engine, rows)
    drop(rows)  # the next has the same names, and so the same SQL
    return found


def expressed(engine: Engine, given: dict[str, pa.Table], as_of: int, record: Method | None = None) -> Expr:
    """The expression over these tables."""
    for name, table in given.items():  # the same tables for every world, as making some takes longer than filling them
        engine.con.register("arriving", table)
        engine.con.execute(f'CREATE TABLE IF NOT EXISTS "{name}" AS FROM arriving LIMIT 0')
        engine.con.execute(f'DELETE FROM "{name}"')
        engine.con.execute(f'INSERT INTO "{name}" FROM arriving')
    facts = Facts(**{name: engine.table(name) for name in given})
    return expression.episodes(facts, record or method(), as_of)


def read(engine: Engine, rows: Expr, zero: int = 0) -> list[Episode]:
    """Rows of the expression as the oracle's episodes, starts in seconds after `zero`."""
    names = [field.name for field in fields(Episode) if field.name in rows.columns]
    found = fetch(engine, rows.select(*names)).to_pylist()
    flags = [name for name in ("reappeared", "gone_before_notice") if name in names]
    shaped = [
        Episode(**(row | {"start": row["start"] - zero} | {name: bool(row[name]) for name in flags})) for row in found
    ]
    return sorted(shaped, key=lambda e: (e.content, e.company, e.start))


def differences(world: World, found: Sequence[Episode], expected: Sequence[Episode]) -> str:
    """The first item of which the episodes differ, with all its facts; empty where there is none."""
    items = sorted({episode.content for episode in set(found) ^ set(expected)})
    if not items:
        return ""
    facts = about(known(world), items[0])
    lines = [str(fact) for field in fields(World) for fact in getattr(facts, field.name)]
    lines += [f"found    {e}" for e in found if e.content == items[0]]
    return "\n".join(["", *lines, *(f"expected {e}" for e in expected if e.content == items[0])])
