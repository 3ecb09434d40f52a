"""The company registry file: YAML or CSV, kept by the operator, read strictly."""

from __future__ import annotations

import csv
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from monitor.errors import DeliveryError
from monitor.formats.reading import read_lines
from monitor.vocabulary import Claim

_LISTS = {
    "aliases": Claim.ALIAS,
    "abuse_addresses": Claim.ABUSE_ADDRESS,
    "asns": Claim.ASN,
    "prefixes": Claim.PREFIX,
    "domains": Claim.DOMAIN,
}
_PLAIN = ("key", "name", "country", "registration", "proxy")
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,94}")


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """Something that belongs to a company, from a day (included) to a day (not included)."""

    claim: Claim
    value: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    """One company of the registry."""

    key: str
    name: str
    country: str | None
    registration: str | None
    proxy: bool
    claims: tuple[ClaimRecord, ...]


def read_registry(path: Path) -> list[CompanyRecord]:
    """All companies of a registry file; raises DeliveryError naming the entry and what is wrong with it."""
    entries = _csv_entries(path) if path.name.split(".")[1:2] == ["csv"] else _yaml_entries(path)
    companies = [_company(entry, f"company {number}") for number, entry in enumerate(entries, 1)]
    keys = [company.key for company in companies]
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    if doubled:
        raise DeliveryError(f"key {doubled[0]!r} stands there twice; every company has one entry")
    return companies


def _text(path: Path) -> str:
    lines = [(number, raw) for number, raw in read_lines(path)]
    try:
        return "\n".join((raw or b"").decode("utf-8") for _, raw in lines)
    except UnicodeDecodeError as error:
        raise DeliveryError("the file is not UTF-8 text") from error


def _yaml_entries(path: Path) -> list[Mapping[str, Any]]:
    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise DeliveryError(f"the file is not readable as YAML{where}") from error
    entries = content.get("companies") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DeliveryError("expected a list of companies under `companies:`")
    return entries


def _csv_entries(path: Path) -> Iterator[Mapping[str, Any]]:
    """CSV: one company a line, several values in one cell separated by `|`."""
    for row in csv.DictReader(_text(path).splitlines()):
        cells = {name: value or "" for name, value in row.items() if name}
        lists = {name: [v.strip() for v in cells[name].split("|") if v.strip()] for name in _LISTS if name in cells}
        proxy = cells.get("proxy", "").casefold() in ("1", "true", "yes")
        yield {name: value for name, value in cells.items() if value} | lists | {"proxy": proxy}


def _company(entry: Mapping[str, Any], where: str) -> CompanyRecord:
    unknown = set(entry) - set(_PLAIN) - set(_LISTS)
    if unknown:
        places = ", ".join(str(place) for place, name in enumerate(entry, 1) if name in unknown)
        known = ", ".join((*_PLAIN, *_LISTS))
        raise DeliveryError(f"{where}: unknown field, by its place in the entry: {places}; known: {known}")
    key, name = entry.get("key"), entry.get("name")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise DeliveryError(f"{where}: `key` must be lower-case letters, digits and hyphens")
    if not isinstance(name, str) or not name.strip():
        raise DeliveryError(f"{where} ({key}): `name` is missing")
    country = entry.get("country")
    if country is not None and not re.fullmatch(r"[A-Z]{2}", str(country)):
        raise DeliveryError(f"{where} ({key}): `country` must be two capital letters such as NL")
    registration = entry.get("registration")
    claims = tuple(
        _claim(kind, item, f"{where} ({key})") for field, kind in _LISTS.items() for item in entry.get(field) or ()
    )
    return CompanyRecord(
        key,
        name.strip(),
        country,
        None if registration is None else str(registration),
        bool(entry.get("proxy")),
        claims,
    )


def _claim(claim: Claim, item: object, where: str) -> ClaimRecord:
    entry: dict[str, Any] = item if isinstance(item, dict) else {"value": item}
    if set(entry) - {"value", "valid_from", "valid_to"} or entry.get("value") is None:
        raise DeliveryError(f"{where}: a {claim} has `value` and, if need be, `valid_from` and `valid_to`")
    dates = [entry.get("valid_from"), entry.get("valid_to")]
    if any(day is not None and not isinstance(day, date) for day in dates):
        raise DeliveryError(f"{where}: a {claim} has a date that is no date such as 2026-01-31")
    try:
        return ClaimRecord(claim, claim_value(claim, str(entry["value"])), dates[0], dates[1])
    except ValueError as error:
        raise DeliveryError(f"{where}: a {claim} that is none: {error}") from error


def claim_value(claim: Claim, text: str) -> str:
    """The one form in which a claim is stored and compared; ValueError where it is none of its kind."""
    value = text.strip()
    if claim is Claim.ASN:
        number = int(value.upper().removeprefix("AS"))
        if not 0 < number < 2**32:
            raise ValueError("an AS number is between 1 and 4294967295")
        return str(number)
    if claim is Claim.PREFIX:
        return str(ipaddress.ip_network(value))
    if claim is Claim.ALIAS:
        return alias_form(value)
    if not value:
        raise ValueError("it is empty")
    return value.casefold().rstrip(".")


def alias_form(name: str) -> str:
    """A company name as it is compared: case, punctuation and repeated spaces do not count, `B.V.` is `BV`."""
    return " ".join(re.sub(r"[^\w]+", " ", name.casefold().replace(".", "")).split())
