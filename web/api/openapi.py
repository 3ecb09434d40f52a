"""The OpenAPI 3.1 document of the API, made from the operations, the parameters and the dataclasses behind the answers.

<https://spec.openapis.org/oas/v3.1.1.html>; the schemas are JSON Schema 2020-12.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Response

from monitor.settings import Settings
from monitor.wording.words import Language, Text
from web.addresses import settings
from web.api.answers import json_response
from web.api.operations import OPERATIONS, Operation
from web.api.parameters import PERIOD
from web.api.push_document import HOTLINE_TOKEN, push_paths, push_schemas
from web.api.schemas import shapes
from web.security import contact_uri

PREFIX = "/api/v1"
PUBLIC = Text("Gepubliceerde cijfers", "Published figures")
NOTICES = Text("Meldingen aanleveren", "Sending notices")
_INFO = Text(
    "Wat op de site staat, voor programma's. Lezen kan zonder aanmelden en vanaf elke website. Een antwoord draagt een"
    " ETag: vraag met If-None-Match of het veranderd is. Een fout is `application/problem+json` (RFC 9457). Wat er niet"
    " is, is null en nooit 0. Nieuwe velden kunnen erbij komen: sla over wat u niet kent.",
    "What stands on the site, for programs. Reading needs no account and works from any website. An answer carries an"
    " ETag: ask with If-None-Match whether it has changed. An error is `application/problem+json` (RFC 9457). What is"
    " not there is null and never 0. New fields may be added: skip what you do not know.",
)
_FOUND = Text("Het antwoord.", "The answer.")
_MOVED = Text("`latest` leidt naar een vaste periode.", "`latest` leads to a fixed period.")
_UNCHANGED = Text("Uw kopie is nog goed.", "Your copy is still good.")
_SAID: dict[str, Text] = {
    "400": Text("Een parameter is niet goed; `parameter` noemt hem.", "A parameter is wrong; `parameter` names it."),
    "404": Text("Dat is niet gepubliceerd.", "That is not published."),
    "406": Text("Wij antwoorden alleen in JSON.", "We only answer in JSON."),
    "500": Text("Er ging bij ons iets mis.", "Something went wrong on our side."),
    "503": Text("Nu niet bereikbaar; wacht `Retry-After`.", "Not reachable now; wait for `Retry-After`."),
}
_HEADERS = {
    "ETag": {"description": "RFC 9110", "required": True, "schema": {"type": "string"}},
    "Cache-Control": {"description": "RFC 9111", "required": True, "schema": {"type": "string"}},
    "Link": {"description": "RFC 8288: describedby, and first, prev, next, last", "schema": {"type": "string"}},
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def openapi() -> Response:
    """This very document."""
    return json_response(document(settings()))


ALL = (
    *OPERATIONS,
    Operation(
        "openapi",
        "/openapi.json",
        openapi,
        "",
        Text("Deze beschrijving", "This description"),
        Text("Het OpenAPI-document van deze API.", "The OpenAPI document of this API."),
    ),
)


def document(known: Settings, language: Language = "en") -> dict[str, Any]:
    """The whole document; its words in one language, save the descriptions of schemas, which are English."""
    return {
        "openapi": "3.1.0",
        "info": _info(known, language),
        "servers": [{"url": PREFIX}],
        "tags": [{"name": text[language]} for text in (PUBLIC, NOTICES)],
        "paths": {_braced(item): {"get": _get(item, language)} for item in ALL} | push_paths(language, NOTICES),
        "components": {
            "schemas": shapes(language) | push_schemas(),
            "securitySchemes": {"hotlineToken": HOTLINE_TOKEN},
            "headers": _HEADERS,
        },
    }


def _info(known: Settings, language: Language) -> dict[str, Any]:
    info: dict[str, Any] = {
        "title": known.site_name,
        "version": "1",
        "description": _INFO[language],
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
        "tags": [PUBLIC[language]],
        "summary": operation.title[language],
        "description": operation.about[language],
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
            "description": _FOUND[language],
            "headers": headers,
            "content": {"application/json": {"schema": schema}},
        },
        "304": {"description": _UNCHANGED[language]},
    }
    if PERIOD in operation.parameters:
        answers["302"] = {"description": _MOVED[language]}
    refusals = {code: text for code, text in _SAID.items() if code != "404" or operation.parameters}
    return answers | {code: refusal(text[language]) for code, text in refusals.items()}


def refusal(description: str) -> dict[str, Any]:
    """A response that refuses, as every one of the API does."""
    return {"description": description, "content": {"application/problem+json": {"schema": _PROBLEM}}}
