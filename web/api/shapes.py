"""The schemas of the public API's answers: our dataclasses, put together as the views put them together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import get_type_hints

from monitor.comparison.changes import Change
from monitor.comparison.trend import TrendPoint
from monitor.disclosure.network import Network
from monitor.disclosure.rows import PublicTable, Row, volume
from monitor.score.methods import Method
from monitor.score.table import Estimate
from monitor.wording.parameters import Parameter as Explained
from monitor.wording.words import FIGURES, Language
from web.api.schemas import Components, Schema, record, reference
from web.releases import ReleaseVersion

_IDENTITY = ("company", "name", "country", "via_proxy", "standing")
_HEAD = ("method", "as_of", "known_at", "period")
_TOTALS = ("totals", "unattributed")
_PARTS = ("flows", "norms", "quality")  # each only where the release has it
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MAYBE: Schema = {"type": ["string", "null"]}


def shapes(language: Language = "en") -> dict[str, Schema]:
    """Every component of the document, by name."""
    made = Components(language)
    _companies(made)
    _releases(made)
    _methods(made)
    _across(made)
    return made.made


def _companies(made: Components) -> None:
    for name, left_out in (("Company", {"curve"}), ("CompanyWithCurve", set[str]())):
        shown = made.fields_of(Estimate, left_out)
        shown = record(shown["properties"] | {"volume": made.field_of("volume", get_type_hints(volume)["return"])})
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
    release["properties"] |= _of_table(made, _PARTS)
    made.made["Release"] = {"allOf": [reference("TableHead"), release]}
    one = {"release": reference("Edition"), "company": reference("CompanyWithCurve")}
    made.made["CompanyInRelease"] = _on_head(one | {"network": made.of(Network)})
    made.made["CompanyLine"] = _on_head(one | {"company": reference("Company")})
    names = {"company": _TEXT, "name": _TEXT, "country": _MAYBE}
    made.made["CompanyHistory"] = record(names | {"releases": _list("CompanyLine")})


def _of_table(made: Components, names: Collection[str]) -> dict[str, Schema]:
    """Those fields of a public table, by name."""
    schema = made.fields_of(PublicTable, {item.name for item in fields(PublicTable)} - set(names))
    properties: dict[str, Schema] = schema["properties"]
    return properties


def _withheld(made: Components, shown: Schema) -> Schema:
    """A company that keeps its name: every figure is null, and how few its episodes are is said in words."""
    kept = made.fields_of(Row, {item.name for item in fields(Row)} - set(_IDENTITY))["properties"]
    few = {"type": "string", "pattern": "^<[0-9]+$", "description": FIGURES["episodes"].help[made.language]}
    return record({key: {"type": "null"} for key in shown["properties"]} | kept | {"episodes": few})


def _releases(made: Components) -> None:
    edition = made.fields_of(ReleaseVersion, {"id"})
    version = {"type": ["integer", "null"]}
    more = {"corrects": version, "reason": _MAYBE, "hearing_waived": _MAYBE}
    made.made["Edition"] = edition
    made.made["Announcement"] = record(edition["properties"] | more)
    made.made["ReleaseList"] = record({"releases": _list("Announcement")})


def _methods(made: Components) -> None:
    head = {"version": _TEXT, "parameter_hash": _TEXT, "current": {"type": "boolean"}}
    made.made["MethodHead"] = record(head)
    made.made["MethodList"] = record({"methods": _list("MethodHead")})
    explained = record({key: {"type": "array", "items": made.of(Explained)} for key in ("nl", "en")})
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
