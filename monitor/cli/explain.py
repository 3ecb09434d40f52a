"""How `--explain` is shown in a terminal."""

from __future__ import annotations

from monitor.score.explain import Breakdown, Change, Explanation, Scenario
from monitor.score.table import Share

_STANDINGS = {
    "meets": "meets the norm",
    "below": "below the norm",
    "not_proven": "not proven",
    "too_few": "too few to judge",
}


def describe(explanation: Explanation) -> str:
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
