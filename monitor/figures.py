"""Every published figure of a company, described once: pages, files, API, report and suppression iterate over FIGURES.

A new one is a field of `monitor.score.table.Estimate`, an entry of FIGURES, and its key in the lists at the end of
this file, which say where it stands and in which order (docs/adr/0032-registry-of-published-figures.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from monitor.competing_figures import COMPETING_FIGURES
from monitor.estimators.rounding import round_number
from monitor.score.table import Estimate
from monitor.wording.readings import Figure
from monitor.wording.words import Text, Words

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


_HOURS, _EPISODES, _NOTICES = Text("uren", "hours"), Text("episodes", "episodes"), Text("meldingen", "notices")
_SHARE = Text("aandeel van 0 tot 1", "share from 0 to 1")
_LEFT = Text("Nog niet verwijderd", "Not yet removed"), Text(
    "Deel van het gemelde materiaal dat na deze tijd nog niet weg was.",
    "Part of the reported material that was not yet gone after this time.",
)  # fmt: skip
_OUTSTANDING = Text("Openstaand", "Outstanding"), Text(
    "Episodes zonder bevestigde verwijdering op de peildatum, over alle perioden, die kort daarvoor nog online zijn"
    " gezien. 'Over tijd': de termijn was toen voorbij.",
    "Episodes without a confirmed removal on the reference date, over all periods, seen online not long before."
    " 'Overdue': the deadline had passed by then.",
)  # fmt: skip
_ALL = (
    Figure(
        key="company", field="company", type="text", disclosure="identity",
        name=Text("Bedrijf", "Company"),
        help=Text(
            "De aanbieder van hostingdiensten waar het materiaal stond. 'Via proxy': het bedrijf geeft verkeer door en"
            " kan zelf niet de plek zijn waar het materiaal staat.",
            "The hosting provider where the material stood. 'Via proxy': the company passes traffic on and may not"
            " itself be where the material stands.",
        ),
        in_files=Words(
            Text("Kenmerk van het bedrijf", "Key of the company"),
            Text(
                "Onder dit kenmerk heet het bedrijf in alle bestanden en perioden. '(pooled)': wat niet bij naam"
                " staat.",
                "The company has this key in all files and periods. '(pooled)': what is not named.",
            ),
        ),
    ),
    Figure(
        key="name", field="name", type="text", disclosure="identity", sort="asc",
        name=Text("Naam", "Name"),
        help=Text("De naam van het bedrijf.", "The name of the company."),
        in_api=Text("De naam zoals de publicatie hem noemt.", "The name as the release gives it."),
    ),
    Figure(
        key="legal_name", field="legal_name", type="text", disclosure="identity", get=legal_name, later="legal",
        name=Text("Statutaire naam", "Legal name"),
        help=Text(
            "De naam van de rechtspersoon achter het bedrijf. Leeg: niet bekend, of het is een natuurlijk persoon.",
            "The name of the legal entity behind the company. Empty: not known, or it is a natural person.",
        ),
    ),
    Figure(
        key="registration", field="registration", type="text", disclosure="identity", get=registration, later="legal",
        name=Text("Handelsregisternummer", "Registration number"),
        help=Text(
            "Het nummer van de rechtspersoon in het handelsregister. Leeg: niet bekend, of het is een natuurlijk"
            " persoon.",
            "The number of the legal entity in the trade register. Empty: not known, or it is a natural person.",
        ),
    ),
    Figure(
        key="country", field="country", type="text", disclosure="identity",
        name=Text("Land", "Country"),
        help=Text("Land van vestiging (ISO 3166).", "Country of seat (ISO 3166)."),
        in_api=Text("Het land van het bedrijf, in twee letters.", "The country of the company, in two letters."),
    ),
    Figure(
        key="via_proxy", field="via_proxy", type="flag", disclosure="identity",
        name=Text("Via proxy", "Via proxy"),
        help=Text(
            "Het bedrijf geeft verkeer door en kan zelf niet de plek zijn waar het materiaal staat.",
            "The company passes traffic on and may not itself be where the material stands.",
        ),
        in_api=Text(
            "Of het bedrijf verkeer doorgeeft en zelf misschien niet de plek van het materiaal is.",
            "Whether the company passes traffic on and may itself not be where the material stands.",
        ),
    ),
    Figure(
        key="episodes", field="episodes", type="count", unit=_EPISODES, sort="desc",
        disclosure="total", total="episodes", groups=("timing", "volume"),
        name=Text("Episodes", "Episodes"),
        help=Text(
            "Eén stuk gemeld materiaal bij één bedrijf, van de eerste melding tot de verwijdering. Herinneringen horen"
            " bij dezelfde episode.",
            "One piece of reported material at one company, from the first notice to its removal. Re-notices belong to"
            " the same episode.",
        ),
    ),
    Figure(
        key="sites", field="sites", type="count", unit=Text("sites", "sites"), sort="desc",
        name=Text("Sites", "Sites"),
        help=Text(
            "Aantal verschillende sites waarop het materiaal stond.",
            "Number of different sites on which the material stood.",
        ),
    ),
    Figure(
        key="notices", field="notices", type="count", unit=_NOTICES,
        disclosure="total", total="notices", groups=("volume",),
        name=Text("Meldingen", "Notices"),
        help=Text("Alle verstuurde meldingen, met de herinneringen.", "All notices sent, re-notices included."),
    ),
    Figure(
        key="renotices", field="renotices", type="count", unit=_NOTICES,
        disclosure="total", total="renotices", groups=("volume",),
        name=Text("Herinneringen", "Re-notices"),
        help=Text("Meldingen over een episode die al liep.", "Notices about an episode that was already running."),
    ),
    Figure(
        key="on_time", field="on_time", type="share", unit=_SHARE, sort="asc",
        name=Text("Aandeel op tijd", "Share on time"),
        help=Text(
            "Deel van de episodes waarin het materiaal binnen de termijn weg was. Het is een bereik van de strenge"
            " lezing (onbepaald telt niet als op tijd) tot de gunstige lezing (onbepaald telt niet als te laat).",
            "Part of the episodes in which the material was gone within the deadline. It is a range from the strict"
            " reading (undetermined does not count as on time) to the lenient reading (undetermined does not count as"
            " late).",
        ),
    ),
    Figure(
        key="count_on_time", type="count", unit=_EPISODES, get=lambda item: item.on_time.on_time,
        disclosure="total", total="on_time", groups=("timing",),
        name=Text("Op tijd", "On time"),
        help=Text("Binnen de termijn offline bevestigd.", "Confirmed offline within the deadline."),
    ),
    Figure(
        key="count_undetermined", type="count", unit=_EPISODES, get=lambda item: item.on_time.undetermined,
        disclosure="total", total="undetermined", groups=("timing",),
        name=Text("Onbepaald", "Undetermined"),
        help=Text(
            "De controles laten open of het voor of na de termijn weg was. Dit telt nooit als te laat.",
            "The checks leave open whether it was gone before or after the deadline. This never counts as late.",
        ),
    ),
    Figure(
        key="count_late", type="count", unit=_EPISODES, get=lambda item: item.on_time.late,
        disclosure="total", total="late", groups=("timing",),
        name=Text("Te laat", "Late"),
        help=Text("Na de termijn nog online gezien.", "Seen online after the deadline."),
    ),
    Figure(
        key="change", type="change", unit=Text("procentpunt", "percentage points"), sort="asc",
        name=Text("Verandering", "Change"),
        help=Text(
            "Hoeveel procentpunt het aandeel op tijd (gunstige lezing) verschilt van de vorige publicatie. Beter of"
            " slechter staat er alleen waar de betrouwbaarheidsintervallen elkaar niet raken. Anders kan het toeval"
            " zijn.",
            "By how many percentage points the share on time (lenient reading) differs from the release before. It is"
            " only called better or worse where the confidence intervals do not overlap; else the difference can be"
            " chance.",
        ),
    ),
    Figure(
        key="median", field="median_hours", type="quantile", unit=_HOURS, sort="desc",
        name=Text("Mediane tijd", "Median time"),
        help=Text(
            "De tijd tot verwijdering waarbinnen de helft van het gemelde materiaal weg was.",
            "The time to removal within which half of the reported material was gone.",
        ),
    ),
    Figure(
        key="p90", field="p90_hours", type="quantile", unit=_HOURS,
        name=Text("90% verwijderd na", "90% removed after"),
        help=Text(
            "De tijd waarbinnen negen van de tien keer het materiaal weg was.",
            "The time within which the material was gone nine times out of ten.",
        ),
    ),
    Figure(
        key="mean_online", field="mean_online_hours_7d", type="bounds", unit=_HOURS,
        name=Text("Gemiddeld online in 7 dagen", "Mean time online in 7 days"),
        help=Text(
            "Hoeveel van de eerste 168 uur na de melding het materiaal gemiddeld nog online stond.",
            "How many of the first 168 hours after the notice the material was still online on average.",
        ),
    ),
    Figure(
        key="survival", field="survival", type="curve", unit=_SHARE, name=_LEFT[0], help=_LEFT[1],
        in_api=Text(
            "Het aandeel dat nog niet verwijderd was, op vaste uren na de melding.",
            "The share not yet removed, at fixed hours after the notice.",
        ),
    ),
    Figure(
        key="outstanding", field="outstanding", type="count", unit=_EPISODES, sort="desc",
        disclosure="total", total="outstanding", name=_OUTSTANDING[0], help=_OUTSTANDING[1],
    ),
    Figure(
        key="overdue", field="overdue", type="count", unit=_EPISODES, disclosure="total", total="overdue",
        name=Text("Over tijd", "Overdue"),
        help=Text(
            "Openstaande episodes waarvan de termijn voorbij is.", "Outstanding episodes whose deadline has passed."
        ),
    ),
    Figure(
        key="unverified", field="unverified", type="count", unit=_EPISODES, disclosure="total", total="unverified",
        name=Text("Niet meer gecontroleerd", "Unverified"),
        help=Text(
            "Episodes zonder bevestigde verwijdering die al lang niet meer online zijn gezien. Of ze er nog staan, is"
            " niet bekend; zij tellen niet mee als openstaand.",
            "Episodes without a confirmed removal that nobody has seen online for long. Whether they are still there is"
            " not known; they do not count as outstanding.",
        ),
    ),
    Figure(
        key="oldest", field="oldest_hours", type="age", unit=_HOURS,
        name=Text("Oudste openstaande", "Oldest outstanding"),
        help=Text(
            "Tijd sinds de melding van de oudste episode die nog openstaat.",
            "Time since the notice of the oldest episode that is still outstanding.",
        ),
    ),
    Figure(
        key="exposure", field="exposure_hours", type="hours", unit=_HOURS,
        name=Text("Uren online na melding", "Hours online after notice"),
        help=Text(
            "Alle uren bij elkaar dat gemeld materiaal nog online stond.",
            "All hours together that reported material was still online.",
        ),
    ),
    Figure(
        key="relocated", field="relocated", type="count", unit=_EPISODES, disclosure="total", total="relocated",
        name=Text("Verplaatst", "Relocated"),
        help=Text(
            "Episodes die eindigden doordat het materiaal naar een ander bedrijf verhuisde. Dit telt niet als"
            " verwijderd.",
            "Episodes that ended because the material moved to another company. This does not count as removed.",
        ),
    ),
    Figure(
        key="reappeared", field="reappeared", type="count", unit=_EPISODES, disclosure="total", total="reappeared",
        name=Text("Opnieuw online", "Reappeared"),
        help=Text(
            "Episodes waarin materiaal weg leek en kort daarna weer online stond bij hetzelfde bedrijf.",
            "Episodes in which material seemed gone and was soon online again at the same company.",
        ),
    ),
    Figure(
        key="refused", field="refused", type="count", unit=_NOTICES, sort="desc", disclosure="total", total="refused",
        name=Text("Niet aangenomen", "Not accepted"),
        help=Text(
            "Meldingen die geweigerd werden of onbestelbaar waren. Hiervoor loopt geen termijn; zij tellen niet mee in"
            " het aandeel op tijd.",
            "Notices that were refused or undeliverable. No deadline runs for these; they do not count in the share on"
            " time.",
        ),
    ),
    Figure(
        key="outstanding_by_age", field="outstanding_by_age", type="ages", unit=_EPISODES,
        name=_OUTSTANDING[0], help=_OUTSTANDING[1],
        in_api=Text(
            "De openstaande episodes naar tijd sinds de melding.", "The outstanding episodes by time since the notice."
        ),
    ),
    Figure(
        key="curve", field="curve", type="curve", unit=_SHARE, name=_LEFT[0], help=_LEFT[1],
        in_api=Text(
            "Het aandeel dat nog niet verwijderd was, voor elk uur van de eerste week.",
            "The share not yet removed, for every hour of the first week.",
        ),
    ),
    Figure(
        key="relocation", field="relocation", type="relocation", unit=_SHARE,
        name=Text("Verplaatst", "Relocated"),
        help=Text(
            "Deel van het gemelde materiaal dat binnen deze tijd verhuisd was.",
            "Part of the reported material that had moved within this time.",
        ),
        in_api=Text(
            "De verplaatste episodes naar land, en welk deel na zoveel uur verplaatst was.",
            "The relocated episodes by country, and which part had moved after so many hours.",
        ),
    ),
    Figure(
        key="score", field="score", type="decimal", unit=Text("van 0 tot 100", "from 0 to 100"),
        name=Text("Score", "Score"),
        help=Text(
            "Het aandeel op tijd van 0 tot 100, voorzichtig geschat: bij weinig gegevens ligt de score dichter bij die"
            " van alle bedrijven samen.",
            "The share on time from 0 to 100, estimated with care: with few data the score lies closer to that of all"
            " companies together.",
        ),
    ),
    Figure(
        key="rank", field="rank", type="rank", sort="asc",
        name=Text("Plaats", "Rank"),
        help=Text(
            "Plaats 1 is het bedrijf met de laagste score. Staan er plaatsen naast, dan zijn die met 95% zekerheid ook"
            " mogelijk.",
            "Rank 1 is the company with the lowest score. Ranks beside it, where given, are also possible with 95%"
            " confidence.",
        ),
    ),
    Figure(
        key="rank_low", field="rank_low", type="count",
        name=Text("Plaats, ondergrens", "Rank, lower bound"),
        help=Text(
            "De laagste plaats die met 95% zekerheid mogelijk is.", "The lowest rank possible with 95% confidence."
        ),
        in_api=Text("De laagste plaats die ook mogelijk is.", "The lowest rank that is also possible."),
    ),
    Figure(
        key="rank_high", field="rank_high", type="count",
        name=Text("Plaats, bovengrens", "Rank, upper bound"),
        help=Text(
            "De hoogste plaats die met 95% zekerheid mogelijk is.", "The highest rank possible with 95% confidence."
        ),
        in_api=Text("De hoogste plaats die ook mogelijk is.", "The highest rank that is also possible."),
    ),
    Figure(
        key="band", field="band", type="text",
        name=Text("Groep", "Band"),
        help=Text(
            "Bedrijven met dezelfde letter zijn niet van elkaar te onderscheiden.",
            "Companies with the same letter cannot be told apart.",
        ),
        in_api=Text(
            "Bedrijven in dezelfde groep zijn niet van elkaar te onderscheiden.",
            "Companies in the same band cannot be told apart.",
        ),
    ),
    Figure(
        key="standing", field="standing", type="standing", disclosure="identity", sort="asc",
        name=Text("Status", "Standing"),
        help=Text(
            "Wat de metingen over de norm aantonen, met 95% zekerheid.",
            "What the measurements prove about the norm, with 95% confidence.",
        ),
    ),
    Figure(
        key="announced_ipv4", field="announced_ipv4", type="count", unit=Text("IPv4-adressen", "IPv4 addresses"),
        name=Text("Aangekondigde IPv4-adressen", "Announced IPv4 addresses"),
        help=Text(
            "Zoveel adressen kondigden de netwerken van het bedrijf aan op de peildatum.",
            "So many addresses were announced by the company's networks on the reference date.",
        ),
        in_api=Text(
            "Hoeveel IPv4-adressen het netwerk van het bedrijf aankondigde op de peildatum.",
            "How many IPv4 addresses the network of the company announced on the reference date.",
        ),
    ),
    Figure(
        key="volume", field="volume", type="ratio", unit=_EPISODES, get=volume, sort="desc",
        name=Text("Episodes per 10.000 adressen", "Episodes per 10,000 addresses"),
        help=Text(
            "Episodes per 10.000 IPv4-adressen die het bedrijf op de peildatum via internetroutes bekendmaakte. Dit"
            " zegt iets over de omvang, niets over de snelheid. Het telt niet mee in score of plaats.",
            "Episodes per 10,000 IPv4 addresses that the company announced through internet routes on the reference"
            " date. This says something about size, nothing about speed. It counts in no score and no rank.",
        ),
        in_files=Words(
            Text("Episodes per 10.000 adressen", "Episodes per 10,000 addresses"),
            Text(
                "Episodes gedeeld door het aantal aangekondigde IPv4-adressen, maal 10.000.",
                "Episodes divided by the number of announced IPv4 addresses, times 10,000.",
            ),
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


def _places(keys: str) -> tuple[Place, ...]:
    return tuple(Place(FIGURES[key.removesuffix("?")], key.endswith("?")) for key in keys.split())


def _figures(keys: str) -> tuple[Figure, ...]:
    return tuple(FIGURES[key] for key in keys.split())


_LATENESS = "count_on_time count_undetermined count_late"
_LINES = (
    "on_time median p90 mean_online oldest exposure score? episodes sites notices renotices outstanding overdue"
    " unverified relocated reappeared refused volume"
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
MAIN_TOTALS = TOTALS[:8]  # in the table of the ranking page
LINES = _places(_LINES)  # "All figures" of a company's page
BESIDE_OUTCOMES = _figures("relocated reappeared unverified refused")  # of the same page: what does not add up
CHANGES = _places(  # what is compared of a company, in words
    "name legal_name registration country via_proxy rank standing band"
    f" {_LATENESS} {_LINES} survival outstanding_by_age"
)
NETWORK_CHANGES = _figures(f"on_time median {' '.join(figure.key for figure in TOTALS)}")
# Of the report: the totals, all companies together, companies with a rank in full, those without one, corrections,
# and what stays open.
REPORT_TOTALS = _figures(f"episodes notices {_LATENESS} outstanding refused")
KEY_FIGURES = _figures(
    "on_time median p90 mean_online episodes notices renotices outstanding overdue relocated reappeared"
)
FULL_COUNTS = _figures(f"episodes sites {_LATENESS} outstanding overdue refused relocated")
UNRANKED_COUNTS = _figures("episodes sites outstanding overdue refused")
CORRECTED = _figures("name standing rank on_time median episodes outstanding refused")
UNMEASURED = _figures("count_undetermined unverified refused")
