"""What a reader of the public API may ask for: one record per parameter, which both checks and documents it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from werkzeug.datastructures import MultiDict

from monitor.figures import SORTS
from monitor.wording.language import Language, Message
from monitor.wording.words import STANDING_WORDS
from web.shared.problems import Problem

Value = str | int
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path or the query. Its JSON Schema has a type, and an `enum` or bounds where there are any."""

    name: str
    schema: Mapping[str, Any]
    about: Message
    example: Value
    where: Literal["path", "query"] = "query"
    required: bool = field(default=False)

    def read(self, text: str) -> Value:
        """The value of that text; raises Problem 400 that says what would do, without repeating the text."""
        if self.schema["type"] == "string":
            if len(text) <= self.schema.get("maxLength", len(text)) and text in self.schema.get("enum", (text,)):
                return text
        elif _WHOLE.fullmatch(text):
            number = int(text)
            if self.schema["minimum"] <= number <= self.schema["maximum"]:
                return number
        raise refused(self.name, f"{self.name} must be {self._wanted()}.")

    def as_json(self, language: Language) -> dict[str, Any]:
        """As OpenAPI writes a parameter."""
        return {
            "name": self.name,
            "in": self.where,
            "required": self.required or self.where == "path",
            "description": language.gettext(self.about),
            "schema": dict(self.schema),
            "example": self.example,
        }

    def _wanted(self) -> str:
        if "enum" in self.schema:
            return f"one of {', '.join(self.schema['enum'])}"
        if self.schema["type"] == "string":
            return f"at most {self.schema['maxLength']} characters long"
        return f"a whole number from {self.schema['minimum']} to {self.schema['maximum']}"


def refused(name: str, detail: str) -> Problem:
    """The refusal of one parameter, which it names."""
    return Problem(400, "parameter", "Bad parameter", detail, parameter=name)


def read_query(args: MultiDict[str, str], known: Sequence[Parameter]) -> dict[str, Value]:
    """The query parameters given; raises Problem 400 for one that is unknown, given twice, missing or out of range."""
    asked = {item.name: item for item in known if item.where == "query"}
    for name, values in args.lists():
        if name not in asked:
            takes = f"Known are: {', '.join(asked)}." if asked else "This address takes none."
            raise Problem(400, "parameter", "Bad parameter", f"The query has a parameter that is not known. {takes}")
        if len(values) > 1:
            raise refused(name, f"{name} is given more than once.")
    for item in asked.values():
        if item.required and item.name not in args:
            raise refused(item.name, f"{item.name} is missing.")
    return {name: asked[name].read(value) for name, value in args.items()}


_NUMBER = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
_PERIOD = {"type": "string", "maxLength": 32}

PERIOD = Parameter(
    "period",
    _PERIOD,
    Message("The period as a release names it: a quarter, or two days. `latest` leads to the last one."),
    "2026Q2",
    "path",
)
KEY = Parameter(
    "key",
    {"type": "string", "maxLength": 96},
    Message("The lasting key of the company."),
    "as64496",
    "path",
)
METHOD = Parameter(
    "version",
    {"type": "string", "maxLength": 32},
    Message("The version of the method."),
    "2026.1",
    "path",
)
VERSION = Parameter(
    "version",
    _NUMBER,
    Message("The version of the release; without this parameter the newest. A fixed version never changes."),
    1,
)
TABLE = Parameter(
    "table",
    {"type": "string", "enum": ["notices", "hash_hits"], "default": "notices"},
    Message("The table of the notices, or that of the hits of the hash service."),
    "notices",
)
TEXT = Parameter(
    "q",
    {"type": "string", "maxLength": 100},
    Message("Only companies with this text in name or key."),
    "host",
)
STANDING = Parameter(
    "standing",
    {"type": "string", "enum": list(STANDING_WORDS)},
    Message("Only companies with this standing."),
    "below",
)
SORT = Parameter(
    "sort",
    {"type": "string", "enum": list(SORTS), "default": "rank"},
    Message("What the companies are ordered by. Companies without a rank always come last."),
    "on_time",
)
ORDER = Parameter(
    "order",
    {"type": "string", "enum": ["asc", "desc"]},
    Message("Ascending or descending; without this parameter as on the page."),
    "desc",
)  # fmt: skip
PAGE = Parameter(
    "page",
    _NUMBER | {"default": 1},
    Message("Which page; there is none beyond the last."),
    1,
)
PER_PAGE = Parameter(
    "per_page",
    {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
    Message("How many companies stand on a page."),
    50,
)


def _side(name: str, about: Message, example: str) -> Parameter:
    return Parameter(name, _PERIOD, about, example, required=True)


FROM = _side("from", Message("The period to compare with."), "2026Q1")
TO = _side("to", Message("The period that is compared."), "2026Q2")
FROM_VERSION = Parameter("from_version", _NUMBER, VERSION.about, 1)
TO_VERSION = Parameter("to_version", _NUMBER, VERSION.about, 1)
COMPANY = Parameter(
    "company",
    KEY.schema,
    Message("Only this company, by its key."),
    "as64496",
)
