"""Every published figure of a company, described once: pages, files, API, report and suppression iterate over FIGURES.

A new one is a field of `monitor.score.table.Estimate`, an entry of FIGURES, and its key in the lists at the end of
this file, which say where it stands and in which order (docs/adr/0032-registry-of-published-figures.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from monitor.competing_figures import COMPETING_FIGURES
from monitor.estimators.rounding import round_number
from monitor.score.methods import Method
from monitor.score.table import Estimate
from monitor.wording.language import Message
from monitor.wording.readings import Figure
from monitor.wording.words import Words

PER_ADDRESSES = 10_000


def volume(item: Estimate) -> float | None:
    """Episodes of the period per 10,000 announced IPv4 addresses; None where no address is known to be announced."""
    return round_number(item.episodes * PER_ADDRESSES / item.announced_ipv4) if item.announced_ipv4 else None


def legal_name(item: Estimate) -> str | None:
    """The name of the legal entity behind a company; None where it is not known or not told."""
    return item.legal.name if item.legal else None


def registration(item: Estimate) -> str | None:
    """Its number in the trade register; None where it is not known or not told."""
    return item.legal.registration if item.legal else None


_HOURS, _EPISODES, _NOTICES = Message("hours", "unit of a figure"), Message("episodes"), Message("notices")
_SHARE = Message("share from 0 to 1")
_LEFT = (
    Message("Not yet removed"),
    Message("Part of the reported material that was not yet gone after this time."),
)
_OUTSTANDING = (
    Message("Outstanding"),
    Message(
        "Episodes without a confirmed removal on the reference date, over all periods, seen online not long before."
        " 'Overdue': the deadline had passed by then."
    ),
)
_ALL = (
    Figure(
        key="company", field="company", type="text", disclosure="identity",
        name=Message("Company"),
        help=Message(
            "The hosting provider where the material stood. 'Via proxy': the company passes traffic on and"
            " may not itself be where the material stands."
        ),
        in_files=Words(
            Message("Key of the company"),
            Message("The company has this key in all files and periods. '(pooled)': what is not named."),
        ),
    ),
    Figure(
        key="name", field="name", type="text", disclosure="identity", sort="asc",
        name=Message("Name"),
        help=Message("The name of the company."),
        in_api=Message("The name as the release gives it."),
    ),
    Figure(
        key="legal_name", field="legal_name", type="text", disclosure="identity", get=legal_name, later="legal",
        name=Message("Legal name"),
        help=Message("The name of the legal entity behind the company. Empty: not known, or it is a natural person."),
    ),
    Figure(
        key="registration", field="registration", type="text", disclosure="identity", get=registration, later="legal",
        name=Message("Registration number"),
        help=Message(
            "The number of the legal entity in the trade register. Empty: not known, or it is a natural person."
        ),
    ),
    Figure(
        key="country", field="country", type="text", disclosure="identity",
        name=Message("Country"),
        help=Message("Country of seat (ISO 3166)."),
        in_api=Message("The country of the company, in two letters."),
    ),
    Figure(
        key="via_proxy", field="via_proxy", type="flag", disclosure="identity",
        name=Message("Via proxy"),
        help=Message("The company passes traffic on and may not itself be where the material stands."),
        in_api=Message("Whether the company passes traffic on and may itself not be where the material stands."),
    ),
    Figure(
        key="episodes", field="episodes", type="count", unit=_EPISODES, sort="desc",
        disclosure="total", total="episodes", groups=("timing", "volume"),
        name=Message("Episodes"),
        help=Message(
            "One piece of reported material at one company, from the first notice to its removal. Re-notices"
            " belong to the same episode."
        ),
    ),
    Figure(
        key="sites", field="sites", type="count", unit=Message("sites"), sort="desc",
        name=Message("Sites"),
        help=Message("Number of different sites on which the material stood."),
    ),
    Figure(
        key="notices", field="notices", type="count", unit=_NOTICES,
        disclosure="total", total="notices", groups=("volume",),
        name=Message("Notices"),
        help=Message("All notices sent, re-notices included."),
    ),
    Figure(
        key="renotices", field="renotices", type="count", unit=_NOTICES,
        disclosure="total", total="renotices", groups=("volume",),
        name=Message("Re-notices"),
        help=Message("Notices about an episode that was already running."),
    ),
    Figure(
        key="on_time", field="on_time", type="share", unit=_SHARE, sort="asc",
        name=Message("Share on time"),
        help=Message(
            "Part of the episodes in which the material was gone within the deadline. It is a range from the"
            " strict reading (undetermined does not count as on time) to the lenient reading (undetermined"
            " does not count as late)."
        ),
        since=Message(
            "Part of the episodes in which the material was gone within the deadline: the estimate, and between"
            " brackets the range from the strict reading (all doubt counts against the company) to the lenient reading"
            " (all doubt counts in its favour). The confidence interval runs from the lower limit of the strict reading"
            " to the upper limit of the lenient one."
        ),
    ),
    Figure(
        key="count_on_time", type="count", unit=_EPISODES, get=lambda item: item.on_time.on_time,
        disclosure="total", total="on_time", groups=("timing",),
        name=Message("On time"),
        help=Message("Confirmed offline within the deadline."),
    ),
    Figure(
        key="count_undetermined", type="count", unit=_EPISODES, get=lambda item: item.on_time.undetermined,
        disclosure="total", total="undetermined", groups=("timing",),
        name=Message("Undetermined"),
        help=Message(
            "The checks leave open whether it was gone before or after the deadline. This never counts as late."
        ),
    ),
    Figure(
        key="count_late", type="count", unit=_EPISODES, get=lambda item: item.on_time.late,
        disclosure="total", total="late", groups=("timing",),
        name=Message("Late"),
        help=Message("Seen online after the deadline."),
    ),
    Figure(
        key="change", type="change", unit=Message("percentage points"), sort="asc",
        name=Message("Change"),
        help=Message(
            "By how many percentage points the share on time (lenient reading) differs from the release"
            " before. It is only called better or worse where the confidence intervals do not overlap; else"
            " the difference may be due to chance."
        ),
        since=Message(
            "By how many percentage points the estimated share on time differs from the release before. It is only"
            " called better or worse where the confidence intervals do not overlap, whatever the checks did not see;"
            " else the difference may be due to chance."
        ),
    ),
    Figure(
        key="median", field="median_hours", type="quantile", unit=_HOURS, sort="desc",
        name=Message("Median time"),
        help=Message("The time to removal within which half of the reported material was gone."),
        since=Message(
            "The time within which half of the reported material was removed. What moved elsewhere was not removed."
        ),
    ),
    Figure(
        key="p90", field="p90_hours", type="quantile", unit=_HOURS,
        name=Message("90% removed after"),
        help=Message("The time within which the material was gone nine times out of ten."),
        since=Message(
            "The time within which the material was removed nine times out of ten. What moved elsewhere was not"
            " removed."
        ),
    ),
    Figure(
        key="mean_online", field="mean_online_hours_7d", type="bounds", unit=_HOURS,
        name=Message("Mean time online in 7 days"),
        help=Message("How many of the first 168 hours after the notice the material was still online on average."),
    ),
    Figure(
        key="survival", field="survival", type="curve", unit=_SHARE, name=_LEFT[0], help=_LEFT[1],
        in_api=Message("The share not yet removed, at fixed hours after the notice."),
    ),
    Figure(
        key="outstanding", field="outstanding", type="count", unit=_EPISODES, sort="desc",
        disclosure="total", total="outstanding", name=_OUTSTANDING[0], help=_OUTSTANDING[1],
        since=Message(
            "Episodes of the period without a confirmed removal on the reference date, seen online not long before."
            " 'Overdue': it was seen online after the deadline. 'Possibly overdue': the deadline has passed, and it"
            " was not seen online since."
        ),
    ),
    Figure(
        key="overdue", field="overdue", type="count", unit=_EPISODES, disclosure="total", total="overdue",
        name=Message("Overdue"),
        help=Message("Outstanding episodes whose deadline has passed."),
        since=Message("Outstanding episodes that were seen online after the deadline."),
    ),
    Figure(
        key="unverified", field="unverified", type="count", unit=_EPISODES, disclosure="total", total="unverified",
        name=Message("Unverified"),
        help=Message(
            "Episodes without a confirmed removal that nobody has seen online for long. Whether they are"
            " still there is not known; they do not count as outstanding."
        ),
    ),
    Figure(
        key="oldest", field="oldest_hours", type="age", unit=_HOURS,
        name=Message("Oldest outstanding"),
        help=Message("Time since the notice of the oldest episode that is still outstanding."),
    ),
    Figure(
        key="exposure", field="exposure_hours", type="hours", unit=_HOURS,
        name=Message("Hours online after notice"),
        help=Message("All hours together that reported material was still online."),
    ),
    Figure(
        key="relocated", field="relocated", type="count", unit=_EPISODES, disclosure="total", total="relocated",
        name=Message("Relocated"),
        help=Message(
            "Episodes that ended because the material moved to another company. This does not count as removed."
        ),
    ),
    Figure(
        key="reappeared", field="reappeared", type="count", unit=_EPISODES, disclosure="total", total="reappeared",
        name=Message("Reappeared"),
        help=Message("Episodes in which material seemed gone and was soon online again at the same company."),
    ),
    Figure(
        key="refused", field="refused", type="count", unit=_NOTICES, sort="desc", disclosure="total", total="refused",
        name=Message("Refused or undeliverable"),
        help=Message(
            "Notices that were refused or undeliverable. No deadline runs for these; they do not count in the"
            " share on time."
        ),
    ),
    Figure(
        key="outstanding_by_age", field="outstanding_by_age", type="ages", unit=_EPISODES,
        name=_OUTSTANDING[0], help=_OUTSTANDING[1],
        in_api=Message("The outstanding episodes by time since the notice."),
    ),
    Figure(
        key="curve", field="curve", type="curve", unit=_SHARE, name=_LEFT[0], help=_LEFT[1],
        in_api=Message("The share not yet removed, for every hour of the first week."),
    ),
    Figure(
        key="relocation", field="relocation", type="relocation", unit=_SHARE,
        name=Message("Relocated"),
        help=Message("Part of the reported material that had moved within this time."),
        in_api=Message("The relocated episodes by country, and which part had moved after so many hours."),
    ),
    Figure(
        key="score", field="score", type="decimal", unit=Message("from 0 to 100"),
        name=Message("Score"),
        help=Message(
            "The share on time from 0 to 100, estimated with care: with few data the score lies closer to"
            " that of all companies together."
        ),
        since=Message(
            "The estimated share on time from 0 to 100, drawn towards that of all companies where little is known."
        ),
    ),
    Figure(
        key="rank", field="rank", type="rank", sort="asc",
        name=Message("Rank"),
        help=Message(
            "Rank 1 is the company with the lowest score. Ranks beside it, where given, are also possible"
            " with 95% confidence."
        ),
        since=Message(
            "Rank 1 is the company with the lowest score. Ranks beside it are also possible with 95% confidence,"
            " whatever the checks did not see."
        ),
    ),
    Figure(
        key="rank_low", field="rank_low", type="count",
        name=Message("Rank, lower bound"),
        help=Message("The lowest rank possible with 95% confidence."),
        in_api=Message("The lowest rank that is also possible."),
    ),
    Figure(
        key="rank_high", field="rank_high", type="count",
        name=Message("Rank, upper bound"),
        help=Message("The highest rank possible with 95% confidence."),
        in_api=Message("The highest rank that is also possible."),
    ),
    Figure(
        key="band", field="band", type="text",
        name=Message("Band"),
        help=Message("Companies with the same letter cannot be told apart."),
        in_api=Message("Companies in the same band cannot be told apart."),
    ),
    Figure(
        key="standing", field="standing", type="standing", disclosure="identity", sort="asc",
        name=Message("Standing"),
        help=Message("What the measurements show about the norm, with 95% confidence."),
    ),
    Figure(
        key="announced_ipv4", field="announced_ipv4", type="count", unit=Message("IPv4 addresses"),
        name=Message("Announced IPv4 addresses"),
        help=Message("So many addresses were announced by the company's networks on the reference date."),
        in_api=Message("How many IPv4 addresses the network of the company announced on the reference date."),
    ),
    Figure(
        key="volume", field="volume", type="ratio", unit=_EPISODES, get=volume, sort="desc",
        name=Message("Episodes per 10,000 addresses"),
        help=Message(
            "Episodes per 10,000 IPv4 addresses that the company announced through internet routes on the reference"
            " date. This says something about size, nothing about speed. It counts in no score and no rank."
        ),
        in_files=Words(
            Message("Episodes per 10,000 addresses"),
            Message("Episodes divided by the number of announced IPv4 addresses, times 10,000."),
        ),
    ),
    *COMPETING_FIGURES,
)  # fmt: skip
FIGURES: Mapping[str, Figure] = MappingProxyType({figure.key: figure for figure in _ALL})


@dataclass(frozen=True, slots=True)
class Place:
    """A figure on a surface; an `optional` one (`?` in the lists below) only where the release has a value of it."""

    figure: Figure
    optional: bool

    def holds(self, item: Any) -> bool:
        """Whether it has something to say of an estimate, or of a row where it is part of the identity."""
        if self.figure.later:
            return self.figure.in_release(item)
        return not self.optional or self.figure.of(item) is not None


def figures_under(rules: Method, figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """Those of the figures that a company has under a method."""
    return tuple(figure for figure in figures if not figure.later or figure.later == "legal" or rules.competing_risks)


def _places(keys: str) -> tuple[Place, ...]:
    return tuple(Place(FIGURES[key.removesuffix("?")], key.endswith("?")) for key in keys.split())


def _figures(keys: str) -> tuple[Figure, ...]:
    return tuple(FIGURES[key] for key in keys.split())


_LATENESS = "count_on_time count_undetermined count_late"
_LINES = (
    "on_time followed all_cases median p90 not_removed_7d mean_online oldest exposure score? n_eff p_below bh episodes"
    " sites notices renotices outstanding overdue possibly_overdue unverified gone_before_notice relocated"
    " reappeared refused items_undelivered unreachable volume"
)
FILED = tuple(figure for figure in _ALL if figure.field)  # in JSON and CSV: identity first, then in this order
IDENTITY = tuple(figure for figure in FILED if figure.disclosure == "identity")
LATENESS: Mapping[str, Figure] = MappingProxyType({figure.total: figure for figure in _figures(_LATENESS)})
COLUMNS = _places("rank name standing on_time change? median outstanding refused episodes sites volume?")  # ranking
SORTS: Mapping[str, Figure] = MappingProxyType(
    {each.key: each for each in _figures("rank name on_time median outstanding refused episodes sites volume standing")}
)
SEARCHED = _figures("company name legal_name registration")  # what the search of the ranking looks in
TOTALS = _figures(  # the sums over companies, in the order of totals.csv
    f"episodes notices {_LATENESS} outstanding overdue refused renotices unverified relocated reappeared"
)
LEGAL = _figures("legal_name registration")  # below a company's name, on its page and in the report
TREND_COUNTS = _figures("episodes outstanding overdue")  # of a quarter in the file of the trend
MAIN_TOTALS = TOTALS[:8]  # in the table of the ranking page
LINES = _places(_LINES)  # "All figures" of a company's page
GROUP_COUNTS = _figures("episodes sites outstanding overdue possibly_overdue refused")  # of a group, on its line
BESIDE_OUTCOMES = _figures(
    "relocated reappeared unverified gone_before_notice refused items_undelivered"
)  # of the same page: what does not add up
HOURLY = _figures("removed_at moved_at online_at")  # what became of the material by fixed hours: they add up to 1
CHANGES = _places(  # what is compared of a company, in words
    "name legal_name registration country via_proxy rank standing direction reasons band"
    f" {_LATENESS} {_LINES} backlog removed_at moved_at online_at survival outstanding_by_age"
)
NETWORK_CHANGES = _figures(f"on_time followed median not_removed_7d {' '.join(figure.key for figure in TOTALS)}")
# Of the report: the totals, all companies together, companies with a rank in full, those without one, corrections,
# and what stays open.
REPORT_TOTALS = _figures(f"episodes notices {_LATENESS} outstanding refused")
KEY_FIGURES = _figures(
    "on_time followed median p90 not_removed_7d mean_online episodes notices renotices outstanding overdue relocated"
    " reappeared"
)
FULL_COUNTS = _figures(f"episodes sites {_LATENESS} outstanding overdue possibly_overdue refused relocated")
UNRANKED_COUNTS = _figures("episodes sites outstanding overdue possibly_overdue refused items_undelivered")
CORRECTED = _figures("name standing rank on_time median episodes outstanding refused")
UNMEASURED = _figures("count_undetermined unverified refused")
