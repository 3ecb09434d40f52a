"""The API's own description: valid, whole, true to every answer, and nothing that schemathesis sends breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec import UNSET, Struct, UnsetType
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from monitor.settings import Settings
from monitor.wording.language import EN, NL, Message
from web.desk.app import create_app as create_desk
from web.public.openapi import document as described
from web.public.schemas import components, says

ANSWERS = (
    "releases",
    "releases/2026Q2",
    "releases/2026Q2?version=1",
    "releases/2026-03-11..2026-04-11",
    "rankings/2026Q2",
    "rankings/2026Q1?per_page=7&page=2",
    "rankings/2026Q2?table=hash_hits",
    "rankings/2026-03-11..2026-04-11",
    "companies/as64500",
    "companies/as64509",
    "companies/as64500/2026Q2",
    "companies/as64509/2026Q2",
    "trend",
    "trend?company=as64509",
    "compare?from=2026Q1&to=2026Q2",
    "compare?from=2026Q2&to=2026Q2&table=hash_hits",
    "methods",
    "methods/2026.1",
    "rankings/1999Q1",
    "rankings/2026Q1?page=x",
)


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    """The document as a reader gets it."""
    read = app.test_client().get("/api/v1/openapi.json").json
    assert isinstance(read, dict)
    return read


def shut(document: Mapping[str, Any]) -> Any:
    """The document with its objects closed: they may have nothing that is not written down."""
    schemas = {
        name: schema | ({"additionalProperties": False} if "properties" in schema and name != "Report" else {})
        for name, schema in document["components"]["schemas"].items()
    }
    return {"components": {"schemas": schemas}}


def operation_of(document: Mapping[str, Any], address: str) -> Mapping[str, Any]:
    """The GET that answers to an address."""
    asked = address.partition("?")[0].split("/")
    for path, methods in document["paths"].items():
        parts = path.strip("/").split("/")
        if len(parts) == len(asked) and all(p == a or p[0] == "{" for p, a in zip(parts, asked, strict=True)):
            found: Mapping[str, Any] = methods["get"]
            return found
    raise AssertionError(address)


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
        assert schema, name


@pytest.mark.parametrize(
    ("contact", "written"),
    [
        ("", None),
        ("meldpunt@monitor.example", {"email": "meldpunt@monitor.example"}),
        ("https://monitor.example/contact", {"url": "https://monitor.example/contact"}),
    ],
)
def test_the_contact_is_written_as_openapi_asks(contact: str, written: dict[str, str] | None) -> None:
    made = described(Settings(contact=contact).site)
    assert made["info"].get("contact") == written
    assert OPENAPI_31_VALIDATOR.is_valid(made)


def test_every_address_of_the_api_is_in_it_and_no_other(app: Flask, document: dict[str, Any], tmp_path: Path) -> None:
    """Those of the public site and those of the desk."""
    served, desk = set(), create_desk(Settings(home=tmp_path))
    for rule in (*app.url_map.iter_rules(), *desk.url_map.iter_rules()):
        if rule.rule.startswith("/api/"):
            path = "".join(f"{{{part}}}" if argument else part for argument, part in rule._trace if part != "|")
            served |= {(path, method.lower()) for method in rule.methods or () if method not in ("HEAD", "OPTIONS")}
    told = {("/api/v1" + path, method) for path, methods in document["paths"].items() for method in methods}
    assert told == served


def test_a_count_and_a_share_of_one_name_are_described_as_what_they_are(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    counts, share = schemas["OnTime"]["properties"], schemas["CompanyShown"]["properties"]["on_time"]
    assert counts["on_time"]["description"] == "Confirmed offline within the deadline."
    assert counts["late"]["description"] == "Seen online after the deadline."
    assert share["description"].startswith("Part of the episodes in which the material was gone within the deadline.")
    assert "description" not in schemas["Parameter"]["properties"]["name"]


def test_only_the_door_asks_for_a_token(document: dict[str, Any]) -> None:
    asks = {
        path: operation["security"] for path, methods in document["paths"].items() for operation in methods.values()
    }
    guarded = {path for path, security in asks.items() if security}
    assert guarded == {"/notices", "/deliveries/{number}"}


@pytest.mark.parametrize("address", ANSWERS)
def test_an_answer_has_what_its_schema_says_and_nothing_else(
    client: FlaskClient, document: dict[str, Any], address: str
) -> None:
    answer = client.get(f"/api/v1/{address}")
    said = operation_of(document, address)["responses"][str(answer.status_code)]
    schema = said["content"][answer.mimetype]["schema"]
    jsonschema_rs.validate(shut(document) | schema, answer.json, validate_formats=True)


def test_every_example_is_one(document: dict[str, Any]) -> None:
    schemas = shut(document)
    examples = 0
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", ()):
            jsonschema_rs.validate(schemas | schema, example)
    for methods in document["paths"].values():
        for operation in methods.values():
            contents = [part.get("content", {}) for part in operation["responses"].values()]
            contents.append(operation.get("requestBody", {}).get("content", {}))
            told = [(part["schema"], part["example"]) for part in operation["parameters"]]
            told += [(c["schema"], c["example"]) for group in contents for c in group.values() if "example" in c]
            told += [
                (c["schema"], example["value"])
                for group in contents
                for c in group.values()
                for example in c.get("examples", {}).values()
            ]
            for schema, example in told:
                jsonschema_rs.validate(schemas | schema, example)
                examples += 1
    assert examples > 25


@dataclass(frozen=True)
class Inner:
    """Something within."""

    kind: Literal["a", "b"] | None


@dataclass(frozen=True)
class Outer:
    """A value. With more to say

    that stays in the code.
    """

    number: int | float | None
    known_at: str
    inner: Inner | None
    pair: tuple[int, str]
    many: Mapping[str, int | None]


class Model(Struct):
    """A model."""

    title: Annotated[str, says(Message("yes"), "x", max_length=3)]
    verdict: Literal["b", "a"] = "a"
    outer: Outer | UnsetType = UNSET


def test_a_model_becomes_its_schema() -> None:
    number = {"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]}
    assert components([tuple[Outer, ...], Model], NL) == {
        "Outer": {
            "description": "A value. With more to say",
            "type": "object",
            "required": ["number", "known_at", "inner", "pair", "many"],
            "properties": {
                "number": number,
                "known_at": {"type": "string", "format": "date-time"},
                "inner": {"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]},
                "pair": {
                    "type": "array",
                    "prefixItems": [{"type": "integer"}, {"type": "string"}],
                    "items": False,
                    "minItems": 2,
                    "maxItems": 2,
                },
                "many": {"type": "object", "additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
            },
        },
        "Inner": {
            "description": "Something within.",
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]}},
        },
        "Model": {
            "description": "A model.",
            "type": "object",
            "required": ["title", "verdict"],
            "properties": {
                "title": {"type": "string", "maxLength": 3, "example": "x", "description": "ja"},
                "verdict": {"type": "string", "enum": ["a", "b"]},
                "outer": {"$ref": "#/components/schemas/Outer"},
            },
        },
    }


def test_models_that_have_no_schema_or_one_name_are_refused() -> None:
    with pytest.raises(TypeError, match="is not supported"):
        components([object], EN)

    class Holder:
        @dataclass
        class Inner:
            number: int

    with pytest.raises(TypeError, match=r"several models have the same name: .*Inner, .*Inner"):
        components([Inner, Holder.Inner], EN)


def test_a_desk_at_another_address_is_where_hotlines_push() -> None:
    made = described(Settings(desk_address="https://desk.example").site)["paths"]
    for path, methods in made.items():
        for operation in methods.values():
            pushes = path.startswith(("/notices", "/deliveries"))
            assert operation.get("servers") == ([{"url": "https://desk.example/api/v1"}] if pushes else None)
