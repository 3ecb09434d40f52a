"""The API for people to read, at `/en/api` and `/nl/api`: every word of it comes from the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, make_response, render_template
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from monitor.wording.words import LANGUAGES, Language
from web import languages
from web.addresses import settings
from web.api.openapi import PREFIX, document
from web.pages import release_tables, session
from web.releases import ReleaseIndex, release_index
from web.transfer import released


@dataclass(frozen=True, slots=True)
class Described:
    """One operation as the page shows it; `example` is an address that answers here, where there is one."""

    name: str
    method: str
    path: str
    tag: str
    title: str
    about: str
    parameters: tuple[Mapping[str, Any], ...]
    responses: Mapping[str, str]
    example: str | None
    body: str | None


def add_api_page(app: Flask) -> None:
    """Register the page in both languages."""
    app.jinja_env.filters["code"] = coded
    for language in LANGUAGES:
        path = f"/{language}/{languages.PATHS[language]['api']}"
        app.add_url_rule(path, "api_page", api_page, defaults={"lang": language})


def api_page(lang: Language) -> Response:
    """Every operation with its parameters and answers, and the fields of a company."""
    told = document(settings(), lang)
    fields = told["components"]["schemas"]["CompanyShown"]["properties"]
    page = render_template(
        "api.html",
        about=told["info"]["description"],
        tags=[tag["name"] for tag in told["tags"]],
        operations=tuple(described(told, _examples(release_index(session())))),
        fields=[(name, _type(field), field.get("description", "")) for name, field in fields.items()],
    )
    return released(make_response(page))


def described(told: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Described]:
    """The operations of a document in its order; `known` has values that exist here, by parameter."""
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            yield Described(
                name=operation["operationId"],
                method=method.upper(),
                path=PREFIX + path,
                tag=operation["tags"][0],
                title=operation["summary"],
                about=operation["description"],
                parameters=tuple(operation["parameters"]),
                responses={code: answer["description"] for code, answer in operation["responses"].items()},
                example=None if operation["security"] else _example(path, operation["parameters"], known),
                body=body and json.dumps(body["examples"]["one"]["value"], indent=2),
            )


def coded(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def _examples(known: ReleaseIndex) -> dict[str, str]:
    """A period, the one before it, a company and a method that this site has; nothing before the first release."""
    if not known.newest:
        return {}
    last = known.newest[0]
    before = known.newest[min(1, len(known.newest) - 1)]
    table = release_tables().table(session(), last)
    company = {"key": table.rows[0].company} if table.rows else {}
    return {"period": last.period, "to": last.period, "from": before.period, "version": table.method.version} | company


def _example(path: str, parameters: list[Mapping[str, Any]], known: Mapping[str, str]) -> str | None:
    """An address with what must be given filled in; None where we have nothing to fill in."""
    needed = {item["name"]: item["in"] for item in parameters if item["required"]}
    if not needed.keys() <= known.keys():
        return None
    asked = urlencode({name: known[name] for name, where in needed.items() if where == "query"})
    return PREFIX + path.format_map(known) + (f"?{asked}" if asked else "")


def _type(schema: Mapping[str, Any]) -> str:
    """The type of a field in few words: `number or null`, `list of SurvivalPoint`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " | ".join(_type(part) for part in schema["anyOf"])
    kind = schema["type"]
    if kind == "array":
        return f"{_type(schema['items'])}[]"
    return " | ".join(kind) if isinstance(kind, list) else str(kind)
