"""What the public API answers, as typed models: an answer is made of its model, and the OpenAPI document from it too.

The models of a company follow from the registry of figures. The JSON of a row is that of the open data, and is not made
a second time: `Company` and its like stand for such plain data, with the schema of their model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from monitor.comparison.changes import Change
from monitor.comparison.trend import TrendPoint
from monitor.disclosure.network import CompetingNetwork, Network, TotalLine
from monitor.disclosure.rows import Unattributed
from monitor.figures import FIGURES, FILED, IDENTITY, LATENESS
from monitor.score.methods import Method
from monitor.score.table import (
    CompetingEstimate,
    CompetingOnTime,
    EarlierMethod,
    Estimate,
    Flow,
    Norm,
    OnTime,
    Quality,
)
from monitor.wording.language import Language, Message
from monitor.wording.parameters import Parameter
from monitor.wording.readings import Figure
from web.public.schemas import Schema, components, reference, says


def _model(name: str, about: str, hints: Mapping[str, Any], later: Collection[str]) -> type[Struct]:
    """A model of fields that are worked out; those `later` are not in earlier releases."""
    of = [(field, hint | UnsetType, UNSET) if field in later else (field, hint) for field, hint in hints.items()]
    return defstruct(name, of, kw_only=True, namespace={"__doc__": about})


_HINTS = get_type_hints(CompetingEstimate) | get_type_hints(Estimate)


def _hint(figure: Figure) -> Any:
    """The type of a figure of a company."""
    return get_type_hints(figure.get)["return"] if figure.get else _HINTS[figure.field]


def _company(figures: Collection[Figure], name: str) -> tuple[type[Struct], type[Struct]]:
    """A company with those figures; and one that keeps its name only, with how few episodes it has in words."""
    hints = {figure.field: _hint(figure) for figure in figures}
    later = {figure.field for figure in figures if figure.later}
    few = Annotated[str, says(FIGURES["episodes"].help, pattern="^<[0-9]+$")]
    kept = {figure.field: hints[figure.field] for figure in IDENTITY} | {"episodes": few}
    return (
        _model(f"{name}Shown", "A company with its figures.", hints, later),
        _model(f"{name}Withheld", "A company with too few episodes.", dict.fromkeys(hints, type(None)) | kept, later),
    )


def _group() -> type[Struct]:
    """Companies under one control: who they are, and the figures of a company without those of the ranking."""
    figures = [item for item in _PLAIN if item not in IDENTITY or item.type == "standing"]
    later = {item.field for item in figures if item.later and item.get}
    hints = {"group": str, "members": tuple[str, ...]} | {item.field: _hint(item) for item in figures}
    return _model("Group", "Companies under one control, taken as one.", hints, later)


def _method() -> type[Struct]:
    """The parameters of a method: one that a later method brought is not among those of an earlier one."""
    later = {item.name for item in fields(Method) if item.default is None}
    return _model("Method", Method.__doc__ or "", get_type_hints(Method), later)


_PLAIN = [figure for figure in FILED if figure.field != "curve"]
_FROM_FIGURES = (*_company(_PLAIN, "Company"), *_company(FILED, "CompanyWithCurve"), _group(), _method(), Network)


def _plain(name: str) -> Meta:
    return Meta(extra_json_schema=reference(name))


Company = Annotated[dict[str, Any], _plain("Company")]
CompanyWithCurve = Annotated[dict[str, Any], _plain("CompanyWithCurve")]
GroupFigures = Annotated[dict[str, Any], _plain("Group")]
NetworkWithoutCurve = Annotated[dict[str, Any], _plain("NetworkWithoutCurve")]
NetworkWithCurve = Annotated[dict[str, Any], _plain("Network")]
Parameters = Annotated[dict[str, Any], _plain("Method")]
Count = Annotated[int, Meta(ge=0)]


class Answer(Struct, frozen=True, kw_only=True):
    """What one address answers, or a part of it; a later version of the API may add fields."""


class Edition(Answer, frozen=True, kw_only=True):
    """Which version of which period, and the fingerprint of its manifest."""

    period: str
    version: int
    published_at: str | None
    manifest_sha256: str


class Announcement(Edition, frozen=True, kw_only=True):
    """Which release was published, what it corrects and why, and why there was no hearing."""

    corrects: int | None
    reason: str | None
    hearing_waived: str | None


class ReleaseList(Answer, frozen=True, kw_only=True):
    """All versions of all periods."""

    releases: list[Announcement]


class TableHead(Answer, frozen=True, kw_only=True):
    """Which table this is."""

    method: str
    as_of: str
    known_at: str
    period: str


class Release(TableHead, frozen=True, kw_only=True):
    """One release: what it is, its network and its totals; the other parts only where the release has them."""

    release: Announcement
    companies: Count
    network: NetworkWithoutCurve
    totals: tuple[TotalLine, ...]
    unattributed: Unattributed
    flows: tuple[Flow, ...] | UnsetType = UNSET
    norms: tuple[Norm, ...] | UnsetType = UNSET
    quality: Quality | UnsetType = UNSET
    groups: list[GroupFigures] | UnsetType = UNSET
    earlier: EarlierMethod | UnsetType = UNSET


class Ranking(TableHead, frozen=True, kw_only=True):
    """A page of the companies of a release."""

    release: Edition
    found: Count
    page: Count
    pages: Count
    per_page: Count
    companies: list[Company]
    network: NetworkWithoutCurve
    totals: tuple[TotalLine, ...]
    unattributed: Unattributed


class CompanyLine(TableHead, frozen=True, kw_only=True):
    """What one release says of a company."""

    release: Edition
    company: Company


class CompanyHistory(Answer, frozen=True, kw_only=True):
    """What each release says of one company; of each period the newest version."""

    company: str
    name: str
    country: str | None
    releases: list[CompanyLine]


class CompanyInRelease(TableHead, frozen=True, kw_only=True):
    """One company in one release, with its curve and that of the network."""

    release: Edition
    company: CompanyWithCurve
    network: NetworkWithCurve


class Trend(Answer, frozen=True, kw_only=True):
    """The network (`company` is None) or one company, quarter by quarter."""

    company: str | None
    quarters: tuple[TrendPoint, ...]


class CompanyName(Answer, frozen=True, kw_only=True):
    """Which company."""

    company: str
    name: str


class CompanyChanges(CompanyName, frozen=True, kw_only=True):
    """What differs of one company."""

    changes: tuple[Change, ...]


class Comparison(Answer, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What differs between two releases, and the companies that came or went."""

    from_: Announcement
    to: Announcement
    whole: tuple[Change, ...]
    companies: list[CompanyChanges]
    came: list[CompanyName]
    gone: list[CompanyName]


class MethodHead(Answer, frozen=True, kw_only=True):
    """One version of the method."""

    version: str
    parameter_hash: str
    current: bool


class MethodList(Answer, frozen=True, kw_only=True):
    """All versions of the method."""

    methods: list[MethodHead]


class MethodVersion(MethodHead, frozen=True, kw_only=True):
    """Every parameter of one version of the method, and what each means, by language."""

    parameters: Parameters
    explained: dict[str, tuple[Parameter, ...]]


# What has more fields since method 2026.2: those are there in releases under it only.
_SINCE: Mapping[type, type] = {OnTime: CompetingOnTime, Network: CompetingNetwork}
_MEANINGS: Mapping[str, Message] = {figure.field: figure.in_api or figure.help for figure in FILED}
_OTHERWISE: Mapping[str, Mapping[str, Message]] = {  # models in which the same names mean something else
    "OnTime": {name: figure.help for name, figure in LATENESS.items()},
    "Parameter": {},
}


def schemas(models: Collection[type], language: Language) -> dict[str, Schema]:
    """The components of those models, with all that a company, a group or a network may say, and what figures mean."""
    made = components([*models, *_FROM_FIGURES, *_SINCE.values()], language)
    for earlier, newest in _SINCE.items():
        made[earlier.__name__]["properties"] = made.pop(newest.__name__)["properties"]
    for name, schema in made.items():
        meanings = _OTHERWISE.get(name, _MEANINGS)
        for key, field in schema["properties"].items():
            if key in meanings and field != {"type": "null"}:
                field.setdefault("description", language.gettext(meanings[key]))
    for name in ("Company", "CompanyWithCurve"):
        made[name] = {"anyOf": [reference(f"{name}Shown"), reference(f"{name}Withheld")]}
    network = made["Network"]
    made["NetworkWithoutCurve"] = network | {
        "required": [name for name in network["required"] if name != "curve"],
        "properties": {name: field for name, field in network["properties"].items() if name != "curve"},
    }
    return made
