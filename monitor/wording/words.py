"""The wording that site and report share: standings and kinds of notice.

The figures are in `monitor.figures`, the parameters of the method in `monitor.wording.parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from monitor.score.table import Standing
from monitor.wording.language import Message


@dataclass(frozen=True, slots=True)
class StandingWords:
    """How a standing is shown: its icon (a name in charts.ICONS), label and meaning."""

    icon: str
    label: Message
    meaning: Message


@dataclass(frozen=True, slots=True)
class Words:
    """The name of a figure or parameter, and one or two sentences on what it says."""

    name: Message
    help: Message


STANDINGS: Mapping[Standing, StandingWords] = MappingProxyType(
    {
        "meets": StandingWords(
            "check",
            Message("Meets the norm"),
            Message("Even the lower bound of the confidence interval reaches the norm."),
        ),
        "below": StandingWords(
            "cross",
            Message("Below the norm"),
            Message("Even the upper bound of the confidence interval stays below the norm."),
        ),
        "not_proven": StandingWords(
            "tilde",
            Message("Not proven"),
            Message("The norm lies inside the confidence interval: the measurements leave both sides open."),
        ),
        "too_few": StandingWords(
            "dash",
            Message("Too few to judge"),
            Message("There are too few episodes or too few sites for a judgement."),
        ),
    }
)

KINDS: Mapping[str, Message] = MappingProxyType(
    {
        "hotline_notice": Message("hotline notice"),
        "binding_instruction": Message("binding instruction"),
        "removal_order": Message("removal order"),
        "hash_hit": Message("follow-up of the hash service"),
    }
)
_UNREACHABLE = StandingWords(
    "cross",
    Message("Unreachable"),
    Message("Too many notices are refused or undeliverable, or no contact is known while something is outstanding."),
)
# With what a standing can be since method 2026.2. STANDINGS is what pages list, until they have it too.
STANDING_WORDS: Mapping[Standing, StandingWords] = MappingProxyType({**STANDINGS, "unreachable": _UNREACHABLE})
