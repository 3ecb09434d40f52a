"""The company registry file: YAML or CSV, kept by the operator, read strictly."""

from __future__ import annotations

import csv
import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from monitor.countries import country_code
from monitor.errors import DeliveryError
from monitor.formats.files import read_lines
from monitor.formats.header import header_line, is_empty_row
from monitor.formats.rows import RowError, decode
from monitor.names import alias_form, names_nobody
from monitor.suffixes import suffixes
from monitor.urls import NotAUrlError, address_of, parse_url
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
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YES_OR_NO = dict.fromkeys(("yes", "true", "1"), True) | dict.fromkeys(("no", "false", "0"), False)
_LONGEST = {"name": 255, "legal_name": 255, "legal_form": 64, "registration": 64}  # characters
_LONGEST_CLAIM = 255  # characters
_ASN = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")
_HOST = re.compile(r"[^\s/:?#@*\\\[\]]+")
_NULL = re.compile(r"~|null", re.IGNORECASE)
_CSV, _YAML = (".csv",), (".yaml", ".yml")
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
    lines = list(_lines(path))
    entries = _csv_entries(lines) if _is_csv(path, lines) else _yaml_entries(lines)
    companies = [_company(entry, where) for where, entry in entries]
    if not companies:
        raise DeliveryError("the file names no company; is it the registry? Nothing was changed")
    doubled = sorted(key for key, times in Counter(company.key for company in companies).items() if times > 1)
    if doubled:
        places = " and ".join(company.where for company in companies if company.key == doubled[0])
        raise DeliveryError(f"{places}: key {doubled[0]!r} stands there twice; every company has one entry")
    return companies


def _is_csv(path: Path, lines: Sequence[tuple[int, str]]) -> bool:
    """By the ending, without that of its packing; of another ending by whether line 1 names the columns of a table."""
    name = path.name.lower()
    name = name.removesuffix(".gz").removesuffix(".zst")
    if name.endswith((*_CSV, *_YAML)):
        return name.endswith(_CSV)
    return {"key", "name"} <= {cell.strip().strip('"') for cell in re.split("[,;]", lines[0][1])}


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

    def construct_scalar(self, node: Any) -> str:
        """DeliveryError for what YAML has for nothing: as text it would be a name."""
        text = str(super().construct_scalar(node))
        if node.style is None and _NULL.fullmatch(text):
            line = node.start_mark.line + 1
            raise DeliveryError(f"line {line}: {text} stands for no value; leave the field out, or put it in quotes")
        return text


def _yaml_entries(lines: Sequence[tuple[int, str]]) -> Iterator[Entry]:
    loader = _Texts("\n".join(text for _, text in lines))
    try:
        root = loader.get_single_node()
        content = loader.construct_document(root) if root else None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise DeliveryError(f"the file is not readable as YAML{where}") from error
    entries = content.get("companies") if isinstance(content, dict) and len(content) == 1 else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DeliveryError("expected a list of companies under `companies:`, and nothing else")
    begins = [node.start_mark.line + 1 for node in root.value[0][1].value] if root else []
    return ((f"line {line}", entry) for line, entry in zip(begins, entries, strict=True))


def _csv_entries(lines: Sequence[tuple[int, str]]) -> Iterator[Entry]:
    """CSV: one company a line, several values in one cell separated by `|`."""
    begin, _ = header_line((number, text.encode()) for number, text in lines)
    filled = [(number, text) for number, text in lines if number >= begin and not is_empty_row(text.encode())]
    [header, *rows] = filled or [(begin, ",")]
    names = [name.strip() for name in _split(*header)]
    columns = (*_PLAIN, *_LISTS)
    if len(names) == 1 and ";" in names[0]:
        raise DeliveryError(f"line {begin} is separated by semicolons; export the registry with commas")
    if not {"key", "name"} <= set(names) or not set(names) <= set(columns) or len(set(names)) < len(names):
        raise DeliveryError(
            f"line {begin} must name the columns key and name, and of these each once: {', '.join(columns)}"
        )
    for number, text in rows:
        cells = _split(number, text)
        if len(cells) != len(names):
            raise DeliveryError(
                f"line {number} has {len(cells)} cells, line {begin} names {len(names)} columns; "
                "put a cell that holds a comma in quotes"
            )
        entry = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        yield f"line {number}", entry | {name: entry[name].split("|") for name in _LISTS if entry.get(name)}


def _split(number: int, text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise DeliveryError(
            f"line {number}: its quotes do not pair; each company stands on one line, so no cell holds a line break"
        ) from error


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
        claims=tuple(_claim(name, item, where) for name in _LISTS for item in _items(entry, name, where)),
        where=where,
    )


def _check_texts(texts: Mapping[str, str], where: str) -> None:
    """Raise DeliveryError where a text is missing, too long, or contradicts another."""
    if not texts["name"]:
        raise DeliveryError(f"{where}: `name` is missing")
    for name, longest in _LONGEST.items():
        if not texts[name].isprintable():
            raise DeliveryError(f"{where}: `{name}` holds a line break or another sign that does not show; take it out")
        if len(texts[name]) > longest:
            raise DeliveryError(f"{where}: `{name}` has over {longest} characters")
    if names_nobody(texts["name"]):
        raise DeliveryError(f"{where}: `name` stands for no name, and would claim all that is written so")
    if texts["country"] and texts["country"] != country_code(texts["country"]):
        raise DeliveryError(f"{where}: `country` must be the two capital letters of ISO 3166, such as NL")
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


def _claim(field: str, item: object, where: str) -> ClaimRecord:
    where = f"{where}: `{field}`"
    entry: Mapping[str, object] = item if isinstance(item, dict) else {"value": item}
    texts = [entry.get(name, "") for name in ("value", "valid_from", "valid_to")]
    value, start, end = (text.strip() if isinstance(text, str) else None for text in texts)
    if set(entry) - {"value", "valid_from", "valid_to"} or not value or start is None or end is None:
        raise DeliveryError(f"{where}: each has `value` and, if need be, `valid_from` and `valid_to`")
    first, last = _day(start, f"{where}: `valid_from`"), _day(end, f"{where}: `valid_to`")
    if first and last and last <= first:
        raise DeliveryError(f"{where}: one ends before it begins: `valid_to` is the first day after it")
    try:
        return ClaimRecord(_LISTS[field], claim_value(_LISTS[field], value), first, last)
    except ValueError as error:
        raise DeliveryError(f"{where}: {error}") from error


def claim_value(claim: Claim, text: str) -> str:
    """The one form in which a claim is stored and compared; ValueError where it is none of its kind."""
    value = text.strip()
    if len(value) > _LONGEST_CLAIM:
        raise ValueError(f"it has over {_LONGEST_CLAIM} characters")
    return _FORMS[claim](value)


def _asn(value: str) -> str:
    found = _ASN.fullmatch(value)
    if found is None or not 0 < int(found[1]) < 2**32:
        raise ValueError("an AS number is written 64496 or AS64496, and lies between 1 and 4294967295")
    return str(int(found[1]))


def _prefix(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError("a prefix is written 192.0.2.0/24, its address being the first of the network") from error


def _alias(value: str) -> str:
    if names_nobody(value):
        raise ValueError("it stands for no name, and would claim all that is written so")
    return alias_form(value)


def _mail(value: str) -> str:
    if not _MAIL.fullmatch(value):
        raise ValueError("a mail address is written abuse@hoster.example")
    return value.casefold()


def _host(value: str) -> str:
    """A host in the form that URLs have it in; a claim takes what is below it too."""
    if not _HOST.fullmatch(value):
        raise ValueError(
            "a domain is written cdn.shop.example, without scheme, port, path or `*.`: what is below is meant too"
        )
    try:
        host = parse_url(f"http://{value}/").host
    except NotAUrlError as error:
        raise ValueError("it is no name that can exist") from error
    if address_of(host):
        raise ValueError("an address is claimed as one of `prefixes`")
    if suffixes().privatesuffix(host) is None:
        raise ValueError("it is a suffix under which anybody registers names")
    return host


_FORMS: Mapping[Claim, Callable[[str], str]] = {
    Claim.ASN: _asn, Claim.PREFIX: _prefix, Claim.ALIAS: _alias, Claim.ABUSE_ADDRESS: _mail, Claim.DOMAIN: _host,
}  # fmt: skip
