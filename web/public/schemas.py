"""JSON Schemas (2020-12) of typed models, as `msgspec` makes them, in the form and words of our OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Meta

from monitor.wording.language import Language, Message

Schema = dict[str, Any]
_INSTANTS = {"as_of", "known_at", "published_at", "received_at", "first", "last", "starts", "ends"}


def says(about: Message, example: str | int | None = None, **limits: Any) -> Meta:
    """What a field means, an example of its value, and what the value may be (as `msgspec.Meta` takes it)."""
    more = {} if example is None else {"example": example}
    return Meta(extra_json_schema={"description": about} | more, **limits)


def reference(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def components(models: Iterable[type], language: Language) -> dict[str, Schema]:
    """The schemas of those models and of all that they hold, by name; raises TypeError where two have one name."""
    _, made = msgspec.json.schema_components(models, ref_template=reference("{name}")["$ref"])
    if doubled := sorted(name for name in made if "." in name):
        raise TypeError(f"several models have the same name: {', '.join(doubled)}")
    return {name: _component(schema, language) for name, schema in made.items()}


def schema_of(hint: Any, language: Language) -> Schema:
    """The schema of one value that is no model of its own; None is not among its values: it is then left out."""
    (schema,), _ = msgspec.json.schema_components([hint])
    either = [part for part in schema.pop("anyOf", [{}]) if part != {"type": "null"}]
    return _finished(schema | either[0], language)


def _component(schema: Schema, language: Language) -> Schema:
    """A model of which every field is there, with or without a default, but for those that may be UNSET."""
    schema = _finished(schema, language)
    for key, field in schema.get("properties", {}).items():
        if "default" in field:
            del field["default"]
            schema["required"].append(key)
        if key in _INSTANTS:
            field["format"] = "date-time"
    return schema


def _finished(schema: Schema, language: Language) -> Schema:
    """The schema and those within: described in that language or by the first paragraph, and each with its type."""
    made = {key: _within(value, language) if key in _HOLDS else value for key, value in schema.items()}
    made.pop("title", None)
    about = made.get("description")
    if isinstance(about, str):
        made["description"] = " ".join(about.split("\n\n")[0].split())
    elif about:  # a Message, as `msgspec` hands it on
        made["description"] = language.gettext(Message(**about))
    if "enum" in made:
        made = {"type": "string" if isinstance(made["enum"][0], str) else "integer"} | made
    if "properties" in made:
        made["properties"] = {name: _finished(field, language) for name, field in made["properties"].items()}
    return made


_HOLDS = ("items", "anyOf", "prefixItems", "additionalProperties")


def _within(part: Any, language: Language) -> Any:
    if isinstance(part, list):
        return [_finished(item, language) for item in part]
    return _finished(part, language) if isinstance(part, dict) else part
