"""The wording that site and report share, in Dutch and English: standings and kinds of notice.

The figures are in `monitor.figures`, the parameters of the method in `monitor.wording.parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from monitor.score.table import Standing

Language = Literal["nl", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One wording in both languages."""

    nl: str
    en: str

    def __getitem__(self, language: Language) -> str:
        """The wording in that language."""
        return self.nl if language == "nl" else self.en


@dataclass(frozen=True, slots=True)
class StandingWords:
    """How a standing is shown: its icon (a name in charts.ICONS), label and meaning."""

    icon: str
    label: Text
    meaning: Text


@dataclass(frozen=True, slots=True)
class Words:
    """The name of a figure or parameter, and one or two sentences on what it says."""

    name: Text
    help: Text


STANDINGS: Mapping[Standing, StandingWords] = MappingProxyType(
    {
        "meets": StandingWords(
            "check",
            Text("Voldoet aan de norm", "Meets the norm"),
            Text(
                "Ook de ondergrens van het betrouwbaarheidsinterval haalt de norm.",
                "Even the lower bound of the confidence interval reaches the norm.",
            ),
        ),
        "below": StandingWords(
            "cross",
            Text("Onder de norm", "Below the norm"),
            Text(
                "Ook de bovengrens van het betrouwbaarheidsinterval blijft onder de norm.",
                "Even the upper bound of the confidence interval stays below the norm.",
            ),
        ),
        "not_proven": StandingWords(
            "tilde",
            Text("Niet aangetoond", "Not proven"),
            Text(
                "De norm ligt binnen het betrouwbaarheidsinterval: de metingen laten beide kanten open.",
                "The norm lies inside the confidence interval: the measurements leave both sides open.",
            ),
        ),
        "too_few": StandingWords(
            "dash",
            Text("Te weinig om te oordelen", "Too few to judge"),
            Text(
                "Er zijn te weinig episodes of te weinig sites voor een oordeel.",
                "There are too few episodes or too few sites for a judgement.",
            ),
        ),
    }
)

KINDS: Mapping[str, Text] = MappingProxyType(
    {
        "hotline_notice": Text("melding van een meldpunt", "hotline notice"),
        "binding_instruction": Text("bindende aanwijzing", "binding instruction"),
        "removal_order": Text("verwijderingsbevel", "removal order"),
        "hash_hit": Text("opvolging van de hashcheckservice", "follow-up of the hash service"),
    }
)
_UNREACHABLE = StandingWords(
    "cross",
    Text("Onbereikbaar", "Unreachable"),
    Text(
        "Te veel meldingen zijn geweigerd of onbestelbaar, of er is geen contact bekend terwijl er iets openstaat.",
        "Too many notices are refused or undeliverable, or no contact is known while something is outstanding.",
    ),
)
# With what a standing can be since method 2026.2. STANDINGS is what pages list, until they have it too.
STANDING_WORDS: Mapping[Standing, StandingWords] = MappingProxyType({**STANDINGS, "unreachable": _UNREACHABLE})
