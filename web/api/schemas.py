"""JSON Schemas (2020-12) made from our frozen dataclasses, so that the API's document cannot drift from its answers."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from monitor.wording.words import FIGURES, Language
from web.api.field_words import FIELD_WORDS

Schema = dict[str, Any]
_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}
_INSTANTS = {"as_of", "known_at", "published_at", "received_at", "first", "last", "starts", "ends"}
_HELP = {
    "median_hours": "median",
    "p90_hours": "p90",
    "mean_online_hours_7d": "mean_online",
    "oldest_hours": "oldest",
    "exposure_hours": "exposure",
}


@dataclass(frozen=True, slots=True)
class Components:
    """The named schemas of a document, each `made` when it is first referred to; helps are in one language."""

    language: Language = "en"
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
        """An object with the fields of a dataclass, all of them always there."""
        hints = get_type_hints(cls)
        names = [item.name for item in fields(cls) if item.name not in leave_out]
        return record({name: self.field_of(name, hints[name]) for name in names})

    def field_of(self, name: str, hint: Any) -> Schema:
        """The schema of a type under a name, which may say what it means."""
        schema = self.of(hint)
        if name in _INSTANTS:
            schema = schema | {"format": "date-time"}
        figure = FIGURES.get(_HELP.get(name, name))
        words = figure.help if figure else FIELD_WORDS.get(name)
        return schema | {"description": words[self.language]} if words else schema

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


def record(properties: Mapping[str, Schema]) -> Schema:
    """An object that always has these properties; a later version of the API may add others."""
    return {"type": "object", "required": list(properties), "properties": dict(properties)}
