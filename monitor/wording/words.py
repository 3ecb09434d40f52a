"""The wording that site and report share, in Dutch and English: standings, figures with their help, parameters."""

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

FIGURES: Mapping[str, Words] = MappingProxyType(
    {
        "rank": Words(
            Text("Plaats", "Rank"),
            Text(
                "Plaats 1 is het bedrijf met de laagste score. Staan er plaatsen naast, dan zijn die met 95% zekerheid"
                " ook mogelijk.",
                "Rank 1 is the company with the lowest score. Ranks beside it, where given, are also possible with 95%"
                " confidence.",
            ),
        ),
        "company": Words(
            Text("Bedrijf", "Company"),
            Text(
                "De aanbieder van hostingdiensten waar het materiaal stond. 'Via proxy': het bedrijf geeft verkeer"
                " door en kan zelf niet de plek zijn waar het materiaal staat.",
                "The hosting provider where the material stood. 'Via proxy': the company passes traffic on and may"
                " not itself be where the material stands.",
            ),
        ),
        "on_time": Words(
            Text("Aandeel op tijd", "Share on time"),
            Text(
                "Deel van de episodes waarin het materiaal binnen de termijn weg was. Het is een bereik van de"
                " strenge lezing (onbepaald telt niet als op tijd) tot de gunstige lezing (onbepaald telt niet als"
                " te laat).",
                "Part of the episodes in which the material was gone within the deadline. It is a range from the"
                " strict reading (undetermined does not count as on time) to the lenient reading (undetermined does"
                " not count as late).",
            ),
        ),
        "median": Words(
            Text("Mediane tijd", "Median time"),
            Text(
                "De tijd tot verwijdering waarbinnen de helft van het gemelde materiaal weg was.",
                "The time to removal within which half of the reported material was gone.",
            ),
        ),
        "p90": Words(
            Text("90% verwijderd na", "90% removed after"),
            Text(
                "De tijd waarbinnen negen van de tien keer het materiaal weg was.",
                "The time within which the material was gone nine times out of ten.",
            ),
        ),
        "mean_online": Words(
            Text("Gemiddeld online in 7 dagen", "Mean time online in 7 days"),
            Text(
                "Hoeveel van de eerste 168 uur na de melding het materiaal gemiddeld nog online stond.",
                "How many of the first 168 hours after the notice the material was still online on average.",
            ),
        ),
        "outstanding": Words(
            Text("Openstaand", "Outstanding"),
            Text(
                "Episodes zonder bevestigde verwijdering op de peildatum, over alle perioden, die kort daarvoor nog"
                " online zijn gezien. 'Over tijd': de termijn was toen voorbij.",
                "Episodes without a confirmed removal on the reference date, over all periods, seen online not long"
                " before. 'Overdue': the deadline had passed by then.",
            ),
        ),
        "overdue": Words(
            Text("Over tijd", "Overdue"),
            Text(
                "Openstaande episodes waarvan de termijn voorbij is.",
                "Outstanding episodes whose deadline has passed.",
            ),
        ),
        "unverified": Words(
            Text("Niet meer gecontroleerd", "Unverified"),
            Text(
                "Episodes zonder bevestigde verwijdering die al lang niet meer online zijn gezien. Of ze er nog staan,"
                " is niet bekend; zij tellen niet mee als openstaand.",
                "Episodes without a confirmed removal that nobody has seen online for long. Whether they are still"
                " there is not known; they do not count as outstanding.",
            ),
        ),
        "oldest": Words(
            Text("Oudste openstaande", "Oldest outstanding"),
            Text(
                "Tijd sinds de melding van de oudste episode die nog openstaat.",
                "Time since the notice of the oldest episode that is still outstanding.",
            ),
        ),
        "refused": Words(
            Text("Niet aangenomen", "Not accepted"),
            Text(
                "Meldingen die geweigerd werden of onbestelbaar waren. Hiervoor loopt geen termijn; zij tellen niet"
                " mee in het aandeel op tijd.",
                "Notices that were refused or undeliverable. No deadline runs for these; they do not count in the"
                " share on time.",
            ),
        ),
        "episodes": Words(
            Text("Episodes", "Episodes"),
            Text(
                "Eén stuk gemeld materiaal bij één bedrijf, van de eerste melding tot de verwijdering. Herinneringen"
                " horen bij dezelfde episode.",
                "One piece of reported material at one company, from the first notice to its removal. Re-notices"
                " belong to the same episode.",
            ),
        ),
        "sites": Words(
            Text("Sites", "Sites"),
            Text(
                "Aantal verschillende sites waarop het materiaal stond.",
                "Number of different sites on which the material stood.",
            ),
        ),
        "volume": Words(
            Text("Episodes per 10.000 adressen", "Episodes per 10,000 addresses"),
            Text(
                "Episodes per 10.000 IPv4-adressen die het bedrijf op de peildatum via internetroutes bekendmaakte. Dit"
                " zegt iets over de omvang, niets over de snelheid. Het telt niet mee in score of plaats.",
                "Episodes per 10,000 IPv4 addresses that the company announced through internet routes on the reference"
                " date. This says something about size, nothing about speed. It counts in no score and no rank.",
            ),
        ),
        "notices": Words(
            Text("Meldingen", "Notices"),
            Text("Alle verstuurde meldingen, met de herinneringen.", "All notices sent, re-notices included."),
        ),
        "renotices": Words(
            Text("Herinneringen", "Re-notices"),
            Text("Meldingen over een episode die al liep.", "Notices about an episode that was already running."),
        ),
        "relocated": Words(
            Text("Verplaatst", "Relocated"),
            Text(
                "Episodes die eindigden doordat het materiaal naar een ander bedrijf verhuisde. Dit telt niet als"
                " verwijderd.",
                "Episodes that ended because the material moved to another company. This does not count as removed.",
            ),
        ),
        "reappeared": Words(
            Text("Opnieuw online", "Reappeared"),
            Text(
                "Episodes waarin materiaal weg leek en kort daarna weer online stond bij hetzelfde bedrijf.",
                "Episodes in which material seemed gone and was soon online again at the same company.",
            ),
        ),
        "exposure": Words(
            Text("Uren online na melding", "Hours online after notice"),
            Text(
                "Alle uren bij elkaar dat gemeld materiaal nog online stond.",
                "All hours together that reported material was still online.",
            ),
        ),
        "score": Words(
            Text("Score", "Score"),
            Text(
                "Het aandeel op tijd van 0 tot 100, voorzichtig geschat: bij weinig gegevens ligt de score dichter bij"
                " die van alle bedrijven samen.",
                "The share on time from 0 to 100, estimated with care: with few data the score lies closer to that"
                " of all companies together.",
            ),
        ),
        "standing": Words(
            Text("Status", "Standing"),
            Text(
                "Wat de metingen over de norm aantonen, met 95% zekerheid.",
                "What the measurements prove about the norm, with 95% confidence.",
            ),
        ),
    }
)

LATENESS: Mapping[str, Words] = MappingProxyType(
    {
        "on_time": Words(
            Text("Op tijd", "On time"),
            Text("Binnen de termijn offline bevestigd.", "Confirmed offline within the deadline."),
        ),
        "undetermined": Words(
            Text("Onbepaald", "Undetermined"),
            Text(
                "De controles laten open of het voor of na de termijn weg was. Dit telt nooit als te laat.",
                "The checks leave open whether it was gone before or after the deadline. This never counts as late.",
            ),
        ),
        "late": Words(
            Text("Te laat", "Late"),
            Text("Na de termijn nog online gezien.", "Seen online after the deadline."),
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
