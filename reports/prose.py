"""The report's running text: what a reader needs to know to read the figures rightly, in Dutch and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from monitor.wording.words import Text

PROSE: Mapping[str, Text] = MappingProxyType(
    {
        "lead": Text(
            "Meldpunten laten hostingbedrijven weten waar illegaal materiaal op hun servers staat. Dit verslag laat per"
            " bedrijf zien hoe snel dat materiaal daarna weg was, en hoe zeker dat is.",
            "Hotlines tell hosting companies where illegal material stands on their servers. This report shows for each"
            " company how fast that material was gone after that, and how sure that is.",
        ),
        "limits": Text(
            "Dit verslag zegt wat er is gemeten: wanneer een melding is verstuurd en wanneer het materiaal bij"
            " controles nog online of weg was. Het is geen oordeel van een rechter en geen besluit over handhaving. Het"
            " verslag bevat geen materiaal en geen adressen van materiaal.",
            "This report says what was measured: when a notice was sent, and when the material was still online or gone"
            " at checks. It is not a judgement by a court and not an enforcement decision. The report holds no material"
            " and no addresses of material.",
        ),
        "no_standings": Text(
            "In deze publicatie is geen oordeel over de norm gegeven.",
            "This release gives no judgement about the norm.",
        ),
        "no_ranks": Text(
            "In deze publicatie hebben de bedrijven geen plaats gekregen.",
            "In this release the companies were given no ranks.",
        ),
        "ranking_text": Text(
            "Plaats 1 heeft de laagste score: het aandeel op tijd in de gunstige lezing, dichter bij dat van alle"
            " bedrijven als er weinig gegevens zijn. Het aandeel loopt van de strenge tot de gunstige lezing. Het"
            " 95%-betrouwbaarheidsinterval (95%-BI) hoort bij de gunstige lezing.",
            "Rank 1 has the lowest score: the share on time in the lenient reading, drawn towards that of all companies"
            " where little is known. The share runs from the strict to the lenient reading. The 95% confidence"
            " interval (95% CI) belongs to the lenient reading.",
        ),
        "rank_intervals": Text(
            "De plaatsen in kleine letters zijn met 95% zekerheid ook mogelijk. Alleen waar zij elkaar niet overlappen"
            " staat de volgorde vast.",
            "The ranks in small print are also possible with 95% confidence. Only where they do not overlap is the"
            " order certain.",
        ),
        "via_proxy_text": Text(
            "‘Via proxy’: het bedrijf geeft verkeer door voor anderen. Het materiaal kan op een server van een ander"
            " bedrijf staan die van buiten niet te zien is.",
            "‘Via proxy’: the company passes traffic on for others. The material may stand on a server of another"
            " company that cannot be seen from outside.",
        ),
        "unranked_text": Text(
            "Een plaats vraagt ten minste {minimum_episodes} episodes en {minimum_sites} sites. Van een bedrijf met"
            " minder dan {below} episodes geven wij geen enkel cijfer: met zo weinig episodes kan toeval alles"
            " bepalen.",
            "A rank needs at least {minimum_episodes} episodes and {minimum_sites} sites. Of a company with fewer than"
            " {below} episodes we publish no figure at all: with so few episodes chance can decide everything.",
        ),
        "outstanding_text": Text(
            "De figuur gaat over de bedrijven met cijfers.", "The figure is about the companies with figures."
        ),
        "unmeasured_text": Text(
            "Niet alles is te meten. Blijft open of iets op tijd weg was, dan telt het nooit als te laat.",
            "Not everything can be measured. Where it stays open whether something was gone in time, it never counts as"
            " late.",
        ),
        "totals_text": Text(
            "De regels tellen op tot de laatste. Wat aan geen bedrijf was toe te rekenen, telt wel mee in het geheel"
            " maar bij geen enkel bedrijf.",
            "The lines add up to the last. What could not be attributed to a company counts in the whole, but for no"
            " single company.",
        ),
        "totals_withheld": Text(
            "Sommige totalen staan er niet, omdat daaruit de cijfers van een bedrijf met minder dan {below} episodes af"
            " te leiden zijn.",
            "Some totals are not shown, because the figures of a company with fewer than {below} episodes could be"
            " worked out from them.",
        ),
        "joined": Text(
            "Dit keer staan er ook van de daarna kleinste bedrijven geen cijfers: anders waren die van het kleinste"
            " daaruit af te leiden.",
            "This time the next smallest companies have no figures either: those of the smallest could be worked out"
            " from them.",
        ),
        "gives_way": Text(
            "Dit keer gelden de cijfers van alle bedrijven samen zonder de bedrijven met minder dan {below} episodes:"
            " anders waren hun cijfers eruit af te leiden.",
            "This time the figures of all companies together leave out those with fewer than {below} episodes, whose"
            " own figures could be worked out otherwise.",
        ),
        "hash_hits_text": Text(
            "De hashcheckservice herkent bekend illegaal materiaal op de servers van een bedrijf en laat dat het"
            " bedrijf weten. Een treffer telt hier zoals een melding telt in de rest van dit verslag, met dezelfde"
            " regels en een termijn van {deadline}.",
            "The hash service recognises known illegal material on a company’s servers and tells the company. A hit"
            " counts here as a notice does in the rest of this report, by the same rules and with a deadline of"
            " {deadline}.",
        ),
        "hash_hits_apart": Text(
            "De cijfers hieronder staan los van die hierboven. Materiaal met een melding én een treffer staat in"
            " beide: hier vanaf de eerste treffer, daar vanaf de eerste melding. Wat hier een melding heet, is een"
            " treffer.",
            "The figures below stand apart from those above. Material that was both noticed and hit is in both: here"
            " from its first hit, there from its first notice. What is called a notice here is a hit.",
        ),
        "how_episode": Text(
            "Wij tellen episodes. Een episode is één stuk gemeld materiaal bij één bedrijf. Zij begint als de eerste"
            " melding het bedrijf bereikt, en eindigt als bevestigd is dat het materiaal weg is. Herinneringen horen"
            " bij dezelfde episode. Materiaal dat naar een ander bedrijf verhuist, telt als verplaatst en nooit als"
            " verwijderd.",
            "We count episodes. An episode is one piece of reported material at one company. It starts when the first"
            " notice reaches the company, and ends when it is confirmed that the material is gone. Re-notices belong to"
            " the same episode. Material that moves to another company counts as relocated and never as removed.",
        ),
        "how_counts": Text(
            "De termijn is {deadline}. Controles laten alleen zien tussen welke twee momenten iets verdween. Daarom is"
            " elke episode waarvan de termijn voorbij is op tijd, te laat of onbepaald. De strenge lezing telt alleen"
            " wat zeker op tijd was; de gunstige lezing telt alles wat niet zeker te laat was. Tijd waarin het meldpunt"
            " of de meting stilstond, gaat van de klok af.",
            "The deadline is {deadline}. Checks show only between which two moments something went. So each episode"
            " whose deadline has passed is on time, late or undetermined. The strict reading counts only what was on"
            " time for certain; the lenient reading counts all that was not late for certain. Time in which the hotline"
            " or the measurement stood still is taken off the clock.",
        ),
        "how_sure": Text(
            "Materiaal op één site verdwijnt vaak tegelijk, door één handeling. Honderd adressen op één site bewijzen"
            " dus minder dan honderd adressen op verschillende sites. Alle intervallen houden daar rekening mee.",
            "Material on one site often goes together, by one action. So a hundred addresses on one site prove less"
            " than a hundred on different sites. All intervals take this into account.",
        ),
        "how_curve": Text(
            "De lijn van de tijd tot verwijdering is de schatting van Turnbull (1976), gemaakt voor gebeurtenissen"
            " waarvan alleen de grenzen bekend zijn. De mediaan is waar de lijn 50% bereikt.",
            "The line of the time to removal is the estimate of Turnbull (1976), made for events of which only the"
            " bounds are known. The median is where the line reaches 50%.",
        ),
        "object_text": Text(
            "Een bedrijf kan bezwaar maken tegen zijn cijfers. Laat de uitgever van dit verslag weten om welk bedrijf"
            " en welke periode het gaat, wat er niet klopt en waaruit dat blijkt: bijvoorbeeld het tijdstip van"
            " verwijdering, of dat het netwerk niet van u was. Stuur nooit adressen van materiaal per e-mail.",
            "A company can object to its figures. Tell the publisher of this report which company and which period it"
            " is about, what is wrong and what shows it: for example the time of removal, or that the network was not"
            " yours. Never send addresses of material by e-mail.",
        ),
        "object_answer": Text(
            "Op elk bezwaar volgt een antwoord met de feiten achter het cijfer. Heeft het bedrijf gelijk, dan"
            " verschijnt een verbeterde versie. De oude versie blijft zichtbaar, met het verschil.",
            "Every objection is answered with the facts behind the figure. Where the company is right, a corrected"
            " version is published. The old version stays visible, with the difference.",
        ),
        "verify": Text(
            "Een publicatie verandert nooit. Het kenmerk hierboven hoort bij precies deze cijfers. Met de software van"
            " de monitor is te bewijzen dat er sindsdien niets aan is veranderd:",
            "A release never changes. The fingerprint above belongs to exactly these figures. With the monitor’s"
            " software it can be proven that nothing in them has changed since:",
        ),
        "same_rows": Text(
            "Dit verslag is gemaakt uit dezelfde regels als de site. Dezelfde publicatie en dezelfde software geven"
            " altijd hetzelfde bestand, tot op de byte.",
            "This report is made from the same rows as the site. The same release and the same software always give the"
            " same file, to the byte.",
        ),
    }
)  # fmt: skip
