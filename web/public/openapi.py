"""The OpenAPI 3.1 document of the API, made from the operations with the models of what is asked and answered;
and the same for people to read, at `/en/api` and `/nl/api`.

<https://spec.openapis.org/oas/v3.1.1.html>; the schemas are JSON Schema 2020-12.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, render_template
from markupsafe import Markup, escape
from msgspec import NODEFAULT
from werkzeug.wrappers import Response

from monitor.release.published import ReleaseIndex
from monitor.settings import SiteSettings
from monitor.wording.language import EN, NL, Language
from web.public.answers import schemas
from web.public.operations import FIGURES, OPERATIONS, Operation
from web.public.parameters import fields_of
from web.public.push_document import HOTLINE_TOKEN, NOTICES, PUSHES, REPORT
from web.public.releases import release_index, table_of
from web.public.schemas import Schema, components, reference, schema_of
from web.shared.addresses import settings
from web.shared.headers import released
from web.shared.problems import ProblemDetails

bp = Blueprint("openapi", __name__)
PREFIX = "/api/v1"
_RATE = "draft-ietf-httpapi-ratelimit-headers-10: requests, bytes and milliseconds of work"
_HEADERS = {
    "ETag": {"description": "RFC 9110", "required": True, "schema": {"type": "string"}},
    "Cache-Control": {"description": "RFC 9111", "required": True, "schema": {"type": "string"}},
    "Link": {"description": "RFC 8288: describedby, and first, prev, next, last", "schema": {"type": "string"}},
    "RateLimit": {"description": _RATE, "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": _RATE, "schema": {"type": "string"}},
}
_PROBLEM_EXAMPLE = {
    "type": "urn:problem:hosting-monitor:parameter",
    "title": "Bad parameter",
    "status": 400,
    "detail": "order must be one of asc, desc.",
    "parameter": "order",
}


def document(known: SiteSettings, language: Language = EN) -> dict[str, Any]:
    """The whole document; its words in one language, save the descriptions of schemas, which are English."""
    paths: dict[str, Any] = {}
    for item in (*OPERATIONS, *PUSHES):
        paths.setdefault(item.path, {})[item.method] = _operation(item, language, known)
    figures, pushes = ([item.answer for item in part if item.answer] for part in (OPERATIONS, PUSHES))
    made = schemas(figures, language) | components([ProblemDetails, *pushes], language) | {"Report": REPORT}
    made["ProblemDetails"]["examples"] = [_PROBLEM_EXAMPLE]
    return {
        "openapi": "3.1.0",
        "info": _info(known, language),
        "servers": [{"url": PREFIX}],
        "tags": [{"name": language.gettext(group.tag)} for group in (FIGURES, NOTICES)],
        "paths": paths,
        "components": {
            "schemas": made,
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


def _operation(item: Operation, language: Language, known: SiteSettings) -> dict[str, Any]:
    """An operation; what is pushed goes to the desk, which may have an address of its own."""
    made: dict[str, Any] = {
        "operationId": item.name,
        "tags": [language.gettext(item.group.tag)],
        "summary": language.gettext(item.title),
        "description": language.gettext(item.about),
        "security": [{scheme: []} for scheme in item.group.security],
        "parameters": list(_parameters(item, language)),
        "responses": _responses(item, language),
    }
    if item.body:
        made["requestBody"] = {"required": True, "content": item.body}
    if item.group is NOTICES and known.desk_address:
        made["servers"] = [{"url": known.desk_address + PREFIX}]
    return made


def _parameters(item: Operation, language: Language) -> Iterator[dict[str, Any]]:
    for name, hint in item.named.items():
        yield _parameter(name, "path" if f"{{{name}}}" in item.path else "header", schema_of(hint, language), True)
    for name, (field, _) in fields_of(item.query).items():
        default = {} if field.default in (None, NODEFAULT) else {"default": field.default}
        yield _parameter(name, "query", schema_of(field.type, language) | default, field.required)


def _parameter(name: str, where: str, schema: Schema, required: bool) -> dict[str, Any]:
    about, example = schema.pop("description"), schema.pop("example")
    told = {"name": name, "in": where, "required": required, "description": about}
    return told | {"schema": schema, "example": example}


def _responses(item: Operation, language: Language) -> dict[str, Any]:
    """What a reader may get; 404 only where something named may not be there."""
    content = {"schema": reference(item.answer.__name__) if item.answer else {"type": "object"}}
    answers: dict[str, Any] = {
        item.status: {
            "description": language.gettext(item.answered),
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in item.group.headers},
            "content": {"application/json": content | ({"example": item.example} if item.example else {})},
        },
    }
    if item.group is FIGURES:
        answers["304"] = {"description": language.gettext("Your copy is still good.")}
    if "period" in item.named:
        answers["302"] = {"description": language.gettext("`latest` leads to a fixed period.")}
    problem = {"application/problem+json": {"schema": reference("ProblemDetails")}}
    return answers | {
        code: {"description": language.gettext(text), "content": problem}
        for code, text in item.refusals.items()
        if code != "404" or item.takes_parameters
    }


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
    return f"{_type(schema['items'])}[]" if schema["type"] == "array" else str(schema["type"])
