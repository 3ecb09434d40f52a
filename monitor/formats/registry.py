"""The company registry file: YAML or CSV, kept by the operator, read strictly."""

from __future__ import annotations

import csv
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
_PLAIN = (
    "key", "name", "country", "legal_name", "legal_form", "registration", "natural_person", "parent", "successor",
    "ended_on", "proxy",
)  # fmt: skip
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,94}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YES_OR_NO = dict.fromkeys(("yes", "true", "1"), True) | dict.fromkeys(("no", "false", "0"), False)
_LONGEST = {"name": 255, "legal_name": 255, "legal_form": 64, "registration": 64}  # characters
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
    """One company of the registry; `where` it stands in the file. What the fields say: `models.company.CompanyDetail`.

    `parent` and `successor` are keys of companies.
    """

    key: str
    name: str
    country: str | None = None
    legal_name: str | None = None
    legal_form: str | None = None
    registration: str | None = None
    natural_person: bool | None = None
    parent: str | None = None
    successor: str | None = None
    ended_on: date | None = None
    proxy: bool = False
    claims: tuple[ClaimRecord, ...] = ()
    where: str = field(default="", compare=False)


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
    texts = {name: entry.get(name, "").strip() for name in _PLAIN}
    if not _KEY.fullmatch(texts["key"]):
        raise DeliveryError(f"{where}: `key` must be lower-case letters, digits and hyphens")
    where = f"{where} ({texts['key']})"
    _check_texts(texts, where)
    return CompanyRecord(
        **{name: texts[name] or None for name in ("country", "legal_name", "legal_form", "registration")},
        **{name: texts[name] or None for name in ("parent", "successor")},
        key=texts["key"],
        name=texts["name"],
        natural_person=_yes_or_no("natural_person", texts, where),
        ended_on=_day(texts["ended_on"], f"{where}: `ended_on`"),
        proxy=_yes_or_no("proxy", texts, where) or False,
        claims=tuple(_claim(kind, item, where) for name, kind in _LISTS.items() for item in _items(entry, name, where)),
        where=where,
    )


def _check_texts(texts: Mapping[str, str], where: str) -> None:
    """Raise DeliveryError where a text is missing, too long, or contradicts another."""
    if not texts["name"]:
        raise DeliveryError(f"{where}: `name` is missing")
    for name, longest in _LONGEST.items():
        if len(texts[name]) > longest:
            raise DeliveryError(f"{where}: `{name}` has over {longest} characters")
    if texts["country"] and not _COUNTRY.fullmatch(texts["country"]):
        raise DeliveryError(f"{where}: `country` must be two capital letters such as NL")
    if texts["key"] in (texts["parent"], texts["successor"]):
        raise DeliveryError(f"{where}: a company is not its own parent or successor; `parent` names another company")
    if texts["successor"] and not texts["ended_on"]:
        raise DeliveryError(f"{where}: `successor` needs `ended_on`, the first day on which the successor had it all")


def _yes_or_no(name: str, texts: Mapping[str, str], where: str) -> bool | None:
    """What was answered; None where nothing was."""
    text = texts[name].casefold()
    if text and text not in _YES_OR_NO:
        raise DeliveryError(f"{where}: `{name}` must be yes or no")
    return _YES_OR_NO.get(text)


def _day(text: str, what: str) -> date | None:
    """A day, or None for nothing; raises DeliveryError for anything else."""
    if not text:
        return None
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError as error:
        raise DeliveryError(f"{what} is no date such as 2026-01-31") from error


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
    first, last = _day(start, f"{where}: `valid_from` of a {claim}"), _day(end, f"{where}: `valid_to` of a {claim}")
    if first and last and last <= first:
        raise DeliveryError(f"{where}: a {claim} ends before it begins: `valid_to` is the first day after it")
    try:
        return ClaimRecord(claim, claim_value(claim, value), first, last)
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
