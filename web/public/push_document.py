"""What the OpenAPI document says of the push API: POST /notices and GET /deliveries/ID (docs/api.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from monitor.formats.xarf_objects import ITEM_LIMIT
from monitor.vocabulary import Verdict
from monitor.wording.language import Language, Message
from web.public.schemas import Schema, record, reference

HOTLINE_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token of a hotline, which the operator issues for a source, a time and a purpose (RFC 6750).",
}
_SECURITY: list[dict[str, list[str]]] = [{"hotlineToken": []}]
_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_VERDICT: Schema = {"type": "string", "enum": [str(verdict) for verdict in Verdict]}
_SENT = "When you sent the notice to the host, with its zone: the clock of the company starts here."
_XARF = "A report of XARF 4 (https://xarf.org); version 3 is converted. A bad one is refused alone, with status 422."
_RATE = "draft-ietf-httpapi-ratelimit-headers-10: requests, bytes and milliseconds of work"
_REFUSALS = {
    "400": Message("Mend the request: `detail` says what is wrong."),
    "401": Message("The token is missing or not valid."),
    "403": Message("The token is not for this."),
    "404": Message("This token has no such delivery."),
    "408": Message("The body took too long to arrive."),
    "413": Message("Send fewer at a time: `limits` says how many."),
    "415": Message("Send JSON in UTF-8, plain or as gzip."),
    "422": Message("The key was used with another body, or there is no item."),
    "429": Message("Wait for `Retry-After` seconds."),
    "500": Message("Send the same again with the same key."),
    "503": Message("Wait, then send the same again."),
}
_OF_PUSHING = tuple(code for code in _REFUSALS if code != "404")
_OF_READING = ("401", "403", "404", "429", "500", "503")
REPORT_EXAMPLE: dict[str, Any] = {
    "xarf_version": "4.2.0",
    "report_id": "00000000-0000-4000-8000-000000000001",
    "timestamp": "2026-04-10T12:00:00Z",
    "category": "content",
    "type": "csam",
    "reporter": {"org": "Example Hotline", "contact": "notices@hotline.example", "domain": "hotline.example"},
    "sender": {"org": "Example Hotline", "contact": "notices@hotline.example", "domain": "hotline.example"},
    "source_identifier": "192.0.2.55",
    "url": "https://s0001.example/1",
    "classification": "A1",
    "detection_method": "manual_review",
    "hosting_provider": "Delta Datacenters",
}
_ANSWER: dict[str, Any] = {
    "delivery": 31,
    "rows": 2,
    "accepted": 1,
    "duplicate": 0,
    "quarantined": {"time_without_zone": 1},
    "warnings": [],
    "repeated": False,
    "verdict": "ok",
    "reasons": [],
    "items": [
        {"index": 0, "status": 201, "reason": None, "field": None},
        {"index": 1, "status": 422, "reason": "time_without_zone", "field": "timestamp"},
    ],
}
_PROBLEM: dict[str, Any] = {
    "type": "urn:problem:hosting-monitor:parameter",
    "title": "Bad parameter",
    "status": 400,
    "detail": "order must be one of asc, desc.",
    "parameter": "order",
}
_LATER: dict[str, Any] = {name: value for name, value in _ANSWER.items() if name != "items"} | {
    "contents_new": 1,
    "notices_new": 1,
    "sightings_new": 0,
    "received_at": "2026-04-10T12:00:07Z",
    "refused": [{"index": 1, "reason": "time_without_zone", "field": "timestamp"}],
}


def push_paths(language: Language, tag: Message, server: str = "") -> dict[str, Any]:
    """Both addresses of the push API; `server`: where they are, where that is not where the figures are."""
    shared = {"tags": [language.gettext(tag)], "security": _SECURITY} | (
        {"servers": [{"url": server}]} if server else {}
    )
    push = {
        "operationId": "push",
        "summary": language.gettext("Send notices"),
        "description": language.gettext(
            "With the token of a hotline: `Authorization: Bearer TOKEN`. Send one XARF report, an array of"
            " them, or one a line. You are told item by item what became of it. Never send evidence. The"
            " same key with the same body always gets the first answer."
        ),
        "parameters": [_key(language)],
        "requestBody": {"required": True, "content": _body()},
        "responses": {"207": _answer("Pushed", language.gettext("What became of each item."), _ANSWER)}
        | _refusals(_OF_PUSHING, language),
    }
    report = {
        "operationId": "report",
        "summary": language.gettext("What became of a delivery"),
        "description": language.gettext("Only deliveries of the same token can be seen."),
        "parameters": [_number(language)],
        "responses": {"200": _answer("Delivery", language.gettext("The delivery."), _LATER)}
        | _refusals(_OF_READING, language),
    }
    return {"/notices": {"post": shared | push}, "/deliveries/{number}": {"get": shared | report}}


def push_schemas() -> dict[str, Schema]:
    """The components of the push API: what is sent, what is told, and the problem that every refusal is."""
    counts = dict.fromkeys(("delivery", "rows", "accepted", "duplicate"), _COUNT)
    told = counts | {
        "quarantined": {"type": "object", "additionalProperties": _COUNT},
        "warnings": _list(_TEXT),
        "repeated": {"type": "boolean"},
        "verdict": _VERDICT,
        "reasons": _list(record({"rule": _TEXT, "verdict": _VERDICT, "text": _TEXT, "numbers": {"type": "object"}})),
    }
    more = dict.fromkeys(("contents_new", "notices_new", "sightings_new"), _COUNT)
    more |= {"received_at": {"type": "string", "format": "date-time"}, "refused": _list(reference("RefusedItem"))}
    status = {"type": "integer", "enum": [200, 201, 202, 422]}
    return {
        "Report": _report(),
        "Item": record({"index": _COUNT, "status": status, "reason": _MAYBE, "field": _MAYBE}),
        "Pushed": record(told | {"items": _list(reference("Item"))}),
        "RefusedItem": record({"index": _COUNT, "reason": _TEXT, "field": _MAYBE}),
        "Delivery": record(told | more),
        "Problem": _problem(),
    }


def _report() -> Schema:
    """The fields of version 4 that are read; those of version 3, and the rest of the standard, are welcome too."""
    names = "xarf_version report_id timestamp category type source_identifier url detection_method hosting_provider"
    fields = dict.fromkeys(names.split(), _TEXT) | {"timestamp": _TEXT | {"description": _SENT}}
    return {"type": "object", "description": _XARF, "properties": fields}


def _problem() -> Schema:
    """RFC 9457, with the members of our own."""
    problem = record({"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT})
    problem["properties"] |= {"limits": {"type": "object", "additionalProperties": _COUNT}, "parameter": _TEXT}
    problem["properties"]["index"] = _COUNT | {"description": "The item, from 0, at which a body was refused."}
    about = "What is wrong and what to do (RFC 9457). It repeats nothing of what was sent."
    return problem | {"description": about, "examples": [_PROBLEM]}


def _body() -> dict[str, Any]:
    one = reference("Report")
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": ITEM_LIMIT}
    examples = {"one": {"value": REPORT_EXAMPLE}, "batch": {"value": [REPORT_EXAMPLE]}}
    lines = {"type": "string", "pattern": r"^\s*\{", "description": "One report, in braces, a line."}
    return {
        "application/json": {"schema": {"anyOf": [one, many]}, "examples": examples},
        "application/x-ndjson": {"schema": lines, "example": json.dumps(REPORT_EXAMPLE) + "\n"},
    }


def _key(language: Language) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": language.gettext("A new key for each new body."),
        "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,200}$"},
        "example": "2026-04-10-batch-17",
    }


def _number(language: Language) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    about = {
        "name": "number",
        "in": "path",
        "required": True,
        "description": language.gettext("The number from the answer to the delivery."),
    }
    return about | {"schema": schema, "example": 31}


def _answer(schema: str, description: str, example: Mapping[str, Any]) -> dict[str, Any]:
    content = {"schema": reference(schema), "example": example}
    headers = {key: {"schema": _TEXT, "description": _RATE} for key in ("RateLimit", "RateLimit-Policy")}
    return {"description": description, "headers": headers, "content": {"application/json": content}}


def _refusals(codes: Iterable[str], language: Language) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": reference("Problem")}}
    return {code: {"description": language.gettext(_REFUSALS[code]), "content": content} for code in codes}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}
