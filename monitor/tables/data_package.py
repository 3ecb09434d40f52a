"""`datapackage.json`: what a program must know to read the open data of a release (Frictionless Data Package v1).

Titles and descriptions are English, with the Dutch beside them as `title@nl` (the language pattern of the standard).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import indent
from types import MappingProxyType
from typing import Any

from monitor.tables.columns import Column
from monitor.tables.open_data import Sheet
from monitor.wording.formatting import period
from monitor.wording.words import Language, Text

NAMED = ("flows.csv", "norms.csv")  # whose companies are all in the ranking beside them
LICENCES = MappingProxyType(
    {
        "CC0-1.0": ("https://creativecommons.org/publicdomain/zero/1.0/", "Creative Commons Zero 1.0"),
        "CC-BY-4.0": ("https://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution 4.0"),
    }
)
INVENTED = Text(
    " Dit is een demonstratie met verzonnen gegevens; de bedrijven bestaan niet.",
    " This is a demonstration with invented data; the companies do not exist.",
)
_TITLE = Text("Opvolging van meldingen door hostingbedrijven", "How hosting companies follow up notices")
_DESCRIPTION = Text(
    "Hoe snel hostingbedrijven gemeld illegaal materiaal verwijderen: ranglijst, totalen en de geanonimiseerde episodes"
    " waaruit iedereen de tabel kan narekenen. Er staat geen materiaal in en geen adres van materiaal.",
    "How fast hosting companies remove reported illegal material: ranking, totals and the anonymised episodes from"
    " which anyone can recompute the table. It holds no material and no address of material.",
)
_SOURCES = Text("Meldingen en controles van meldpunten", "Notices and checks of hotlines")


@dataclass(frozen=True, slots=True)
class About:
    """Which release a package is of, whose it is, and under which licence (a key of LICENCES)."""

    period: str
    version: int
    published_at: datetime
    method: str
    publisher: str
    licence: str
    site_address: str = ""
    demonstration: bool = False

    @property
    def name(self) -> str:
        """What the package is called, as a file name without its ending."""
        return package_name(self.period, self.version)


def package_name(period: str, version: int) -> str:
    """What the package of a release is called, as a file name without its ending."""
    return f"hosting-monitor-{period.replace('..', '-to-').lower()}-v{version}"


def descriptor(about: About, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """The whole of `datapackage.json` as plain data."""
    address, title = LICENCES[about.licence]
    said = INVENTED if about.demonstration else Text("", "")
    home = {"homepage": about.site_address} if about.site_address else {}
    return {
        "profile": "tabular-data-package",
        "name": about.name,
        **_said("title", Text(f"{_TITLE.nl}, {about.period}", f"{_TITLE.en}, {about.period}")),
        **_said("description", Text(_DESCRIPTION.nl + said.nl, _DESCRIPTION.en + said.en)),
        "languages": ["en", "nl"],
        **home,
        "version": f"{about.version}.0.0",
        "created": about.published_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "licenses": [{"name": about.licence, "path": address, "title": title}],
        "contributors": [{"title": about.publisher, "role": "publisher"}],
        "sources": [_said("title", _SOURCES)],
        "keywords": ["hosting", "notice and takedown", "CSAM", "removal time", "transparency"],
        "method": about.method,
        "resources": [_resource(sheet) for sheet in sheets],
    }


def _said(name: str, text: Text) -> dict[str, str]:
    return {name: text.en, f"{name}@nl": text.nl}


def _resource(sheet: Sheet) -> dict[str, Any]:
    return {
        "name": sheet.name.removesuffix(".csv"),
        "path": sheet.name,
        "profile": "tabular-data-resource",
        **_said("title", sheet.title),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(sheet.content),
        "hash": f"sha256:{hashlib.sha256(sheet.content).hexdigest()}",
        "schema": _schema(sheet),
    }


def _schema(sheet: Sheet) -> dict[str, Any]:
    """Its columns, its key, and that every company in it is one of the ranking beside it."""
    key = {"primaryKey": list(sheet.key)} if sheet.key else {}
    begin = sheet.name.removesuffix(next((name for name in NAMED if sheet.name.endswith(name)), ""))
    ranking = {"resource": f"{begin}ranking", "fields": "company"}
    companies = [c.name for c in sheet.columns if c.name in ("company", "origin", "destination_company")]
    foreign = [{"fields": name, "reference": ranking} for name in companies] if begin != sheet.name else []
    return {
        "fields": [_field(column) for column in sheet.columns],
        "missingValues": list(sheet.missing),
        **key,
        **({"foreignKeys": foreign} if foreign else {}),
    }


def _field(column: Column) -> dict[str, str]:
    words = column.words
    return {
        "name": column.name,
        "type": column.kind,
        **_said("title", words.name),
        **_said("description", words.help),
    }


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
