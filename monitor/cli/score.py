"""`monitor score`, `monitor estimate` and `monitor facts`: the ranked table, from the facts or from files of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.orm import Session

from monitor.cli.runtime import ENGINE, INSTANT, METHOD, Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.formats.files import require_regular
from monitor.instants import iso, parse_period, quarter_of
from monitor.score.methods import method
from monitor.score.table import Estimate, Share, Table, Unreachable
from monitor.vocabulary import Kind
from monitor.wording.language import EN
from monitor.wording.words import reason_words

if TYPE_CHECKING:
    from monitor.score.explain import Breakdown, Change, CompetingExplanation, Explanation, Scenario
    from monitor.score.pipeline import Request

_IN_PERIOD = "was sent in this period, as far as is known: `monitor deliveries` lists what came in"
_IN_FILE = "is in this file"
_STANDINGS = {
    "meets": "meets the norm",
    "below": "below the norm",
    "not_proven": "not proven",
    "too_few": "too few to judge",
    "unreachable": "unreachable",
}


def describe_explanation(explanation: Explanation) -> str:
    """What the standing rests on, the scenarios in fixed-width columns, and what would have to be true."""
    title = (
        f"{explanation.company}: {_STANDINGS[explanation.scenarios[0].standing]}"
        f"  (norm {100 * explanation.target:.0f} % on time, method {explanation.method})"
    )
    note = [] if explanation.publishable else ["so few episodes that no figure of this company is published"]
    head = f"{'reading':28} {'sites':>7} {'mature':>8} {'on time':>8} {'late':>8}  {'share':>7}  {'interval':>17}"
    scenarios = [f"{head}  standing", *map(_scenario, explanation.scenarios)]
    return "\n\n".join(
        "\n".join(lines)
        for lines in ([title, *note], _makeup(explanation.makeup), scenarios, _changes(explanation.changes))
        if lines
    )


def describe_competing(explanation: CompetingExplanation) -> str:
    """The standing with its reasons, the episodes by outcome, and the figures that the standing rests on."""
    e, timing = explanation, explanation.on_time
    title = (
        f"{e.company}: {_STANDINGS[e.standing or 'not_proven']}"
        f"  (norm {100 * e.target:.0f} % on time, method {e.method})"
    )
    note = [] if e.publishable else ["so few episodes that no figure of this company is published"]
    reasons = reason_words(e.reasons, EN)
    rows: tuple[tuple[str, str], ...] = (
        ("estimate, which orders", _percent(timing.estimate)),
        ("strict reading, which proves meets", f"{_percent(timing.strict.p)}  {_interval(timing.strict)}"),
        ("lenient reading, which proves below", f"{_percent(timing.lenient.p)}  {_interval(timing.lenient)}"),
        ("followed up to the deadline", f"{_percent(timing.followed)}  {timing.mature} of {timing.older}"),
        ("over all cases", f"{_percent(timing.all_cases.low)} - {_percent(timing.all_cases.high)}"),
        ("notices refused or undeliverable", f"{_percent(e.unreachable.p)}  {_limits_of(e.unreachable)}"),
        ("rank", "-" if e.rank is None else f"{e.rank} ({e.rank_low} to {e.rank_high})"),
    )
    more = (
        ("gone before the notice", e.gone_before_notice),
        ("relocated", e.relocated),
        ("outstanding", e.outstanding),
        ("  overdue", e.overdue),
        ("  possibly overdue", e.possibly_overdue),
        ("items undelivered", e.items_undelivered),
    )
    counts = [*_makeup(e.makeup), *(f"{name:38} {count:>8}" for name, count in more)]
    figures = [f"{name:38} {value}" for name, value in rows]
    return "\n\n".join("\n".join(lines) for lines in ([title, *note, *reasons], counts, figures))


def _limits_of(found: Unreachable) -> str:
    return f"{_percent(found.low)} - {_percent(found.high)}  {found.refused} of {found.notices}"


def _makeup(makeup: Breakdown) -> list[str]:
    rows: tuple[tuple[str, int | None], ...] = (
        ("episodes", makeup.episodes),
        ("sites", makeup.sites),
        ("mature: their deadline has passed", makeup.mature),
        ("  on time", makeup.on_time),
        ("  late", makeup.late),
        ("  undetermined", makeup.undetermined),
        ("    the checks bracket the deadline", makeup.bracketed),
        ("    the checks stopped before it", makeup.stopped),
        ("    relocated in time", makeup.relocated_in_time),
        ("unverified", makeup.unverified),
        ("suspended for some time", makeup.suspended),
        ("reappeared", makeup.reappeared),
        ("mature on its largest site", makeup.largest_site_mature),
        ("  late on it", makeup.largest_site_late),
    )
    return [f"{name:38} {'-' if count is None else count:>8}" for name, count in rows]


def _scenario(row: Scenario) -> str:
    name = {
        "published": "as published",
        "strict": "strict reading",
        "deadline": f"deadline {row.deadline_hours or 0:g} h",
        "without_largest_site": "without its largest site",
    }[row.reading]
    counts = f"{row.sites:>7} {row.mature:>8} {row.on_time:>8} {row.late:>8}"
    return f"{name:28} {counts}  {_percent(row.share.p)}  {_interval(row.share)}  {_STANDINGS[row.standing]}"


def _changes(changes: tuple[Change, ...]) -> list[str]:
    title = "what would have to be true, on the site with most such episodes first"
    return [title, *map(_change, changes)] if changes else []


def _change(change: Change) -> str:
    name = f"{_STANDINGS[change.standing]}:"
    if change.late_episodes is None:
        return f"{name:16} no number of late episodes does it"
    which = "fewer" if change.late_episodes < 0 else "more"
    share = f"share {_percent(change.share.p)}, interval {_interval(change.share)}"
    return f"{name:16} {abs(change.late_episodes):>8} {which:5} late: {share}"


def _percent(share: float | None) -> str:
    return f"{'-':>7}" if share is None else f"{100 * share:5.1f} %"


def _interval(share: Share) -> str:
    return f"{_percent(share.low)} - {_percent(share.high)}"


@click.group()
def facts() -> None:
    """Export facts, to score them elsewhere.

    They hold numbers and states, no URL.
    """


@facts.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@click.option("--known-at", type=INSTANT, help="Only what was recorded by then (default: now).")
@json_option
def export(out: Path, known_at: int | None, as_json: bool) -> None:
    """Write the facts as Parquet, by quarter; score them with `monitor score --facts FOLDER --engine pyspark://...`."""
    from monitor.score.facts import write_export

    run = runtime()
    url = run.engine.url.render_as_string(hide_password=False)
    about = write_export(url, run.now() if known_at is None else known_at, out)
    rows = ", ".join(f"{count} {name}" for name, count in about["rows"].items())
    show(about, as_json, f"known at {about['known_at']}: {rows}")


EXPLAIN = click.option("--explain", "key", metavar="COMPANY", help="What this company's standing rests on, instead.")
CURVES = click.option("--curves", is_flag=True, help="With --json: the hourly curves too.")
KINDS = click.option(
    "--kinds",
    type=click.Choice([str(kind) for kind in Kind]),
    multiple=True,
    help="What begins an episode; more than once for more kinds (default: those of the method).",
)


@click.command()
@click.option("--period", required=True, help="2026Q2, or 2026-03-11..2026-04-11 (last day not included).")
@click.option("--as-of", type=INSTANT, help="Reference date (default: when the last delivery was received).")
@click.option("--known-at", type=INSTANT, help="Use only what was recorded by then (default: now).")
@METHOD
@ENGINE
@click.option("--facts", type=click.Path(path_type=Path), help="Score this export of facts, not the database.")
@KINDS
@EXPLAIN
@CURVES
@json_option
def score(
    period: str,
    as_of: int | None,
    known_at: int | None,
    version: str | None,
    engine_url: str | None,
    facts: Path | None,
    kinds: tuple[str, ...],
    key: str | None,
    curves: bool,
    as_json: bool,
) -> None:
    """Score a period and rank its companies, worst first.

    With `--kinds hash_hit` the table of the follow-up of hash hits, which a release has beside that of the notices.
    """
    from monitor.score.explain import explain_period
    from monitor.score.pipeline import score as score_period

    run = runtime()
    with transaction(run.engine) as session:
        request = asked(session, run, period, as_of, known_at, version, engine_url, facts)
        request = replace(request, kinds=kinds or None)
        answer = score_period(session, request) if key is None else explain_period(session, request, key)
    _show(answer, curves, as_json)


def scored(
    session: Session,
    run: Runtime,
    period: str,
    as_of: int | None,
    known_at: int | None,
    version: str | None,
    engine_url: str | None,
) -> Table:
    """The tables that the options of `release draft` ask for, with their defaults: that of the hash hits is inside."""
    from monitor.release.verify import compared_method
    from monitor.score.pipeline import score_for_release

    request = asked(session, run, period, as_of, known_at, version, engine_url)
    return score_for_release(session, replace(request, compared=compared_method(session, request.method)))


def asked(
    session: Session,
    run: Runtime,
    period: str,
    as_of: int | None,
    known_at: int | None,
    version: str | None,
    engine_url: str | None,
    facts: Path | None = None,
) -> Request:
    """What these options ask for, with their defaults; an export of facts knows until when it knows."""
    from monitor.score.facts import exported_at
    from monitor.score.pipeline import Request, last_delivery

    known = exported_at(facts) if facts else run.now() if known_at is None else known_at
    if facts and known_at not in (None, known):
        raise MonitorError(f"that export knows the facts of {iso(known)}; leave --known-at out")
    reference = last_delivery(session, known) if as_of is None else as_of
    engine = engine_url or run.settings.engine
    return Request(parse_period(period), reference, known, method(version), engine, facts)


@click.command()
@json_option
def project(as_json: bool) -> None:
    """Project the running quarter as it stands now: the score of this moment. The schedule does it every hour.

    The table is kept in the folder `projection` of the home folder, with what makes the next one quick. It is for the
    operator and the desk: it holds companies however small, and nothing of it is to be published.
    """
    from monitor.score.pipeline import Request
    from monitor.score.projection import project as project_period

    run = runtime()
    now = run.now()
    with transaction(run.engine) as session:
        found = project_period(session, Request(quarter_of(now), now, now, method()), run.settings.projection)
    made = "all" if found.anew is None else str(found.anew)
    table = found.table
    told = {"period": table.period, "as_of": table.as_of, "companies": len(table.companies), "made_anew": found.anew}
    show(
        told, as_json, f"{table.period} as of {table.as_of}: {len(table.companies)} companies; items made anew: {made}"
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--companies", type=click.Path(path_type=Path), help="The companies.csv that a release has beside FILE.")
@METHOD
@KINDS
@ENGINE
@EXPLAIN
@CURVES
@json_option
def estimate(
    file: Path,
    companies: Path | None,
    version: str | None,
    kinds: tuple[str, ...],
    engine_url: str | None,
    key: str | None,
    curves: bool,
    as_json: bool,
) -> None:
    """Recompute a table from episodes, so that anyone can check our numbers.

    FILE is CSV or Parquet with company, site, last_online_h, first_offline_h (empty: not removed) and followed_h.
    With the anonymised episodes of a release and its --companies the table is that of the release, to the last digit.
    """
    from monitor.score.explain import explain_file
    from monitor.score.pipeline import estimate_file
    from monitor.score.recompute import recompute

    for given in filter(None, (file, companies)):
        require_regular(given)
    rules, engine = method(version).of_kinds(kinds or None), engine_url or runtime().settings.engine
    if key is not None:
        _show(explain_file(file, key, rules, engine), curves, as_json)
        return
    table = recompute(file, companies, rules, engine) if companies else estimate_file(file, rules, engine)
    _show(replace(table, kinds=kinds or None), curves, as_json)


def _show(answer: Table | Explanation | CompetingExplanation, curves: bool, as_json: bool) -> None:
    from monitor.score.explain import CompetingExplanation, Explanation

    if isinstance(answer, Explanation):
        show(answer.as_json(), as_json, describe_explanation(answer))
    elif isinstance(answer, CompetingExplanation):
        show(answer.as_json(), as_json, describe_competing(answer))
    else:
        show(_json(answer, curves), as_json, describe(answer))


def _json(table: Table, curves: bool) -> dict[str, Any]:
    data = table.as_json()
    if not curves:
        for row in (*data["companies"], data["network"], data["rest"] or {}):
            row.pop("curve", None)
    return data


def describe(table: Table) -> str:
    """The table in fixed-width columns, for a terminal."""
    head = f"{'rank':>4}  {'company':44} {'episodes':>8} {'sites':>6}  {'on time':>15}  {'95 % interval':>15}  "
    head += f"{'median h':>9} {'open':>6} {'overdue':>7}  standing"
    rows = [_line(row) for row in (*table.companies, table.network)]
    rows = (
        rows
        if table.network.episodes
        else [f"no notice to a hosting company {_IN_PERIOD if table.period else _IN_FILE}"]
    )
    nobody = f"unattributed: {table.unattributed.episodes} episodes, counted in the network only"
    title = f"period {table.period}  as of {table.as_of}  method {table.method}" if table.period else ""
    title += f"  kinds {', '.join(table.kinds)}" if table.kinds else ""
    return "\n".join([title, head, *rows, nobody]).lstrip("\n")


def _line(row: Estimate) -> str:
    median = "-" if row.median_hours.value is None else f"{row.median_hours.value:.1f}"
    return (
        f"{row.rank or '':>4}  {row.name[:44]:44} {row.episodes:>8} {row.sites:>6}  "
        f"{_in_percent(row.on_time.strict.p)} - {_in_percent(row.on_time.lenient.p)}  {_limits(row.on_time.lenient)}  "
        f"{median:>9} {row.outstanding:>6} {row.overdue:>7}  {row.standing or ''}"
    )


def _in_percent(share: float | None) -> str:
    return "     -" if share is None else f"{100 * share:4.0f} %"


def _limits(share: Share) -> str:
    return f"{_in_percent(share.low)} - {_in_percent(share.high)}"
