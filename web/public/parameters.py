"""What a reader of the public API may ask for: a model of the query of each operation, which reads and documents it.

`msgspec` alone would read more than we take: `1.0` and `1e2` as numbers and `null` as nothing, and it would repeat what
was asked for in its errors. So a number is made of its digits here, and the refusal is put in words of our own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo, fields
from werkzeug.datastructures import MultiDict

from monitor.figures import SORTS
from monitor.score.table import Standing
from monitor.wording.language import EN, Message
from monitor.wording.readings import Order
from web.public.schemas import Schema, says, schema_of
from web.shared.problems import Problem

if TYPE_CHECKING:
    Sort = str
else:
    Sort = Literal[tuple(SORTS)]
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_FIXED = Message("The version of the release; without this parameter the newest. A fixed version never changes.")

Period = Annotated[
    str,
    says(
        Message("The period as a release names it: a quarter, or two days. `latest` leads to the last one."),
        "2026Q2",
        max_length=32,
    ),
]
Key = Annotated[str, says(Message("The lasting key of the company."), "as64496", max_length=96)]
MethodVersion = Annotated[str, says(Message("The version of the method."), "2026.1", max_length=32)]
Version = Annotated[int, says(_FIXED, 1, ge=1, le=999_999_999)]
Table = Annotated[
    Literal["notices", "hash_hits"],
    says(Message("The table of the notices, or that of the hits of the hash service."), "notices"),
]


class ApiQuery(Struct, frozen=True, kw_only=True):
    """A query without parameters."""


class VersionQuery(ApiQuery, frozen=True, kw_only=True):
    """Which version of a release."""

    version: Version | None = None


class RankingQuery(VersionQuery, frozen=True, kw_only=True):
    """Which companies of a release, in which order, and how many at a time."""

    table: Table = "notices"
    q: Annotated[str, says(Message("Only companies with this text in name or key."), "host", max_length=100)] | None = (
        None
    )
    standing: Annotated[Standing, says(Message("Only companies with this standing."), "below")] | None = None
    sort: Annotated[
        Sort,
        says(Message("What the companies are ordered by. Companies without a rank always come last."), "on_time"),
    ] = "rank"
    order: (
        Annotated[Order, says(Message("Ascending or descending; without this parameter as on the page."), "desc")]
        | None
    ) = None
    page: Annotated[int, says(Message("Which page; there is none beyond the last."), 1, ge=1, le=999_999_999)] = 1
    per_page: Annotated[int, says(Message("How many companies stand on a page."), 50, ge=1, le=500)] = 50


class TrendQuery(ApiQuery, frozen=True, kw_only=True):
    """Of whom."""

    company: Annotated[str, says(Message("Only this company, by its key."), "as64496", max_length=96)] | None = None


class CompareQuery(ApiQuery, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Which two releases."""

    from_: Annotated[str, says(Message("The period to compare with."), "2026Q1", max_length=32)]
    to: Annotated[str, says(Message("The period that is compared."), "2026Q2", max_length=32)]
    from_version: Version | None = None
    to_version: Version | None = None
    table: Table = "notices"


Q = TypeVar("Q", bound=ApiQuery)


def read_query(args: MultiDict[str, str], model: type[Q]) -> Q:
    """The query as that model; raises Problem 400 for a parameter that is unknown, given twice, missing or no good."""
    known = fields_of(model)
    for name, values in args.lists():
        if name not in known:
            takes = f"Known are: {', '.join(known)}." if known else "This address takes none."
            raise Problem(400, "parameter", "Bad parameter", f"The query has a parameter that is not known. {takes}")
        if len(values) > 1:
            raise _refused(name, f"{name} is given more than once.")
    for name, (field, _) in known.items():
        if field.required and name not in args:
            raise _refused(name, f"{name} is missing.")
    return model(**{known[name][0].name: _read(name, text, *known[name]) for name, text in args.items()})


@cache
def fields_of(model: type[Struct]) -> dict[str, tuple[FieldInfo, Schema]]:
    """The fields of a model by their names in a request, each with its schema in English."""
    return {field.encode_name: (field, schema_of(field.type, EN)) for field in fields(model)}


def _read(name: str, text: str, field: FieldInfo, schema: Schema) -> str | int:
    value = int(text) if schema["type"] == "integer" and _WHOLE.fullmatch(text) else text
    try:
        read: str | int = msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        raise _refused(name, f"{name} must be {_wanted(schema)}.") from None  # its message may repeat the value
    return read


def _wanted(schema: Schema) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema["type"] == "string":
        return f"at most {schema['maxLength']} characters long"
    return f"a whole number from {schema['minimum']} to {schema['maximum']}"


def _refused(name: str, detail: str) -> Problem:
    """The refusal of one parameter, which it names."""
    return Problem(400, "parameter", "Bad parameter", detail, parameter=name)
