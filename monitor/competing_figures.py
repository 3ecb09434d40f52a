"""The published figures that a company has since method 2026.2: entries of the registry (`monitor.figures`)."""

from __future__ import annotations

from monitor.wording.language import Message
from monitor.wording.readings import Figure

_COMPETING = "removed_at"  # a field of an estimate since method 2026.2, and of none before
_EPISODES, _SHARE = Message("episodes"), Message("share from 0 to 1")
COMPETING_FIGURES: tuple[Figure, ...] = (
    Figure(
        key="estimate", type="percent", unit=_SHARE, later=_COMPETING, get=lambda item: item.on_time.estimate,
        name=Message("Estimated share on time"),
        help=Message(
            "The share on time that fits best what the checks saw. It orders the companies. What moved in time counts"
            " neither way."
        ),
    ),
    Figure(
        key="followed", type="percent", unit=_SHARE, later=_COMPETING, get=lambda item: item.on_time.followed,
        name=Message("Followed up to the deadline"),
        help=Message(
            "Part of the episodes older than their deadline that could be followed up to it. To meet the norm it must"
            " be nearly all."
        ),
    ),
    Figure(
        key="all_cases", type="range", unit=_SHARE, later=_COMPETING, get=lambda item: item.on_time.all_cases,
        name=Message("Share on time over all cases"),
        help=Message(
            "The lowest and the highest share on time possible, with what could not be followed and what no notice"
            " reached counted too."
        ),
    ),
    Figure(
        key="possibly_overdue", field="possibly_overdue", type="count", unit=_EPISODES, later=_COMPETING,
        name=Message("Possibly overdue"),
        help=Message("Outstanding episodes whose deadline has passed and that were not seen online since."),
    ),
    Figure(
        key="gone_before_notice", field="gone_before_notice", type="count", unit=_EPISODES, later=_COMPETING,
        name=Message("Gone before the notice"),
        help=Message("Episodes whose material was already offline when the notice was sent. They count as on time."),
    ),
    Figure(
        key="items_undelivered", field="items_undelivered", type="count", unit=Message("items"), later=_COMPETING,
        name=Message("Items undelivered"),
        help=Message(
            "Material about which every notice in the period was refused or undeliverable. It has no episode."
        ),
    ),
    Figure(
        key="removed_at", field="removed_at", type="hourly", unit=_SHARE, later=_COMPETING,
        name=Message("Removed"),
        help=Message(
            "Part of the reported material removed within this time. With relocated and still online it is 1."
        ),
    ),
    Figure(
        key="moved_at", field="moved_at", type="hourly", unit=_SHARE, later=_COMPETING,
        name=Message("Relocated"),
        help=Message("Part of the reported material that had moved elsewhere within this time."),
    ),
    Figure(
        key="online_at", field="online_at", type="hourly", unit=_SHARE, later=_COMPETING,
        name=Message("Still online"),
        help=Message("Part of the reported material that was still online at the company after this time."),
    ),
    Figure(
        key="not_removed_7d", field="not_removed_7d", type="percent", unit=_SHARE, later=_COMPETING,
        name=Message("Not removed within 7 days"),
        help=Message("Part of the reported material that was not removed within 168 hours, relocated or not."),
    ),
    Figure(
        key="grid_seconds", field="grid_seconds", type="count", unit=Message("seconds"), later=_COMPETING,
        name=Message("Grid of times"),
        help=Message("To how many seconds the times of the estimate are rounded. 0: the times are exact."),
    ),
    Figure(
        key="unreachable", field="unreachable", type="unreachable", unit=_SHARE, later=_COMPETING,
        name=Message("Share refused or undeliverable"),
        help=Message("Part of the notices that was refused or undeliverable, each item at most once a day."),
    ),
    Figure(
        key="backlog", field="backlog", type="backlog", unit=_EPISODES, later=_COMPETING,
        name=Message("Outstanding since measuring began"),
        help=Message("What was outstanding on the reference date of all periods together."),
    ),
    Figure(
        key="n_eff", field="n_eff", type="decimal", unit=_EPISODES, later=_COMPETING,
        name=Message("Effective number of episodes"),
        help=Message("The estimate is worth so many independent episodes."),
    ),
    Figure(
        key="p_below", field="p_below", type="ratio", unit=Message("probability from 0 to 1"),
        later=_COMPETING,
        name=Message("Probability at the norm"),
        help=Message("The probability of at least so large a share late if the company exactly met the norm."),
    ),
    Figure(
        key="bh", field="bh", type="flag", unit=None, later=_COMPETING,
        name=Message("Below the norm, corrected too"),
        help=Message(
            "Below the norm also where at most 5% of the companies with this mark have it by chance (Benjamini and"
            " Hochberg)."
        ),
    ),
    Figure(
        key="proof", field="proof", type="standing", later=_COMPETING,
        name=Message("Proof"),
        help=Message("What is proven about the norm, apart from reachability and numbers."),
    ),
    Figure(
        key="direction", field="direction", type="direction", later=_COMPETING,
        name=Message("Direction"),
        help=Message(
            "above: even the strict reading reaches the norm. below: even the lenient one does not. open: the"
            " checks leave it open."
        ),
    ),
    Figure(
        key="reasons", field="reasons", type="reasons", unit=_EPISODES, later=_COMPETING,
        name=Message("Reasons"),
        help=Message("Why the standing is what it is: for each reason the number, and of what or against what."),
    ),
)  # fmt: skip
