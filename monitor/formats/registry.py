"""The company registry file: YAML or CSV, kept by the operator, read strictly."""

from __future__ import annotations

import csv
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from monitor.errors import DeliveryError
from monitor.formats.files import read_lines
from monitor.formats.rows import RowError, decode
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
_COUNTRY = re.compile(r"[A-Z]{2}")
_ANSWERS = {"": False} | dict.fromkeys(("yes", "true", "1"), True) | dict.fromkeys(("no", "false", "0"), False)
_LARGEST = 8 * 2**20  # characters: thousands of companies take one
_MOST_VALUES = 200_000  # in YAML; each takes most of a kilobyte while it is read

Entry: TypeAlias = tuple[str, Mapping[str, Any]]  # where it stands, and its fields


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
    """All companies of a registry file; raises DeliveryError naming the entry and what is wrong with it.

    A file that names no company is refused too: it is another file, or an export that failed.
    """
    entries = _csv_entries(path) if _is_csv(path) else _yaml_entries(path)
    companies = [_company(entry, where) for where, entry in entries]
    if not companies:
        raise DeliveryError("the file names no company; is it the registry? Nothing was changed")
    doubled = sorted(key for key, times in Counter(company.key for company in companies).items() if times > 1)
    if doubled:
        raise DeliveryError(f"key {doubled[0]!r} stands there twice; every company has one entry")
    return companies


def _is_csv(path: Path) -> bool:
    """By the ending, without that of its packing."""
    name = path.name.lower()
    return name.removesuffix(".gz").removesuffix(".zst").endswith(".csv")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line; raises DeliveryError where one is no text, or all are too much."""
    size = 0
    for number, raw in read_lines(path):
        try:
            text = decode(raw)
        except RowError as error:
            raise DeliveryError(f"line {number} cannot be read ({error.reason})") from error
        size += len(text) + 1
        if size > _LARGEST:
            raise DeliveryError(f"the file is over {_LARGEST // 2**20} MiB of text; is it the registry?")
        yield number, text


class _Texts(yaml.BaseLoader):
    """Reads every value as the text that stands there: nothing is guessed to be a number, a date or a yes."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """DeliveryError for an alias, with which a short text becomes longer than any memory, and for too much."""
        if self.check_event(yaml.AliasEvent):
            raise DeliveryError("the registry has a YAML alias (*name); write out what it stands for")
        self.nodes += 1
        if self.nodes > _MOST_VALUES:
            raise DeliveryError(f"the file holds over {_MOST_VALUES} values; is it the registry?")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """DeliveryError where a field stands there twice: which of the two is meant is not to be guessed."""
        made = super().construct_mapping(node, deep)
        if len(made) < len(node.value):
            raise DeliveryError(f"line {node.start_mark.line + 1}: one entry has a field twice")
        return made


def _yaml_entries(path: Path) -> Iterator[Entry]:
    try:
        content = yaml.load("\n".join(text for _, text in _lines(path)), _Texts)  # noqa: S506 -- makes text only
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise DeliveryError(f"the file is not readable as YAML{where}") from error
    entries = content.get("companies") if isinstance(content, dict) and len(content) == 1 else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DeliveryError("expected a list of companies under `companies:`, and nothing else")
    return ((f"company {number}", entry) for number, entry in enumerate(entries, 1))


def _csv_entries(path: Path) -> Iterator[Entry]:
    """CSV: one company a line, several values in one cell separated by `|`."""
    lines = _lines(path)
    names = [name.strip() for name in _split(*next(lines))]
    columns = (*_PLAIN, *_LISTS)
    if not {"key", "name"} <= set(names) or not set(names) <= set(columns) or len(set(names)) < len(names):
        raise DeliveryError(f"line 1 must name the columns key and name, and of these each once: {', '.join(columns)}")
    for number, text in lines:
        if text.strip():
            cells = _split(number, text)
            if len(cells) != len(names):
                raise DeliveryError(f"line {number} has {len(cells)} cells, line 1 names {len(names)} columns")
            entry = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
            yield f"line {number}", entry | {name: entry[name].split("|") for name in _LISTS if entry.get(name)}


def _split(number: int, text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise DeliveryError(f"line {number}: its quotes do not pair; each company stands on one line") from error


def _company(entry: Mapping[str, Any], where: str) -> CompanyRecord:
    unknown = set(entry) - set(_PLAIN) - set(_LISTS)
    if unknown:
        places = ", ".join(str(place) for place, name in enumerate(entry, 1) if name in unknown)
        known = ", ".join((*_PLAIN, *_LISTS))
        raise DeliveryError(f"{where}: unknown field, by its place in the entry: {places}; known: {known}")
    if not all(isinstance(entry.get(name, ""), str) for name in _PLAIN):
        raise DeliveryError(f"{where}: {', '.join(_PLAIN)} have one value each")
    key, name, country = (entry.get(field, "").strip() for field in ("key", "name", "country"))
    if not _KEY.fullmatch(key):
        raise DeliveryError(f"{where}: `key` must be lower-case letters, digits and hyphens")
    where = f"{where} ({key})"
    if not name:
        raise DeliveryError(f"{where}: `name` is missing")
    if country and not _COUNTRY.fullmatch(country):
        raise DeliveryError(f"{where}: `country` must be two capital letters such as NL")
    proxy = _ANSWERS.get(entry.get("proxy", "").strip().casefold())
    if proxy is None:
        raise DeliveryError(f"{where}: `proxy` must be yes or no")
    claims = tuple(_claim(kind, item, where) for field, kind in _LISTS.items() for item in _items(entry, field, where))
    return CompanyRecord(key, name, country or None, entry.get("registration", "").strip() or None, proxy, claims)


def _items(entry: Mapping[str, Any], field: str, where: str) -> list[Any]:
    items = entry.get(field) or []
    if not isinstance(items, list):
        raise DeliveryError(f"{where}: `{field}` must be a list")
    return [item for item in items if not isinstance(item, str) or item.strip()]


def _claim(claim: Claim, item: object, where: str) -> ClaimRecord:
    entry: Mapping[str, object] = item if isinstance(item, dict) else {"value": item}
    texts = [entry.get(name, "") for name in ("value", "valid_from", "valid_to")]
    value, start, end = (text.strip() if isinstance(text, str) else None for text in texts)
    if set(entry) - {"value", "valid_from", "valid_to"} or not value or start is None or end is None:
        raise DeliveryError(f"{where}: a {claim} has `value` and, if need be, `valid_from` and `valid_to`")
    try:
        days = [date.fromisoformat(text) if text else None for text in (start, end)]
    except ValueError as error:
        raise DeliveryError(f"{where}: a {claim} has a date that is no date such as 2026-01-31") from error
    try:
        return ClaimRecord(claim, claim_value(claim, value), *days)
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
