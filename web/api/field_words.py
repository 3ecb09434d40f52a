"""What those fields of an answer mean that the pages show without a name of their own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from monitor.wording.words import Text

FIELD_WORDS: Mapping[str, Text] = MappingProxyType(
    {
        "name": Text("De naam zoals de publicatie hem noemt.", "The name as the release gives it."),
        "country": Text("Het land van het bedrijf, in twee letters.", "The country of the company, in two letters."),
        "via_proxy": Text(
            "Of het bedrijf verkeer doorgeeft en zelf misschien niet de plek van het materiaal is.",
            "Whether the company passes traffic on and may itself not be where the material stands.",
        ),
        "survival": Text(
            "Het aandeel dat nog niet verwijderd was, op vaste uren na de melding.",
            "The share not yet removed, at fixed hours after the notice.",
        ),
        "curve": Text(
            "Het aandeel dat nog niet verwijderd was, voor elk uur van de eerste week.",
            "The share not yet removed, for every hour of the first week.",
        ),
        "outstanding_by_age": Text(
            "De openstaande episodes naar tijd sinds de melding.",
            "The outstanding episodes by time since the notice.",
        ),
        "relocation": Text(
            "De verplaatste episodes naar land, en welk deel na zoveel uur verplaatst was.",
            "The relocated episodes by country, and which part had moved after so many hours.",
        ),
        "rank_low": Text("De laagste plaats die ook mogelijk is.", "The lowest rank that is also possible."),
        "rank_high": Text("De hoogste plaats die ook mogelijk is.", "The highest rank that is also possible."),
        "band": Text(
            "Bedrijven in dezelfde groep zijn niet van elkaar te onderscheiden.",
            "Companies in the same band cannot be told apart.",
        ),
        "announced_ipv4": Text(
            "Hoeveel IPv4-adressen het netwerk van het bedrijf aankondigde op de peildatum.",
            "How many IPv4 addresses the network of the company announced on the reference date.",
        ),
    }
)
