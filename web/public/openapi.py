"""The OpenAPI 3.1 document of the API, made from the operations, the parameters and the dataclasses behind the answers;
and the same for people to read, at `/en/api` and `/nl/api`.

<https://spec.openapis.org/oas/v3.1.1.html>; the schemas are JSON Schema 2020-12.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, render_template
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from monitor.release.published import ReleaseIndex
from monitor.settings import SiteSettings
from monitor.wording.language import EN, NL, Language, Message
from web.public.operations import OPERATIONS, Operation
from web.public.parameters import PERIOD
from web.public.push_document import HOTLINE_TOKEN, push_paths, push_schemas
from web.public.releases import release_index, table_of
from web.public.schemas import shapes
from web.shared.addresses import settings
from web.shared.headers import released

bp = Blueprint("openapi", __name__)
PREFIX = "/api/v1"
PUBLIC = Message("Published figures")
NOTICES = Message("Sending notices")
_SAID: dict[str, Message] = {
    "400": Message("A parameter is wrong; `parameter` names it."),
    "404": Message("That is not published."),
    "406": Message("We only answer in JSON."),
    "500": Message("Something went wrong on our side."),
    "503": Message("Not reachable now; wait for `Retry-After`."),
}
_HEADERS = {
    "ETag": {"description": "RFC 9110", "required": True, "schema": {"type": "string"}},
    "Cache-Control": {"description": "RFC 9111", "required": True, "schema": {"type": "string"}},
    "Link": {"description": "RFC 8288: describedby, and first, prev, next, last", "schema": {"type": "string"}},
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def document(known: SiteSettings, language: Language = EN) -> dict[str, Any]:
    """The whole document; its words in one language, save the descriptions of schemas, which are English."""
    return {
        "openapi": "3.1.0",
        "info": _info(known, language),
        "servers": [{"url": PREFIX}],
        "tags": [{"name": language.gettext(text)} for text in (PUBLIC, NOTICES)],
        "paths": {_braced(item): {"get": _get(item, language)} for item in OPERATIONS}
        | push_paths(language, NOTICES, known.desk_address and known.desk_address + PREFIX),
        "components": {
            "schemas": shapes(language) | push_schemas(),
            "securitySchemes": {"hotlineToken": HOTLINE_TOKEN},
            "headers": _HEADERS,
        },
    }


def _info(known: SiteSettings, language: Language) -> dict[str, Any]:
    info: dict[str, Any] = {
        "title": known.site_name,
        "version": "1",
        "description": language.gettext(
            "What stands on the site, for software. Reading needs no account and works from any website. An answer"
            " carries an ETag: ask with If-None-Match whether it has changed. An error is `application/problem+json`"
            " (RFC 9457). What is not there is null and never 0. New fields may be added: skip what you do not know."
        ),
        "license": {"name": known.licence, "identifier": known.licence},
    }
    if known.contact:
        contact = contact_uri(known.contact)
        email = contact.startswith("mailto:")
        info["contact"] = {"email": contact.removeprefix("mailto:")} if email else {"url": contact}
    return info


def _braced(operation: Operation) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", operation.path)


def _get(operation: Operation, language: Language) -> dict[str, Any]:
    return {
        "operationId": operation.name,
        "tags": [language.gettext(PUBLIC)],
        "summary": language.gettext(operation.title),
        "description": language.gettext(operation.about),
        "security": [],
        "parameters": [item.as_json(language) for item in operation.parameters],
        "responses": _responses(operation, language),
    }


def _responses(operation: Operation, language: Language) -> dict[str, Any]:
    """What a reader may get; 404 only where something named may not be there."""
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
    schema = {"$ref": f"#/components/schemas/{operation.answer}"} if operation.answer else {"type": "object"}
    answers: dict[str, Any] = {
        "200": {
            "description": language.gettext("The answer."),
            "headers": headers,
            "content": {"application/json": {"schema": schema}},
        },
        "304": {"description": language.gettext("Your copy is still good.")},
    }
    if PERIOD in operation.parameters:
        answers["302"] = {"description": language.gettext("`latest` leads to a fixed period.")}
    refusals = {code: text for code, text in _SAID.items() if code != "404" or operation.parameters}
    return answers | {code: refusal(language.gettext(text)) for code, text in refusals.items()}


def refusal(description: str) -> dict[str, Any]:
    """A response that refuses, as every one of the API does."""
    return {"description": description, "content": {"application/problem+json": {"schema": _PROBLEM}}}


def contact_uri(contact: str) -> str:
    """A contact as a URI: a bare e-mail address becomes `mailto:`, a bare web address `https:`."""
    if ":" in contact:
        return contact
    return f"mailto:{contact}" if "@" in contact else f"https://{contact}"


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


@bp.get("/nl/api", defaults={"lang": NL})
@bp.get("/en/api", defaults={"lang": EN})
def api_page(lang: Language) -> Response:
    """Every operation with its parameters and answers, and the fields of a company."""
    told = document(settings(), lang)
    fields = told["components"]["schemas"]["CompanyShown"]["properties"]
    page = render_template(
        "api.html",
        about=told["info"]["description"],
        tags=[tag["name"] for tag in told["tags"]],
        operations=tuple(described(told, _examples(release_index()))),
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
    table = table_of(last)
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
