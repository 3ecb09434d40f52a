"""The text that goes with the open data of a release: what it is, and how anyone checks it with public tools."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from types import MappingProxyType

from monitor.tables.data_package import INVENTED, LICENCES, About
from monitor.wording.formatting import period
from monitor.wording.words import Language, Text

NAMES: Mapping[Language, str] = MappingProxyType({"en": "README.md", "nl": "README.nl.md"})
VERIFY = (
    "openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin \\\n  -in manifest.json -sigfile manifest.json.sig"
)
FINGERPRINT = "openssl pkey -pubin -in public-key.pem -outform DER | sha256sum"
LISTED = 'grep "$(sha256sum SHA256SUMS | cut -c1-64)" manifest.json'
SUMS = "sha256sum -c SHA256SUMS"
VALIDATE = "frictionless validate datapackage.json"
RECOMPUTE = "monitor estimate episodes.csv --companies companies.csv"
_COMMANDS = {
    "verify": VERIFY,
    "fingerprint_command": FINGERPRINT,
    "listed": LISTED,
    "sums": SUMS,
    "validate": VALIDATE,
    "recompute": RECOMPUTE,
}

_TEXT = Text(
    """# Opvolging van meldingen door hostingbedrijven, {period}

Versie {version}, gepubliceerd door {publisher} op {published}. Methode {method}.
Licentie: [{licence}]({licence_address}). In English: [README.md](README.md).

Dit zijn de open gegevens bij de ranglijst: hoe snel hostingbedrijven gemeld illegaal materiaal verwijderen. Er staat
geen materiaal in en geen adres van materiaal. Het zijn metingen; zij zeggen niets over opzet.{invented}

## Wat erin staat

- `datapackage.json` beschrijft elk bestand en elke kolom, in het Nederlands en het Engels.
- `ranking.csv` heeft een regel per bedrijf, `network.csv` alle bedrijven samen, `totals.csv` hoe de totalen optellen.
- `episodes.csv` en `companies.csv` zijn de geanonimiseerde episodes waaruit de tabel na te rekenen is.
- `flows.csv` (wie verplaatste naar wie), `norms.csv` (andere termijnen), `sources.csv` en `standstills.csv` (wat er
  geleverd is en wanneer niet gemeten is) zijn er waar de publicatie die gegevens heeft.
- Bestanden die met `hash-hit-` beginnen gaan over de opvolging van de hashcheckservice.
- `method.nl.md` is de methode, `method.json` de waarden waarmee gerekend is.
- Het verslag staat er als PDF en HTML bij.

Van een bedrijf met zeer weinig episodes staan er geen cijfers in, en ook niets waaruit ze te halen zijn. Een leeg vak
betekent: niet bekend, niet bereikt of niet getoond. Het betekent nooit nul. Staat er een apostrof voor een tekst, dan
zou een rekenblad die tekst anders als formule uitvoeren; de apostrof hoort niet bij de naam.

## Zo controleert u het

1. Is dit van ons? De handtekening (Ed25519) hoort bij `manifest.json`:

{verify}

   Vergelijk de vingerafdruk van de sleutel met die op onze site, niet alleen met dit bestand. Hier is zij
   `{fingerprint}`. U berekent haar zo:

{fingerprint_command}

2. Is elk bestand heel? De lijst van controlegetallen staat zelf in het ondertekende manifest:

{listed}

{sums}

3. Klopt de vorm? Met [frictionless](https://framework.frictionlessdata.io):

{validate}

4. Kloppen de cijfers? Met de broncode van deze monitor:

{recompute}
""",
    """# How hosting companies follow up notices, {period}

Version {version}, published by {publisher} on {published}. Method {method}.
Licence: [{licence}]({licence_address}). In het Nederlands: [README.nl.md](README.nl.md).

This is the open data of the ranking: how fast hosting companies remove reported illegal material. It holds no
material and no address of material. These are measurements; they say nothing about intent.{invented}

## What is in it

- `datapackage.json` describes each file and each column, in English and Dutch.
- `ranking.csv` has a line per company, `network.csv` all companies together, `totals.csv` how the totals add up.
- `episodes.csv` and `companies.csv` are the anonymised episodes from which the table can be recomputed.
- `flows.csv` (who moved to whom), `norms.csv` (other deadlines), `sources.csv` and `standstills.csv` (what was
  delivered, and when nothing was measured) are there where the release has them.
- Files whose name begins with `hash-hit-` are about the follow-up of the hash check service.
- `method.md` is the method, `method.json` the values that were used.
- The report is beside them, as PDF and HTML.

There are no figures of a company with very few episodes, nor anything from which to work them out. An empty cell means
not known, not reached or not shown. It never means zero. Where a text has an apostrophe before it, a spreadsheet would
run that text as a formula; the apostrophe is no part of the name.

## How to check it

1. Is it ours? The signature (Ed25519) is that of `manifest.json`:

{verify}

   Compare the fingerprint of the key with the one on our site, not with this file alone. Here it is
   `{fingerprint}`. You compute it like this:

{fingerprint_command}

2. Is each file whole? The list of checksums is itself in the signed manifest:

{listed}

{sums}

3. Is the form right? With [frictionless](https://framework.frictionlessdata.io):

{validate}

4. Are the figures right? With the source code of this monitor:

{recompute}
""",
)


def readme_files(about: About, fingerprint: str) -> dict[str, bytes]:
    """The text in both languages; `fingerprint`: that of the key the package is signed with."""
    return {name: _readme(about, fingerprint, language).encode() for language, name in NAMES.items()}


def _readme(about: About, fingerprint: str, language: Language) -> str:
    return _TEXT[language].format(
        period=period(about.period, language),
        version=about.version,
        publisher=about.publisher,
        published=about.published_at.strftime("%Y-%m-%d"),
        method=about.method,
        invented=INVENTED[language] if about.demonstration else "",
        licence=about.licence,
        licence_address=LICENCES[about.licence][0],
        fingerprint=fingerprint,
        **{name: indent(f"```\n{command}\n```", "   ") for name, command in _COMMANDS.items()},
    )
