"""`monitor supplements`: the measures that stand beside the ranking, as JSON or as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.runtime import ENGINE, INSTANT, METHOD, json_option, runtime, show
from monitor.cli.score import asked
from monitor.db import transaction
from monitor.supplements import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.supplements.case_mix import CaseMix
    from monitor.supplements.clocks import Clock, Clocks
    from monitor.supplements.cusum import Cusum
    from monitor.supplements.measures import Answer
    from monitor.supplements.public_definitions import PublicDefinitions
    from monitor.supplements.recurrence import Recurrence
    from monitor.supplements.returned import Returned
    from monitor.supplements.shares import ClusteredShare
    from monitor.supplements.step_effect import StepEffect
    from monitor.supplements.steps import StepEffects
    from monitor.supplements.trend import GapChange, TrendStep

_BY_CHANCE = "(by chance alone: 1 with fewer than ten companies, 0.66 with many)"


@click.command()
@click.argument("name", type=click.Choice(MEASURES))
@click.option("--period", required=True, help="2026Q2, or 2026-03-11..2026-04-11 (last day not included).")
@click.option("--as-of", type=INSTANT, help="Reference date (default: when the last delivery was received).")
@click.option("--known-at", type=INSTANT, help="Use only what was recorded by then (default: now).")
@click.option(
    "--steps",
    type=click.Path(path_type=Path),
    help="For step-effect: CSV with company,in_force_from (a day), a step a row.",
)
@METHOD
@ENGINE
@json_option
def supplements(
    name: str,
    period: str,
    as_of: int | None,
    known_at: int | None,
    steps: Path | None,
    version: str | None,
    engine_url: str | None,
    as_json: bool,
) -> None:
    """Show a measure that stands beside the ranking of a period, and never moves it.

    \b
    recurrence   sites noticed again with other material after a removal
    returned     items online again after their removal; on time by first removal
    case-mix     late observed and expected, given what a company's cases were like
    cusum        companies whose lateness has doubled, by week: for the desk only
    trend        what moved the network's share since the period before
    clocks       company, hotline and total; each public definition beside them
    step-effect  what came of letters, instructions and orders (--steps FILE)

    All companies are shown, however small: this is for the operator. docs/method.md, "Beside the ranking", has the
    formula of each and what it does not say.
    """
    from monitor.supplements import measures

    run = runtime()
    with transaction(run.engine) as session:
        request = asked(session, run, period, as_of, known_at, version, engine_url)
        answer = measures.measure(name, session, request, run.vault, steps)
    show(measures.as_json(name, request, answer), as_json, describe(answer))


def describe(answer: Answer) -> str:
    """An answer in fixed-width columns."""
    from monitor.supplements.case_mix import CaseMix
    from monitor.supplements.clocks import Clocks
    from monitor.supplements.cusum import Cusum
    from monitor.supplements.recurrence import Recurrence
    from monitor.supplements.returned import Returned
    from monitor.supplements.steps import StepEffects
    from monitor.supplements.trend import TrendStep

    described: dict[type[Any], Any] = {
        Recurrence: _recurrence,
        Returned: _returned,
        CaseMix: _case_mix,
        Cusum: _cusum,
        TrendStep: _trend,
        Clocks: _clocks,
        StepEffects: _step_effects,
    }
    text: str = described[type(answer)](answer)
    return text


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, the first to the left, all others to the right."""
    cells = [head, *rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    return "\n".join(
        "  ".join(f"{cell:{'<' if place == 0 else '>'}{widths[place]}}" for place, cell in enumerate(row)).rstrip()
        for row in cells
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _share(share: ClusteredShare) -> tuple[str, str, str]:
    """Counted of all, the share, and its limits."""
    limits = "-" if share.low is None else f"{_percent(share.low)} - {_percent(share.high)}"
    return f"{share.ones}/{share.items}", _percent(share.p), limits


def _recurrence(answer: Recurrence) -> str:
    head = ["company"]
    for window in answer.network:
        head += [f"again in {window.days} d", "share", "95 % interval"]
    named = [(row.name, row.windows) for row in answer.companies]
    rows = [
        [name, *(cell for window in windows for cell in _share(window.sites))]
        for name, windows in (*named, ("all companies", answer.network))
    ]
    return _table(head, rows)


def _returned(answer: Returned) -> str:
    head = ["company"]
    for looked in answer.network.looked:
        head += [f"online after {looked.days} d", "share", "95 % interval"]
    head += ["on time", "by first removal"]
    rows = []
    for row in (*answer.companies, answer.network):
        cells = [cell for looked in row.looked for cell in _share(looked.returned)]
        shares = [_percent(row.on_time.p), _percent(row.on_time_at_first_removal.p)]
        rows.append([row.name or "all companies", *cells, *shares])
    return _table(head, rows)


def _case_mix(answer: CaseMix) -> str:
    head = ["company", "determined", "late", "expected", "observed/expected", "95 % interval", "z"]
    rows = [
        [
            row.name, str(row.determined), str(row.observed), _number(row.expected, 1), _number(row.ratio),
            "-" if row.low is None else f"{_number(row.low)} - {_number(row.high)}", _number(row.z),
        ]
        for row in answer.companies
    ]  # fmt: skip
    return f"{_table(head, rows)}\ndispersion {_number(answer.dispersion)} {_BY_CHANCE}"


def _cusum(answer: Cusum) -> str:
    rows = [
        [
            row.name, str(row.weeks), _number(row.sites_a_week, 1), _number(row.w), _number(row.limit, 1),
            ", ".join(signal.week for signal in row.signals) or "none",
        ]
        for row in answer.companies
    ]  # fmt: skip
    known = "not known: no signals" if answer.correlation is None else _number(answer.correlation, 3)
    table = _table(["company", "weeks", "sites a week", "W", "limit", "signals"], rows)
    return f"{table}\ncorrelation of the sites of a week: {known}"


def _trend(answer: TrendStep) -> str:
    gap = f"median recheck gap {_number(answer.gap.before)} h, then {_number(answer.gap.after)} h"
    gap += ": changed by over 25 %, so that no behaviour is told" if answer.gap.changed else ""
    title = f"{answer.before} to {answer.after}\n{gap}"
    parts = answer.parts
    if parts is None:
        return f"{title}\none of the two has no mature episode"
    rows = [
        ["share before", _percent(parts.before), ""],
        ["share after", _percent(parts.after), ""],
        ["behaviour", _signed(answer.behaviour), _interval(answer.behaviour_low, answer.behaviour_high)],
        ["behaviour or observation", _signed(answer.behaviour_or_observation), ""],
        ["mix", _signed(parts.mix), _interval(parts.mix_low, parts.mix_high)],
        ["arrivals", _signed(parts.arrivals), ""],
        ["departures", _signed(parts.departures), ""],
        ["unnamed", _signed(parts.unnamed), ""],
    ]
    companies = [
        [each.name, each.kind, _signed(each.behaviour), _signed(each.weight), _gap(each.gap)]
        for each in answer.companies
    ]
    head = ["company", "kind", "behaviour", "mix, arrival, departure", "recheck gap h"]
    return f"{title}\n\n{_table(['part', 'points', '95 % interval'], rows)}\n\n{_table(head, companies)}"


def _gap(gap: GapChange) -> str:
    return f"{_number(gap.before)} - {_number(gap.after)}{' changed' if gap.changed else ''}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:+.3f} to {high:+.3f}"


def _clocks(answer: Clocks) -> str:
    head = ["clock", "items", "ended", "otherwise", "median h", "p90 h", "within 24 h", "within 168 h"]
    named = [f"{clock.name}: {clock.start} to {clock.end}{_otherwise(clock)}" for clock in answer.clocks]
    table = _table(head, map(_clock, answer.clocks))
    definitions = _table(["definition", "items", "figure"], _definitions(answer.definitions))
    return "\n\n".join((table, "\n".join(named), definitions))


def _clock(clock: Clock) -> list[str]:
    within = {point.hours: _percent(point.ended) for point in clock.points}
    competing = str(clock.competing) if clock.competing_cause else "-"
    hours = _number(clock.median_hours), _number(clock.p90_hours)
    shares = within.get(24.0, "-"), within.get(168.0, "-")
    return [clock.name, str(clock.items), str(clock.ended), competing, *hours, *shares]


def _definitions(public: PublicDefinitions) -> Iterator[list[str]]:
    for each in public.inhope:
        yield [f"INHOPE, {each.days} calendar days from receipt", str(each.items), _percent(each.share)]
    yield ["INHOPE, not removed", str(public.inhope_not_removed), "-"]
    yield ["eco, mean days to detected removal", str(public.eco_removed), _number(public.eco_mean_days)]
    for name, within in (*(("IWF", each) for each in public.iwf), ("TU Delft", public.tu_delft)):
        counts = f"{within.removed}/{within.items}"
        yield [f"{name}, within {within.hours} h of the notice", counts, _percent(within.share)]


def _otherwise(clock: Clock) -> str:
    return f"; otherwise: {clock.competing_cause}" if clock.competing_cause else ""


def _step_effects(answer: StepEffects) -> str:
    said = [", ".join(f"{company} from {quarter}" for company, quarter in answer.steps.items())]
    said += [_effect(name, effect) for name, effect in answer.effects.items()]
    moved = [
        f"{each.company}: moved away before {_countries(each.before)}, after {_countries(each.after)}"
        for each in answer.displacement
    ]
    return "\n\n".join((*said, "\n".join(moved)))


def _effect(name: str, found: StepEffect) -> str:
    from monitor.supplements.step_effect import LEAST_TREATED

    lines = [f"{name}: companies with a step {len(found.changes)}, without {found.controls}"]
    for word, effect in (("effect", found.effect), ("placebo, four quarters earlier", found.placebo)):
        if effect is not None:
            lines.append(f"  {word} {_signed(effect.value)}  95 % interval {_interval(effect.low, effect.high)}")
        else:
            lines.append(f"  no {word}: fewer than {LEAST_TREATED} companies")
    lines += [f"  change of {each.company}: {_signed(each.change)}" for each in found.changes]
    lines.append("  quarters from the step: " + ", ".join(f"{p.quarter} {_signed(p.difference)}" for p in found.events))
    if found.left_out:
        lines.append(f"  left out, for want of quarters or controls: {', '.join(found.left_out)}")
    return "\n".join(lines)


def _countries(moved: Mapping[str, int]) -> str:
    return ", ".join(f"{country or 'not known'} {episodes}" for country, episodes in moved.items()) or "nothing"
