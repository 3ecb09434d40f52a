"""A small quarter under method 2026.2, after one under 2026.1: companies in every standing, a group, and small ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import select

from monitor.attribute.registry import load_registry
from monitor.cli import cli
from monitor.db import connect
from monitor.formats.registry import CompanyRecord
from monitor.instants import HOUR, iso
from monitor.models.company import Company
from tests.conftest import Database
from tests.score.world import ADDED, ZERO, World, world
from tests.support.publications import signing_key

BEFORE, PERIOD = "2025Q4", "2026Q1"  # the last day of the second is the world's first
AS_OF = 200.0
_DAYS = 14  # on which notices are sent, the last one that of the zero point
_A_QUARTER = 90 * 24.0


@dataclass(frozen=True)
class Item:
    """One item of a company: on which of its sites, when it was noticed, and what was seen of it, in hours after."""

    site: int
    last: float | None
    offline: float | None = None
    moved: float | None = None
    refused: bool = False
    gone_before: bool = False


def _quick(number: int) -> Item:
    return Item(number, 1 + number % 5, 6 + number % 7)


def _late(number: int) -> Item:
    return Item(number, 30 + number % 40, 34 + number % 40)


def _open(number: int) -> Item:
    """Looked at before the deadline and long after it."""
    return Item(number, 4 + number % 3, 40 + number % 9)


def _few_sites(number: int) -> Item:
    return Item(number % 8, 1 + number % 4, 4 + number % 4)


def _relocating(number: int) -> Item:
    return Item(number, 2 + number % 3, moved=6 + number % 4)


def _mixed(number: int) -> Item:
    """Some late, some gone before the notice, some still there, some that nobody looked at again."""
    kinds = (
        _quick(number),
        _late(number),
        Item(number, None, gone_before=True),
        Item(number, 150.0),
        Item(number, 3.0),
        Item(number, 5, moved=20 + number % 30),
    )
    return kinds[number % 6]


def _refusing(number: int) -> Item:
    return Item(number, None, refused=True) if number % 3 == 0 else _quick(number)


COMPANIES: dict[str, tuple[int, Callable[[int], Item]]] = {
    "duinroos": (120, _quick),  # meets
    "klinker": (48, _late),  # below
    "veenland": (44, _open),  # the checks leave it open
    "polder": (40, _few_sites),  # good, but too few sites to prove it
    "trekvogel": (36, _relocating),  # all moved in time
    "windvaan": (66, _mixed),
    "dijkgraaf": (48, _refusing),  # unreachable
    "haven-noord": (34, _mixed),  # two of one group
    "haven-zuid": (33, _late),
    "grachten": (18, _mixed),  # too few to judge
}
HOLDING = "haven-holding"
SMALL = {"lepelaar": (7, "qqqlmgo"), "kievit": (5, "qllmo"), "snip": (9, "qqllomgmo"), "grutto": (3, "qlo")}
_SMALL_KINDS: dict[str, Callable[[int], Item]] = {
    "q": _quick,
    "l": _late,
    "m": _relocating,
    "g": lambda number: Item(number, None, gone_before=True),
    "o": lambda number: Item(number, 150.0),
}


def fill(database: Database) -> None:
    """Record the facts of both quarters."""
    with world(database) as w:
        _register(w)
        for name in ("duinroos", "klinker", "windvaan"):
            _record(w, name, [COMPANIES[name][1](n) for n in range(40)], -_A_QUARTER)
        for name, (size, kind) in COMPANIES.items():
            _record(w, name, [kind(n) for n in range(size)], 0.0)
        for name, (_, kinds) in SMALL.items():
            _record(w, name, [_SMALL_KINDS[kind](n) for n, kind in enumerate(kinds)], 0.0)
        _record(w, None, [_mixed(n) for n in range(14)], 0.0)


def _register(w: World) -> None:
    """Companies by name; those of the haven are under one control."""
    of_group = dict.fromkeys(("haven-noord", "haven-zuid"), HOLDING)
    records = [
        CompanyRecord(key, f"{key.replace('-', ' ').title()} Hosting", "NL", parent=of_group.get(key))
        for key in (HOLDING, *COMPANIES, *SMALL)
    ]
    load_registry(w.session, records, ADDED)
    w.companies |= {company.key: company.id for company in w.session.scalars(select(Company))}


def _record(w: World, name: str | None, items: list[Item], shift: float) -> None:
    sites = {site: w.site() for site in sorted({item.site for item in items})}
    for number, item in enumerate(items):
        sent = shift - 24.0 * (number // 6 % _DAYS) + number % 20
        content = w.content(name, site=sites[item.site], since=sent - 100)
        w.notice(content, sent, **({"delivery": "refused"} if item.refused else {}))
        if item.gone_before:
            w.seen(content, sent - 2, "offline")
        if item.last is not None:
            w.seen(content, sent + item.last, "online")
        if item.offline is not None:
            w.seen(content, sent + item.offline, "offline")
        if item.moved is not None:
            w.seen(content, sent + item.moved, "moved")


def run(home: Path, url: str, *arguments: object) -> str:
    """What a command answers on that installation; fails the test where the command does."""
    settings = {"MONITOR_HOME": str(home), "MONITOR_DATABASE_URL": url}
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], env=settings)
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result.stdout


def release(home: Path, url: str, period: str, as_of: float, *more: str) -> None:
    """Draft, confirm and publish a period."""
    run(home, url, "release", "draft", "--period", period, "--as-of", iso(ZERO + round(as_of * HOUR)), *more)
    run(home, url, "confirm", "--draft", period, "--by", "test")
    run(home, url, "release", "publish", period, "--waive-hearing", "invented companies")


def publish_both(home: Path, url: str) -> None:
    """Fill an installation and publish both quarters, the second under method 2026.2."""
    engine = connect(url)
    fill(Database(url, engine))
    engine.dispose()
    signing_key(home)
    release(home, url, BEFORE, AS_OF - _A_QUARTER, "--method", "2026.1")
    release(home, url, PERIOD, AS_OF, "--method", "2026.2")
