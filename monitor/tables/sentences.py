"""The figures of one company in words, as lines and as sentences that say what was measured and never more."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.disclosure.network import Network
from monitor.disclosure.rows import Row, Unattributed
from monitor.figures import LINES
from monitor.score.methods import Method
from monitor.score.table import CompetingEstimate, Estimate, Quantile
from monitor.tables import competing_sentences as competing
from monitor.wording.language import Language, Message, Plural
from monitor.wording.readings import Reading


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure in words: its name, value, interval (or a dash) and meaning."""

    key: str
    name: str
    value: str
    interval: str
    help: str


def figure_lines(item: Estimate, language: Language) -> tuple[FigureLine, ...]:
    """All figures of a company, in the order of the page and the report."""
    lines = ((place.figure, place.figure.read(item, language)) for place in LINES if place.holds(item))
    return tuple(
        FigureLine(
            figure.key,
            language.gettext(figure.name),
            said.value,
            said.interval,
            language.gettext(figure.meaning(isinstance(item, CompetingEstimate))),
        )
        for figure, said in lines
    )


_MEETS = Message(
    "The lower bound of the 95% confidence interval is {low}. That is not under the norm of"
    " {target}: the measurements show that the company met the norm in this period."
)
_BELOW = Message(
    "The upper bound of the 95% confidence interval is {high}. That is under the norm of {target}:"
    " the measurements show that the company stayed below the norm in this period."
)
_NOT_PROVEN = Message(
    "The norm of {target} lies inside the 95% confidence interval from {low} to {high}. The"
    " measurements do not show that the company met the norm, nor that it stayed below it."
)
_NONE = Message("This release gives no judgement about the norm.")

_REASONS = {
    "withheld": Message("fewer than {below} episodes: no figures"),
    "episodes": Message("fewer than {minimum_episodes} episodes"),
    "sites": Message("fewer than {minimum_sites} sites"),
    "mature": Message("too few episodes whose deadline has passed"),
}


def what_was_measured(row: Row, language: Language) -> str:
    """The counts in words: episodes, and how many were on time, late or undetermined."""
    if row.figures is None:
        return language.gettext(
            "At {name}, fewer than {below} episodes were measured in this period. That is too few to say"
            " anything about it. That is why there are no figures here.",
            name=row.name,
            below=row.below,
        )
    item, timing = row.figures, row.figures.on_time
    parts = [
        language.gettext(
            "At {name}, {episodes} episodes were measured in this period, on {sites}.",
            name=row.name,
            episodes=language.count(item.episodes),
            sites=language.ngettext("{n} site", "{n} sites", item.sites),
        )
    ]
    if not timing.mature:
        return " ".join(
            [
                *parts,
                language.gettext(
                    "For none of these has the deadline passed; nothing can be said yet about on time or late."
                ),
            ]
        )
    counts = _counts(
        language, mature=timing.mature, on_time=timing.on_time, late=timing.late, undetermined=timing.undetermined
    )
    parts.append(
        language.gettext(
            "For {mature} of these the deadline of {deadline} has passed: {on_time} on time, {late} late"
            " and {undetermined} undetermined.",
            deadline=language.deadline(timing.deadline_hours),
            **counts,
        )
    )
    strict, lenient = (language.share(reading.p) for reading in (timing.strict, timing.lenient))
    parts.append(
        language.gettext(
            "The share on time is therefore {lenient}."
            if strict == lenient
            else "The share on time therefore lies between {strict} (strict reading) and {lenient} (lenient reading).",
            strict=strict,
            lenient=lenient,
        )
    )
    if isinstance(item, CompetingEstimate):
        parts += competing.estimated(item, language)
    return " ".join(parts)


def what_it_proves(row: Row, rules: Method, language: Language) -> str:
    """The standing in words, only where the interval itself supports it."""
    if rules.competing_risks and (row.figures is not None or row.standing == "unreachable"):
        return competing.proven(row, rules, language)
    if row.figures is None or row.standing == "too_few":
        return language.gettext(
            "A judgement needs at least {minimum_episodes} episodes and {minimum_sites} sites. This company"
            " has fewer and therefore gets no rank.",
            **_minimums(rules),
        )
    interval, target = row.figures.on_time.lenient, rules.target
    low, high = interval.low, interval.high
    said = {
        "meets": _MEETS if low is not None and low >= target else None,
        "below": _BELOW if high is not None and high < target else None,
        "not_proven": _NOT_PROVEN if low is not None and high is not None and low < target <= high else None,
    }.get(row.standing or "")
    bounds = {"low": language.share(low), "high": language.share(high)}
    return language.gettext(said or _NONE, target=language.percent(target), **bounds)


def place(item: Estimate, ranked: int, language: Language) -> str:
    """The rank with its interval in words; empty where there is no rank."""
    if item.rank is None:
        return ""
    if item.rank_low is None or item.rank_high is None:
        return language.gettext("Rank {rank} of {ranked}.", rank=item.rank, ranked=ranked)
    return language.gettext(
        "Rank {rank} of {ranked}; with 95% confidence {low} to {high}.",
        rank=item.rank,
        ranked=ranked,
        low=item.rank_low,
        high=item.rank_high,
    )


def why_unranked(row: Row, rules: Method, language: Language) -> str:
    """Why a company has no rank."""
    item = row.figures
    if isinstance(item, CompetingEstimate) and item.reasons:
        return competing.why_unranked(item, language)
    if item is None:
        reason = "withheld"
    elif item.episodes < rules.minimum_episodes:
        reason = "episodes"
    else:
        reason = "sites" if item.sites < rules.minimum_sites else "mature"
    return language.gettext(_REASONS[reason], below=row.below, **_minimums(rules))


def _minimums(rules: Method) -> dict[str, int]:
    return {"minimum_episodes": rules.minimum_episodes, "minimum_sites": rules.minimum_sites}


def _counts(language: Language, **values: int) -> dict[str, str]:
    return {name: language.count(value) for name, value in values.items()}


_NO_FIGURE = Message("With so few episodes chance can decide everything. That is why we publish no figure at all.")
_OPEN = Plural(
    "For {n} of the {mature} episodes the checks leave open whether it was gone before or after the deadline."
    " It never counts as late.",
    "For {n} of the {mature} episodes the checks leave open whether it was gone before or after the deadline."
    " These never count as late.",
)
_UNVERIFIED = Plural(
    "For {n} episode no removal is confirmed, but nobody has seen the material online for long either. It does"
    " not count as outstanding.",
    "For {n} episodes no removal is confirmed, but nobody has seen the material online for long either. These"
    " do not count as outstanding.",
)
_REAPPEARED = Plural(
    "For {n} episode the material seemed gone and was soon online again.",
    "For {n} episodes the material seemed gone and was soon online again.",
)
_RELOCATED = Plural(
    "For {n} episode the material moved to another company. That does not count as removed here.",
    "For {n} episodes the material moved to another company. That does not count as removed here.",
)
_REFUSED = Plural(
    "{n} notice was refused or undeliverable. No deadline runs for it.",
    "{n} notices were refused or undeliverable. No deadline runs for these.",
)
_UNATTRIBUTED = Plural(
    "{n} episode in this period could not be attributed to any company. It counts for no company.",
    "{n} episodes in this period could not be attributed to any company. They count for no company.",
)


def certainty(row: Row, unattributed: Unattributed, language: Language) -> tuple[str, ...]:
    """Sentences on what the figures of a company leave open, only those that apply."""
    item = row.figures
    if item is None:
        return (language.gettext(_NO_FIGURE),)
    is_competing = isinstance(item, CompetingEstimate)
    lines = (
        (competing.OPEN if is_competing else _OPEN, item.on_time.undetermined),
        (_UNVERIFIED, item.unverified),
        (_REAPPEARED, item.reappeared),
        (competing.RELOCATED if is_competing else _RELOCATED, item.relocated),
        (_REFUSED, item.refused),
        *_since_2026_2(item),
        (_UNATTRIBUTED, unattributed.episodes),
    )
    mature = language.count(item.on_time.mature)
    always = language.gettext(
        "Certain is: when a notice was sent, and when the material was still online at a check. When exactly it went is"
        " known only to lie between two checks."
    )
    grid = item.grid_seconds if isinstance(item, CompetingEstimate) else 0
    rounded = [language.gettext(competing.GRID, seconds=language.count(grid))] if grid else []
    return (always, *(language.ngettext(*text.forms, n, mature=mature) for text, n in lines if n), *rounded)


def _since_2026_2(item: Estimate) -> tuple[tuple[Plural, int], ...]:
    if not isinstance(item, CompetingEstimate):
        return ()
    return (competing.GONE, item.gone_before_notice), (competing.UNDELIVERED, item.items_undelivered)


def together(network: Network, language: Language) -> str:
    """Whose the shares and times of the network are: without the smallest companies where it leaves them out."""
    if network.gives_way:
        return language.gettext("the companies with figures together")
    return language.gettext("all together, also what belongs to no company")


def median_time(median: Quantile, deadline_hours: float, language: Language) -> Reading:
    """The median with its interval. Where that has the deadline inside, the number itself would say too much."""
    low, high = median.low, median.high
    interval = language.hours_range(low, high)
    crosses = (low is not None or high is not None) and (low or 0) < deadline_hours
    if crosses and (high is None or high > deadline_hours):
        return Reading(language.gettext("too uncertain"), interval)
    return Reading(language.reached(median.value), interval)
