"""`datapackage.json`: what a program must know to read the open data of a release (Frictionless Data Package v1).

Titles and descriptions are English, with the Dutch beside them as `title@nl` (the language pattern of the standard).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import indent
from types import MappingProxyType
from typing import Any

from monitor.tables.columns import Column
from monitor.tables.open_data import Sheet
from monitor.wording.language import EN, LANGUAGES, NL, Language, Message

NAMED = ("flows.csv", "norms.csv")  # whose companies are all in the ranking beside them
LICENCES = MappingProxyType(
    {
        "CC0-1.0": ("https://creativecommons.org/publicdomain/zero/1.0/", "Creative Commons Zero 1.0"),
        "CC-BY-4.0": ("https://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution 4.0"),
    }
)
INVENTED = Message("This is a demonstration with invented data; the companies do not exist.")
_TITLE = Message("How hosting companies follow up notices")
_DESCRIPTION = Message(
    "How fast hosting companies remove reported illegal material: ranking, totals and the anonymised episodes from"
    " which anyone can recompute the table. It holds no material and no address of material."
)
_SOURCES = Message("Notices and checks of hotlines")


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
    home = {"homepage": about.site_address} if about.site_address else {}
    return {
        "profile": "tabular-data-package",
        "name": about.name,
        **_said("title", lambda language: f"{language.gettext(_TITLE)}, {about.period}"),
        **_said("description", lambda language: _description(about, language)),
        "languages": sorted(map(str, LANGUAGES)),
        **home,
        "version": f"{about.version}.0.0",
        "created": about.published_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "licenses": [{"name": about.licence, "path": address, "title": title}],
        "contributors": [{"title": about.publisher, "role": "publisher"}],
        "sources": [_said("title", lambda language: language.gettext(_SOURCES))],
        "keywords": ["hosting", "notice and takedown", "CSAM", "removal time", "transparency"],
        "method": about.method,
        "resources": [_resource(sheet) for sheet in sheets],
    }


def _said(name: str, text: Callable[[Language], str]) -> dict[str, str]:
    """English under that name, each other language beside it."""
    return {name: text(EN)} | {f"{name}@{language}": text(language) for language in LANGUAGES if language != EN}


def _description(about: About, language: Language) -> str:
    said = [_DESCRIPTION, INVENTED] if about.demonstration else [_DESCRIPTION]
    return " ".join(map(language.gettext, said))


def _resource(sheet: Sheet) -> dict[str, Any]:
    return {
        "name": sheet.name.removesuffix(".csv"),
        "path": sheet.name,
        "profile": "tabular-data-resource",
        **_said("title", sheet.title_in),
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
    return {
        "name": column.name,
        "type": column.kind,
        **_said("title", column.title),
        **_said("description", column.description),
    }


NAMES: Mapping[Language, str] = MappingProxyType({EN: "README.md", NL: "README.nl.md"})
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


_COMPARE = Message(
    "Compare the fingerprint of the key with the one on our site, not with this file alone. Here it is\n"
    "`{fingerprint}`. You compute it like this:"
)
# The paragraphs of the text; lines end where the file has them end.
_README = (
    Message("# How hosting companies follow up notices, {period}"),
    Message(
        "Version {version}, published by {publisher} on {published}. Method {method}.\n"
        "Licence: [{licence}]({licence_address}). In het Nederlands: [README.nl.md](README.nl.md)."
    ),
    Message(
        "This is the open data of the ranking: how fast hosting companies remove reported illegal material. It holds"
        " no\nmaterial and no address of material. These are measurements; they say nothing about intent.{invented}"
    ),
    Message("## What is in it"),
    Message(
        "- `datapackage.json` describes each file and each column, in English and Dutch.\n- `ranking.csv` has a line"
        " per company, `network.csv` all companies together, `totals.csv` how the totals add up.\n- `episodes.csv` and"
        " `companies.csv` are the anonymised episodes from which the table can be recomputed.\n- `flows.csv` (who moved"
        " to whom), `norms.csv` (other deadlines), `sources.csv` and `standstills.csv` (what was\n  delivered, and when"
        " nothing was measured) are there where the release has them.\n- Files whose name begins with `hash-hit-` are"
        " about the follow-up of the hash check service.\n- `method.md` is the method, `method.json` the values that"
        " were used.\n- The report is beside them, as PDF and HTML."
    ),
    Message(
        "There are no figures of a company with very few episodes, nor anything from which to work them out. An empty"
        " cell means\nnot known, not reached or not shown. It never means zero. Where a text has an apostrophe before"
        " it, a spreadsheet would\nrun that text as a formula; the apostrophe is no part of the name."
    ),
    Message("## How to check it"),
    Message("1. Is it ours? The signature (Ed25519) is that of `manifest.json`:"),
    "{verify}",
    "{compare}",
    "{fingerprint_command}",
    Message("2. Is each file whole? The list of checksums is itself in the signed manifest:"),
    "{listed}",
    "{sums}",
    Message("3. Is the form right? With [frictionless](https://framework.frictionlessdata.io):"),
    "{validate}",
    Message("4. Are the figures right? With the source code of this monitor:"),
    "{recompute}",
)


def readme_files(about: About, fingerprint: str) -> dict[str, bytes]:
    """The text in both languages; `fingerprint`: that of the key the package is signed with."""
    return {name: _readme(about, fingerprint, language).encode() for language, name in NAMES.items()}


def _readme(about: About, fingerprint: str, language: Language) -> str:
    values = {
        "period": language.period(about.period),
        "version": about.version,
        "publisher": about.publisher,
        "published": about.published_at.strftime("%Y-%m-%d"),
        "method": about.method,
        "invented": f" {language.gettext(INVENTED)}" if about.demonstration else "",
        "licence": about.licence,
        "licence_address": LICENCES[about.licence][0],
        "compare": indent(language.gettext(_COMPARE, fingerprint=fingerprint), "   "),
        **{name: indent(f"```\n{command}\n```", "   ") for name, command in _COMMANDS.items()},
    }
    parts = (each.format(**values) if isinstance(each, str) else language.gettext(each, **values) for each in _README)
    return "\n\n".join(parts) + "\n"
