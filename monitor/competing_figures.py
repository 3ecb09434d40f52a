"""The published figures that a company has since method 2026.2: entries of the registry (`monitor.figures`)."""

from __future__ import annotations

from monitor.wording.readings import Figure
from monitor.wording.words import Text

_COMPETING = "removed_at"  # a field of an estimate since method 2026.2, and of none before
_EPISODES, _SHARE = Text("episodes", "episodes"), Text("aandeel van 0 tot 1", "share from 0 to 1")
COMPETING_FIGURES: tuple[Figure, ...] = (
    Figure(
        key="possibly_overdue", field="possibly_overdue", type="count", unit=_EPISODES, later=_COMPETING,
        name=Text("Mogelijk over tijd", "Possibly overdue"),
        help=Text(
            "Openstaande episodes waarvan de termijn voorbij is en die sindsdien niet online zijn gezien.",
            "Outstanding episodes whose deadline has passed and that were not seen online since.",
        ),
    ),
    Figure(
        key="gone_before_notice", field="gone_before_notice", type="count", unit=_EPISODES, later=_COMPETING,
        name=Text("Weg voor de melding", "Gone before the notice"),
        help=Text(
            "Episodes waarvan het materiaal al offline was toen de melding werd verstuurd. Zij tellen als op tijd.",
            "Episodes whose material was already offline when the notice was sent. They count as on time.",
        ),
    ),
    Figure(
        key="items_undelivered", field="items_undelivered", type="count", unit=Text("items", "items"), later=_COMPETING,
        name=Text("Niet afgeleverde items", "Items undelivered"),
        help=Text(
            "Materiaal waarover elke melding in de periode geweigerd of onbestelbaar was. Hiervoor is er geen episode.",
            "Material about which every notice in the period was refused or undeliverable. It has no episode.",
        ),
    ),
    Figure(
        key="removed_at", field="removed_at", type="hourly", unit=_SHARE, later=_COMPETING,
        name=Text("Verwijderd", "Removed"),
        help=Text(
            "Deel van het gemelde materiaal dat binnen deze tijd verwijderd was. Met verplaatst en nog online is"
            " dit 1.",
            "Part of the reported material removed within this time. With relocated and still online it is 1.",
        ),
    ),
    Figure(
        key="moved_at", field="moved_at", type="hourly", unit=_SHARE, later=_COMPETING,
        name=Text("Verplaatst", "Relocated"),
        help=Text(
            "Deel van het gemelde materiaal dat binnen deze tijd naar elders was verplaatst.",
            "Part of the reported material that had moved elsewhere within this time.",
        ),
    ),
    Figure(
        key="online_at", field="online_at", type="hourly", unit=_SHARE, later=_COMPETING,
        name=Text("Nog online", "Still online"),
        help=Text(
            "Deel van het gemelde materiaal dat na deze tijd nog bij het bedrijf online stond.",
            "Part of the reported material that was still online at the company after this time.",
        ),
    ),
    Figure(
        key="not_removed_7d", field="not_removed_7d", type="ratio", unit=_SHARE, later=_COMPETING,
        name=Text("Na 7 dagen niet verwijderd", "Not removed within 7 days"),
        help=Text(
            "Deel van het gemelde materiaal dat niet binnen 168 uur verwijderd was, ook als het verplaatst was.",
            "Part of the reported material that was not removed within 168 hours, relocated or not.",
        ),
    ),
    Figure(
        key="grid_seconds", field="grid_seconds", type="count", unit=Text("seconden", "seconds"), later=_COMPETING,
        name=Text("Raster van de tijden", "Grid of times"),
        help=Text(
            "Op hoeveel seconden de tijden van de schatting zijn afgerond. 0: de tijden zijn exact.",
            "To how many seconds the times of the estimate are rounded. 0: the times are exact.",
        ),
    ),
    Figure(
        key="unreachable", field="unreachable", type="unreachable", unit=_SHARE, later=_COMPETING,
        name=Text("Geweigerd of onbestelbaar", "Refused or undeliverable"),
        help=Text(
            "Deel van de meldingen dat geweigerd of onbestelbaar was, elk item hoogstens eenmaal per dag.",
            "Part of the notices that was refused or undeliverable, each item at most once a day.",
        ),
    ),
    Figure(
        key="backlog", field="backlog", type="backlog", unit=_EPISODES, later=_COMPETING,
        name=Text("Openstaand sinds het begin van de meting", "Outstanding since measuring began"),
        help=Text(
            "Wat op de peildatum openstond van alle perioden samen.",
            "What was outstanding on the reference date of all periods together.",
        ),
    ),
    Figure(
        key="n_eff", field="n_eff", type="decimal", unit=_EPISODES, later=_COMPETING,
        name=Text("Effectief aantal episodes", "Effective number of episodes"),
        help=Text(
            "Zoveel onafhankelijke episodes is de schatting waard.",
            "The estimate is worth so many independent episodes.",
        ),
    ),
    Figure(
        key="p_below", field="p_below", type="ratio", unit=Text("kans van 0 tot 1", "probability from 0 to 1"),
        later=_COMPETING,
        name=Text("Kans bij precies de norm", "Probability at the norm"),
        help=Text(
            "De kans op minstens zo'n groot aandeel te laat als het bedrijf precies aan de norm zou voldoen.",
            "The probability of at least so large a share late if the company exactly met the norm.",
        ),
    ),
    Figure(
        key="bh", field="bh", type="flag", unit=None, later=_COMPETING,
        name=Text("Onder de norm, ook na correctie", "Below the norm, corrected too"),
        help=Text(
            "Onder de norm, ook als van alle bedrijven met dit teken hooguit 5% door toeval het teken heeft (Benjamini"
            " en Hochberg).",
            "Below the norm also where at most 5% of the companies with this mark have it by chance (Benjamini and"
            " Hochberg).",
        ),
    ),
    Figure(
        key="proof", field="proof", type="standing", later=_COMPETING,
        name=Text("Aangetoond", "Proof"),
        help=Text(
            "Wat is aangetoond over de norm, los van bereikbaarheid en aantallen.",
            "What is proven about the norm, apart from reachability and numbers.",
        ),
    ),
    Figure(
        key="direction", field="direction", type="text", later=_COMPETING,
        name=Text("Richting", "Direction"),
        help=Text(
            "above: ook de strenge lezing haalt de norm. below: ook de gunstige niet. open: de controles laten het"
            " open.",
            "above: even the strict reading reaches the norm. below: even the lenient one does not. open: the checks"
            " leave it open.",
        ),
    ),
    Figure(
        key="reasons", field="reasons", type="reasons", unit=_EPISODES, later=_COMPETING,
        name=Text("Redenen", "Reasons"),
        help=Text(
            "Waarom de status is wat hij is: per reden het aantal, en waarvan of waartegen.",
            "Why the standing is what it is: for each reason the number, and of what or against what.",
        ),
    ),
)  # fmt: skip
