"""`datapackage.json`: what a program must know to read the open data of a release (Frictionless Data Package v1).

Titles and descriptions are English, with the Dutch beside them as `title@nl` (the language pattern of the standard).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from monitor.tables.columns import Column
from monitor.tables.open_data import Sheet
from monitor.wording.words import Text

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
