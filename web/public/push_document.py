"""What the OpenAPI document says of the push API: POST /notices and GET /deliveries/ID (docs/api.md)."""

from __future__ import annotations

import json
from typing import Annotated, Any

from monitor.formats.xarf_objects import ITEM_LIMIT
from monitor.push.messages import DeliveryReport, Pushed
from monitor.wording.language import Message
from web.public.operations import Group, Operation
from web.public.schemas import Schema, reference, says

HOTLINE_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token of a hotline, which the operator issues for a source, a time and a purpose (RFC 6750).",
}
NOTICES = Group(Message("Sending notices"), ("RateLimit", "RateLimit-Policy"), ("hotlineToken",))
_TEXT: Schema = {"type": "string"}
_SENT = "When you sent the notice to the host, with its zone: the clock of the company starts here."
_XARF = "A report of XARF 4 (https://xarf.org); version 3 is converted. A bad one is refused alone, with status 422."
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
_LATER: dict[str, Any] = {name: value for name, value in _ANSWER.items() if name != "items"} | {
    "contents_new": 1,
    "notices_new": 1,
    "sightings_new": 0,
    "received_at": "2026-04-10T12:00:07Z",
    "refused": [{"index": 1, "reason": "time_without_zone", "field": "timestamp"}],
}
_FIELDS = "xarf_version report_id timestamp category type source_identifier url detection_method hosting_provider"
# The fields of version 4 that are read; those of version 3, and the rest of the standard, are welcome too. What a
# report must have is for the schema of the standard to say (monitor.formats.xarf).
REPORT: Schema = {
    "type": "object",
    "description": _XARF,
    "properties": dict.fromkeys(_FIELDS.split(), _TEXT) | {"timestamp": _TEXT | {"description": _SENT}},
}
_REPORTS: Schema = {"type": "array", "items": reference("Report"), "minItems": 1, "maxItems": ITEM_LIMIT}
_LINES: Schema = {"type": "string", "pattern": r"^\s*\{", "description": "One report, in braces, a line."}
_BODY: dict[str, Any] = {
    "application/json": {
        "schema": {"anyOf": [reference("Report"), _REPORTS]},
        "examples": {"one": {"value": REPORT_EXAMPLE}, "batch": {"value": [REPORT_EXAMPLE]}},
    },
    "application/x-ndjson": {"schema": _LINES, "example": json.dumps(REPORT_EXAMPLE) + "\n"},
}
_Key = Annotated[
    str, says(Message("A new key for each new body."), "2026-04-10-batch-17", pattern="^[\\x21-\\x7e]{1,200}$")
]
_Number = Annotated[int, says(Message("The number from the answer to the delivery."), 31, ge=1, le=2**63 - 1)]
PUSHES = (
    Operation(
        "push",
        "/notices",
        Pushed,
        Message("Send notices"),
        Message(
            "With the token of a hotline: `Authorization: Bearer TOKEN`. Send one XARF report, an array of"
            " them, or one a line. You are told item by item what became of it. Never send evidence. The"
            " same key with the same body always gets the first answer."
        ),
        named={"Idempotency-Key": _Key},
        method="post",
        body=_BODY,
        group=NOTICES,
        status="207",
        answered=Message("What became of each item."),
        example=_ANSWER,
        refusals={code: text for code, text in _REFUSALS.items() if code != "404"},
    ),
    Operation(
        "report",
        "/deliveries/{number}",
        DeliveryReport,
        Message("What became of a delivery"),
        Message("Only deliveries of the same token can be seen."),
        named={"number": _Number},
        group=NOTICES,
        answered=Message("The delivery."),
        example=_LATER,
        refusals={code: _REFUSALS[code] for code in _OF_READING},
    ),
)
