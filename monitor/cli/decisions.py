"""`monitor suspend` and `monitor correct`: decisions of two people, with what they would change in published figures.

Items and notices are named by their numbers. A URL is read from a file or from standard input, never from the command
line, where other users of the machine could see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import click
from sqlalchemy.orm import Session

from monitor.cli.runtime import ENGINE, INSTANT, F, Runtime, json_option, runtime, show
from monitor.db import lock_writers, transaction
from monitor.instants import to_datetime
from monitor.vocabulary import Pause

if TYPE_CHECKING:
    from monitor.decisions import Approval, Chosen, Span
    from monitor.release.preview import Effect

_LINES = 20
_FROM = click.option("--from", "starts", type=INSTANT, required=True, help="When it began.")
_TO = click.option("--to", "ends", type=INSTANT, required=True, help="When it was over.")


def _decided(function: F) -> F:
    """Add what every decision needs."""
    for option in (
        click.option("--reason", required=True, help="Why; that of a suspension is published. No address of any item."),
        click.option("--evidence", default="", help="On what it rests, such as the number of a letter."),
        click.option("--by", "decided_by", required=True, metavar="NAME", help="Who proposes it."),
        click.option("--approved-by", required=True, metavar="NAME", help="Who approves it: another."),
        click.option("--dry-run", is_flag=True, help="Show what would change, and record nothing."),
        click.option("--no-preview", is_flag=True, help="Do not score the releases that it concerns."),
        ENGINE,
        json_option,
    ):
        function = option(function)
    return function


def _chosen(function: F) -> F:
    """Add how notices and items are named."""
    for option in (
        click.argument("reference", required=False),
        click.option("--item", type=int, help="The number of an item, as `monitor attribute` lists it."),
        click.option("--url-file", type=click.File("r"), help="A file with one URL; `-` for standard input."),
        click.option("--source", help="Whose number it is, where several sources use it."),
        click.option("--all", "several", is_flag=True, help="All notices, or items, of that number."),
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class _Named:
    """What was named on the command line."""

    reference: str | None
    item: int | None
    url_file: IO[str] | None
    source: str | None
    several: bool

    def require_one(self) -> None:
        """A usage error where nothing was named, or more than one thing."""
        if sum(given is not None for given in (self.reference, self.item, self.url_file)) != 1:
            raise click.UsageError("name it by its number (REFERENCE), by --item, or by --url-file")
        from monitor.decisions import refuse_url

        refuse_url(self.reference or "")

    def choose(self, session: Session, run: Runtime) -> Chosen:
        """The notices and items."""
        from monitor.decisions import choose_by_number, choose_by_reference, choose_by_url

        if self.item is not None:
            return choose_by_number(session, self.item)
        if self.url_file is not None:
            return choose_by_url(session, run.vault, self.url_file.readline())
        return choose_by_reference(session, run.vault, self.reference or "", self.source, several=self.several)


def _named(given: dict[str, Any]) -> _Named:
    return _Named(*(given.pop(name) for name in ("reference", "item", "url_file", "source", "several")))


def _span(starts: int, ends: int) -> Span:
    from monitor.decisions import Span

    return Span(to_datetime(starts), to_datetime(ends))


Act = Callable[[Session, Runtime, "Approval", int], Callable[[], Sequence[object]]]


def _decide(act: Act, what: str, given: dict[str, Any]) -> None:
    """Show what a decision changes, and record it unless it is only tried; `act` gives what records it."""
    from monitor.decisions import Approval
    from monitor.release.preview import preview, undone

    approval = Approval(given["reason"], given["decided_by"], given["approved_by"], given["evidence"])
    dry_run, run = given["dry_run"], runtime()
    effects: list[Effect] | None = None
    with transaction(run.engine) as session:
        lock_writers(session)  # the clock is asked when nobody else writes
        now = run.now()
        record = act(session, run, approval, now)
        if not given["no_preview"]:
            effects = preview(session, given["engine_url"] or run.settings.engine, now, record)
        if dry_run:
            with undone(session):
                rows = len(record())
        else:
            rows = len(record())
    answer = {
        "recorded": not dry_run,
        "rows": rows,
        "effects": None if effects is None else list(map(_effect, effects)),
    }
    done = f"{what}: {'would be ' if dry_run else ''}recorded in {rows} rows"
    show(answer, given["as_json"], "\n".join([done, *_effects(effects, dry_run=dry_run)]))


def _effect(effect: Effect) -> dict[str, Any]:
    from monitor.cli.release import changes_of_tables

    return {"period": effect.period, "version": effect.version, **changes_of_tables(effect.differences)}


def _effects(effects: list[Effect] | None, *, dry_run: bool) -> list[str]:
    from monitor.cli.release import difference_lines

    if effects is None:
        return []
    lines = []
    for effect in effects:
        found = difference_lines(effect.differences)
        rest = f"  and {len(found) - _LINES} more (all with --json)"
        lines.append(f"{effect.period} version {effect.version}: {len(found) or 'no'} figures differ")
        lines += [*(f"  {line}" for line in found[:_LINES]), *([rest] if len(found) > _LINES else [])]
        if found and not dry_run:
            lines.append(f"  publish it: monitor release correct {effect.period} --reason TEXT")
    return lines or ["no published release is concerned"]


@click.command()
@_chosen
@click.option(
    "--pause",
    type=click.Choice([str(pause) for pause in Pause]),
    default=str(Pause.OUTAGE),
    show_default=True,
    help="Why nobody could look: only what the hotline or the monitor could not do stops a clock.",
)
@_FROM
@_TO
@_decided
def suspend(starts: int, ends: int, pause: str, **given: Any) -> None:
    """Record that clocks stood still: of one item, of all that --source gave notice of, or else of all."""
    from monitor.decisions import suspend as record

    named = _named(given)
    of_items = any(thing is not None for thing in (named.reference, named.item, named.url_file))
    if of_items:
        named.require_one()

    def act(session: Session, run: Runtime, approval: Approval, now: int) -> Callable[[], Sequence[object]]:
        contents = named.choose(session, run).contents if of_items else ()
        source = None if of_items else named.source
        decided = (Pause(pause), _span(starts, ends), approval, to_datetime(now))
        return lambda: record(session, *decided, contents=contents, source=source)

    _decide(act, "suspension", given)


@click.group()
def correct() -> None:
    """Record corrections: decisions of two people that go before what was collected.

    REFERENCE is the number that the sender gave a notice, or the file number of an item. What is published stays as it
    is until `monitor release correct`.
    """


@correct.command("withdraw-notice")
@_chosen
@_decided
def withdraw_notice(**given: Any) -> None:
    """Withdraw a notice, or all about an item: it starts no clock and counts nowhere."""
    from monitor.decisions import withdraw_notice as record

    named = _named(given)
    named.require_one()

    def act(session: Session, run: Runtime, approval: Approval, now: int) -> Callable[[], Sequence[object]]:
        return partial(record, session, named.choose(session, run), approval, to_datetime(now))

    _decide(act, "withdrawal", given)


@correct.command("reassign")
@_chosen
@click.option("--company", required=True, help="The key of the company that hosted it.")
@click.option("--from", "starts", type=INSTANT, help="Only for notices sent from then on.")
@click.option("--to", "ends", type=INSTANT, help="And before then.")
@_decided
def reassign(company: str, starts: int | None, ends: int | None, **given: Any) -> None:
    """Decide which company hosted an item; its notices are attributed anew."""
    from monitor.decisions import reassign as record

    if (starts is None) != (ends is None):
        raise click.UsageError("give both --from and --to, or neither")
    named = _named(given)
    named.require_one()
    span = None if starts is None or ends is None else _span(starts, ends)

    def act(session: Session, run: Runtime, approval: Approval, now: int) -> Callable[[], Sequence[object]]:
        chosen = named.choose(session, run)
        return partial(record, session, run.vault, chosen, company, approval, to_datetime(now), span)

    _decide(act, "reassignment", given)


@correct.command("set-removal")
@_chosen
@click.option("--at", "removed", type=INSTANT, required=True, help="When it was removed.")
@_decided
def set_removal(removed: int, **given: Any) -> None:
    """Decide when an item was removed."""
    from monitor.decisions import set_removal as record

    named = _named(given)
    named.require_one()

    def act(session: Session, run: Runtime, approval: Approval, now: int) -> Callable[[], Sequence[object]]:
        return partial(record, session, named.choose(session, run), to_datetime(removed), approval, to_datetime(now))

    _decide(act, "removal", given)


@correct.command("exclude-interval")
@_chosen
@_FROM
@_TO
@_decided
def exclude_interval(starts: int, ends: int, **given: Any) -> None:
    """Take a time off the clock of an item."""
    from monitor.decisions import exclude_interval as record

    named = _named(given)
    named.require_one()

    def act(session: Session, run: Runtime, approval: Approval, now: int) -> Callable[[], Sequence[object]]:
        chosen = named.choose(session, run)
        return partial(record, session, chosen, _span(starts, ends), approval, to_datetime(now))

    _decide(act, "exclusion", given)
