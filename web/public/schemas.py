"""JSON Schemas (2020-12) made from our frozen dataclasses, so that the API's document cannot drift from its answers."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from monitor.comparison.changes import Change
from monitor.comparison.trend import TrendPoint
from monitor.disclosure.network import CompetingNetwork, Network
from monitor.disclosure.rows import PublicTable
from monitor.figures import FIGURES, FILED, IDENTITY, LATENESS
from monitor.release.published import ReleaseVersion
from monitor.score.methods import Method
from monitor.score.table import CompetingEstimate, CompetingOnTime, Estimate, OnTime
from monitor.wording.language import EN, LANGUAGES, Language, Message
from monitor.wording.parameters import Parameter as Explained
from monitor.wording.readings import Figure

Schema = dict[str, Any]
_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}
_INSTANTS = {"as_of", "known_at", "published_at", "received_at", "first", "last", "starts", "ends"}
_MEANINGS: Mapping[str, Message] = {figure.field: figure.in_api or figure.help for figure in FILED}
# What has more fields since method 2026.2: those are there in releases under it only.
_SINCE: Mapping[type, type] = {OnTime: CompetingOnTime, Network: CompetingNetwork, Estimate: CompetingEstimate}
_OTHERWISE: Mapping[type, Mapping[str, Message]] = {  # where the same names mean something else
    OnTime: {name: figure.help for name, figure in LATENESS.items()},
    Explained: {},
}


@dataclass(frozen=True, slots=True)
class Components:
    """The named schemas of a document, each `made` when it is first referred to; helps are in one language."""

    language: Language = EN
    made: dict[str, Schema] = field(default_factory=dict)
    classes: dict[str, type] = field(default_factory=dict)

    def of(self, hint: Any) -> Schema:
        """The schema of a type; a dataclass becomes a component and is referred to. Raises TypeError on other types."""
        origin, parts = get_origin(hint), get_args(hint)
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
        if origin is Literal:
            return {"type": "string", "enum": list(parts)}
        if origin in (Union, UnionType):
            return self._either(parts)
        if origin is tuple:
            return self._array(parts)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(parts[1])}
        if isinstance(hint, type) and is_dataclass(hint):
            return self._refer(hint)
        raise TypeError(f"no JSON schema is known for {hint!r}")

    def fields_of(self, cls: type, leave_out: Collection[str] = ()) -> Schema:
        """An object with the fields of a dataclass, all of them always there but for those of later releases."""
        newest = _SINCE.get(cls, cls)
        hints = get_type_hints(newest) | get_type_hints(cls)
        earlier = {item.name for item in fields(cls) if cls is not Method or item.default is not None}
        names = [item.name for item in fields(newest) if item.name not in leave_out]
        meanings = _OTHERWISE.get(cls, _MEANINGS)
        properties = {name: self.field_of(name, hints[name], meanings) for name in names}
        return record(properties, set(names) - earlier)

    def field_of(self, name: str, hint: Any, meanings: Mapping[str, Message] = _MEANINGS) -> Schema:
        """The schema of a type under a name, which may say what it means."""
        schema = self.of(hint)
        if name in _INSTANTS:
            schema = schema | {"format": "date-time"}
        words = meanings.get(name)
        return schema | {"description": self.language.gettext(words)} if words else schema

    def figure(self, figure: Figure) -> Schema:
        """The schema of a figure of a company."""
        hints = get_type_hints(figure.get or CompetingEstimate) | ({} if figure.get else get_type_hints(Estimate))
        return self.field_of(figure.field, hints["return" if figure.get else figure.field])

    def _either(self, parts: tuple[Any, ...]) -> Schema:
        """Plain types as a list of them, anything else as a choice; `null` where None is one of the parts."""
        schemas = [{"type": "null"} if part is type(None) else self.of(part) for part in parts]
        if any("$ref" in schema for schema in schemas):
            return {"anyOf": schemas}
        either: Schema = {name: value for schema in schemas for name, value in schema.items()}
        either["type"] = [schema["type"] for schema in schemas]
        choices = [choice for schema in schemas for choice in schema.get("enum", ())]
        return either | ({"enum": [*choices, None]} if choices else {})

    def _array(self, parts: tuple[Any, ...]) -> Schema:
        if parts[-1] is Ellipsis:
            return {"type": "array", "items": self.of(parts[0])}
        return {"type": "array", "prefixItems": [self.of(part) for part in parts], "items": False}

    def _refer(self, cls: type) -> Schema:
        if self.classes.setdefault(cls.__name__, cls) is not cls:
            raise TypeError(f"two dataclasses are called {cls.__name__}; one of them needs a schema of its own")
        if cls.__name__ not in self.made:
            self.made[cls.__name__] = {}  # named before it is made: a dataclass may hold itself
            about = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
            self.made[cls.__name__] = {"description": about} | self.fields_of(cls)
        return reference(cls.__name__)


def reference(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(properties: Mapping[str, Schema], later: Collection[str] = ()) -> Schema:
    """An object that always has these properties, but for those that earlier releases do not have.

    A later version of the API may add others.
    """
    required = [name for name in properties if name not in later]
    return {"type": "object", "required": required, "properties": dict(properties)}


_HEAD = ("method", "as_of", "known_at", "period")
_NOT_OF_AN_EDITION = {"corrects", "reason", "hearing_waived", "companies", "hash_hits", "folder", "files"}
_TOTALS = ("totals", "unattributed")
_PARTS = ("flows", "norms", "quality", "earlier")  # each only where the release has it
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MAYBE: Schema = {"type": ["string", "null"]}


def shapes(language: Language = EN) -> dict[str, Schema]:
    """Every component of the document, by name."""
    made = Components(language)
    _companies(made)
    _releases(made)
    _methods(made)
    _across(made)
    return made.made


def _companies(made: Components) -> None:
    for name, left_out in (("Company", {"curve"}), ("CompanyWithCurve", set[str]())):
        filed = [figure for figure in FILED if figure.field not in left_out]
        later = {figure.field for figure in filed if figure.later}
        shown = record({figure.field: made.figure(figure) for figure in filed}, later)
        made.made[f"{name}Shown"] = shown
        made.made[f"{name}Withheld"] = _withheld(made, shown)
        made.made[name] = {"anyOf": [reference(f"{name}Shown"), reference(f"{name}Withheld")]}
    made.made["NetworkWithoutCurve"] = made.fields_of(Network, {"curve"})
    made.made["TableHead"] = record(_of_table(made, _HEAD) | {"method": _TEXT})
    totals = _of_table(made, _TOTALS)
    table = {"release": reference("Edition"), "network": reference("NetworkWithoutCurve")} | totals
    pages = dict.fromkeys(("found", "page", "pages", "per_page"), _COUNT)
    made.made["Ranking"] = _on_head(table | pages | {"companies": _list("Company")})
    release = record(table | {"release": reference("Announcement"), "companies": _COUNT})
    made.made["Group"] = _group(made)
    release["properties"] |= _of_table(made, _PARTS) | {"groups": _list("Group")}
    made.made["Release"] = {"allOf": [reference("TableHead"), release]}
    one = {"release": reference("Edition"), "company": reference("CompanyWithCurve")}
    made.made["CompanyInRelease"] = _on_head(one | {"network": made.of(Network)})
    made.made["CompanyLine"] = _on_head(one | {"company": reference("Company")})
    names = {"company": _TEXT, "name": _TEXT, "country": _MAYBE}
    made.made["CompanyHistory"] = record(names | {"releases": _list("CompanyLine")})


def _group(made: Components) -> Schema:
    """Companies under one control: who they are, and the figures of a company without those of the ranking."""
    about: dict[str, Schema] = {"group": _TEXT, "members": {"type": "array", "items": _TEXT}}
    figures = [figure for figure in FILED if figure.field != "curve"]
    figures = [figure for figure in figures if figure not in IDENTITY or figure.type == "standing"]
    later = {figure.field for figure in figures if figure.later and figure.get}
    return record(about | {figure.field: made.figure(figure) for figure in figures}, later)


def _of_table(made: Components, names: Collection[str]) -> dict[str, Schema]:
    """Those fields of a public table, by name."""
    schema = made.fields_of(PublicTable, {item.name for item in fields(PublicTable)} - set(names))
    properties: dict[str, Schema] = schema["properties"]
    return properties


def _withheld(made: Components, shown: Schema) -> Schema:
    """A company that keeps its name: every figure is null, and how few its episodes are is said in words."""
    kept = {figure.field: shown["properties"][figure.field] for figure in IDENTITY}
    few = {"type": "string", "pattern": "^<[0-9]+$", "description": made.language.gettext(FIGURES["episodes"].help)}
    later = shown["properties"].keys() - set(shown["required"])
    return record({key: {"type": "null"} for key in shown["properties"]} | kept | {"episodes": few}, later)


def _releases(made: Components) -> None:
    edition = made.fields_of(ReleaseVersion, _NOT_OF_AN_EDITION)
    version = {"type": ["integer", "null"]}
    more = {"corrects": version, "reason": _MAYBE, "hearing_waived": _MAYBE}
    made.made["Edition"] = edition
    made.made["Announcement"] = record(edition["properties"] | more)
    made.made["ReleaseList"] = record({"releases": _list("Announcement")})


def _methods(made: Components) -> None:
    head = {"version": _TEXT, "parameter_hash": _TEXT, "current": {"type": "boolean"}}
    made.made["MethodHead"] = record(head)
    made.made["MethodList"] = record({"methods": _list("MethodHead")})
    explained = record({key: {"type": "array", "items": made.of(Explained)} for key in map(str, LANGUAGES)})
    made.made["MethodVersion"] = record(head | {"parameters": made.of(Method), "explained": explained})


def _across(made: Components) -> None:
    points = {"type": "array", "items": made.of(TrendPoint)}
    made.made["Trend"] = record({"company": _MAYBE, "quarters": points})
    change = {"type": "array", "items": made.of(Change)}
    name = {"company": _TEXT, "name": _TEXT}
    made.made["CompanyName"] = record(name)
    made.made["CompanyChanges"] = record(name | {"changes": change})
    sides = dict.fromkeys(("from", "to"), reference("Announcement"))
    listed = dict.fromkeys(("came", "gone"), _list("CompanyName"))
    made.made["Comparison"] = record(sides | {"whole": change, "companies": _list("CompanyChanges")} | listed)


def _on_head(properties: dict[str, Schema]) -> Schema:
    """An object with the head of a table beside its own properties."""
    return {"allOf": [reference("TableHead"), record(properties)]}


def _list(name: str) -> Schema:
    return {"type": "array", "items": reference(name)}
