"""The report's own headings, labels and captions, in Dutch and English; figures take theirs from the site."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from monitor.publish.words import Text

WORDS: Mapping[str, Text] = MappingProxyType(
    {
        "title": Text("Verwijdering van gemeld illegaal materiaal", "Removal of reported illegal material"),
        "subtitle": Text("Ranglijst van hostingbedrijven", "Ranking of hosting companies"),
        "kind": Text("Openbaar verslag", "Public report"),
        "document": Text("{title}: {period}", "{title}: {period}"),
        "subject": Text(
            "Hoe snel hostingbedrijven gemeld illegaal materiaal verwijderen",
            "How fast hosting companies remove reported illegal material",
        ),
        "demonstration": Text(
            "Demonstratie met verzonnen gegevens. De bedrijven in dit verslag bestaan niet. Dit is geen officiële"
            " publicatie.",
            "Demonstration with invented data. The companies in this report do not exist. This is not an official"
            " publication.",
        ),
        "demonstration_short": Text("Demonstratie met verzonnen gegevens", "Demonstration with invented data"),
        "page": Text("Pagina", "Page"),
        "of": Text("van", "of"),
        "contents": Text("Inhoud", "Contents"),
        "period": Text("Verslagperiode", "Reporting period"),
        "as_of": Text("Peildatum", "Reference date"),
        "known_at": Text("Feiten bekend op", "Facts known at"),
        "published": Text("Gepubliceerd", "Published"),
        "method": Text("Methode", "Method"),
        "version": Text("Versie van de publicatie", "Version of the release"),
        "version_short": Text("versie {version}", "version {version}"),
        "code": Text("Versie van de software", "Version of the software"),
        "manifest": Text("Kenmerk van de publicatie (SHA-256)", "Fingerprint of the release (SHA-256)"),
        "parameters": Text("Kenmerk van de methode (SHA-256)", "Fingerprint of the method (SHA-256)"),
        "summary": Text("Samenvatting", "Summary"),
        "summary_standings": Text("Wie haalt de norm?", "Who meets the norm?"),
        "summary_standings_caption": Text("Bedrijven naar status; de norm is {target} op tijd",
                                          "Companies by standing; the norm is {target} on time"),
        "summary_limits": Text("Wat dit verslag wel en niet zegt", "What this report says and does not say"),
        "key_figures": Text("Kerncijfers", "Key figures"),
        "key_figures_caption": Text("Alle bedrijven samen", "All companies together"),
        "ranking": Text("Ranglijst", "Ranking"),
        "ranking_caption": Text("Bedrijven met genoeg episodes en sites", "Companies with enough episodes and sites"),
        "unranked": Text("Bedrijven zonder plaats", "Companies without a rank"),
        "unranked_caption": Text("Bedrijven zonder plaats, op naam", "Companies without a rank, by name"),
        "intervals": Text("Hoe zeker is het aandeel op tijd?", "How sure is the share on time?"),
        "survival": Text("Hoe snel is het weg?", "How fast is it gone?"),
        "survival_caption": Text("Aandeel nog niet verwijderd, alle bedrijven samen",
                                 "Share not yet removed, all companies together"),
        "outstanding": Text("Wat staat er nog open?", "What is still outstanding?"),
        "outstanding_caption": Text(
            "Openstaande episodes naar tijd sinds de melding, bedrijven met cijfers",
            "Outstanding episodes by time since the notice, companies with figures",
        ),
        "unmeasured": Text("Wat niet gemeten kon worden", "What could not be measured"),
        "unmeasured_caption": Text("Wat open blijft", "What stays open"),
        "totals": Text("Hoe de cijfers optellen", "How the figures add up"),
        "totals_caption": Text("Alle episodes en meldingen, naar groep", "All episodes and notices, by group"),
        "how": Text("De methode in het kort", "The method in brief"),
        "object": Text("Klopt een cijfer niet?", "Is a figure wrong?"),
        "colophon": Text("Colofon en controle", "Colophon and verification"),
        "colophon_caption": Text("Waaruit dit verslag is gemaakt", "What this report was made from"),
        "figure": Text("Cijfer", "Figure"),
        "value": Text("Waarde", "Value"),
        "meaning": Text("Wat het betekent", "What it means"),
        "interval": Text("Interval (95%)", "Interval (95%)"),
        "ci": Text("95%-BI", "95% CI"),
        "rank_small": Text("bereik · groep", "range · band"),
        "via_proxy": Text("via proxy", "via proxy"),
        "reason": Text("Waarom geen plaats", "Why no rank"),
        "no_judgement": Text("Geen oordeel", "No judgement"),
        "not_shown": Text("niet getoond", "not shown"),
        "none_unranked": Text("Alle bedrijven staan in de ranglijst.", "All companies are in the ranking."),
        "none_ranked": Text("In deze periode staat geen bedrijf in de ranglijst.",
                            "In this period no company is in the ranking."),
        "hours_after": Text("Uren na de melding", "Hours after the notice"),
        "estimate": Text("Schatting", "Estimate"),
        "readings": Text("Gunstige tot strenge lezing", "Lenient to strict reading"),
        "age": Text("Tijd sinds de melding", "Time since the notice"),
        "group": Text("Groep", "Group"),
        "companies": Text("Bedrijven", "Companies"),
        "shown": Text("Bedrijven met cijfers", "Companies with figures"),
        "withheld": Text("Bedrijven zonder cijfers", "Companies without figures"),
        "unattributed": Text("Niet aan een bedrijf toegerekend", "Not attributed to a company"),
        "network": Text("Alles samen", "All together"),
        "number": Text("Aantal", "Number"),
        "scroll": Text("{caption}, kan opzij schuiven", "{caption}, can be scrolled sideways"),
    }
)  # fmt: skip
