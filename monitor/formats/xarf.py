"""XARF, the abuse-reporting standard: version 4 and, converted, version 3; reports of the category `content`.

Each object is held against the schema that comes with the library `xarf`. Evidence is passed over unread: it is never
decoded and never kept. What the fields mean here is written down in docs/api.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from xarf import schema_registry, schema_validator

from monitor.errors import DeliveryError
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import RowError, refuse_future
from monitor.formats.xarf_objects import OBJECT_LIMIT, Found, read_objects
from monitor.formats.xarf_v3 import as_version_4, in_version_3, is_version_3
from monitor.instants import to_instant
from monitor.vocabulary import Kind, State

EVIDENCE = frozenset({"evidence", "Attachment", "Samples"})
# What is not kept of a report that goes to quarantine: evidence, and what says anything of the material or a victim.
NOT_KEPT = EVIDENCE | {
    "hash_values", "photodna", "screenshot_url", "description", "classification", "media_type", "victim_age_range",
    "perpetrator_indicators", "exploitation_type", "_internal", "AttackDescription", "ReporterNotes", "Custom",
}  # fmt: skip
HEARSAY = frozenset({"user_report", "threat_intelligence"})  # the sender did not look itself
RECIPIENT_LIMIT = 255
REFERENCE_LIMIT = 64

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
_REQUIRED = re.compile(r"'(\w+)' is a required property", re.ASCII)
_ONLY_ON_LINES = ("not_json", "not_utf8")  # in an array they end everything
_EARLIEST = 631_152_000  # 1990: before the web there was nothing to report on it


def parse(chunks: Iterable[bytes], context: Context) -> Iterator[Record | Rejected]:
    """One record a report; `line` is the place of the object, from 1. Raises DeliveryError where this is no JSON."""
    for found in read_objects(chunks, EVIDENCE):
        try:
            yield _record(found, context)
        except RowError as error:
            yield Rejected(found.number, error.reason, error.column, _kept(found.value))


class ObjectTooLargeError(DeliveryError):
    """An object over the limit, where every object must be kept."""


def without_evidence(chunks: Iterable[bytes]) -> tuple[int, bytes]:
    """How many objects there are, and JSON that `parse` reads object for object alike, without any evidence.

    Raises DeliveryError where this is no JSON, ObjectTooLargeError for an object over OBJECT_LIMIT.
    """
    found = list(read_objects(chunks, EVIDENCE))
    for item in found:
        if item.reason == "object_too_large":
            raise ObjectTooLargeError(f"object {item.number} is over {OBJECT_LIMIT} bytes, its evidence not counted")
    written = [rewritten(item) for item in found]
    if any(item.reason in _ONLY_ON_LINES for item in found):
        return len(found), b"\n".join(written) + b"\n"
    return len(found), b"[" + b",\n".join(written) + b"]\n"


def rewritten(item: Found) -> bytes:
    """An object without its evidence; where there is none, a stand-in that is refused for the same reason."""
    return _STAND_INS[item.reason or "not_json"] if item.value is None else _dumped(_without(item.value, EVIDENCE))


def _kept(report: dict[str, Any] | None) -> bytes:
    """What quarantine keeps of a report; nothing of one that could not be read, which may hold anything."""
    return b"" if report is None else _dumped(_without(report, NOT_KEPT))


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, names) for name, inner in value.items() if name not in names}
    if isinstance(value, list):
        return [_without(inner, names) for inner in value]
    return value


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _record(found: Found, context: Context) -> Record:
    if found.value is None:
        raise RowError(found.reason or "not_json")
    report = _without(found.value, EVIDENCE)
    if not is_version_3(report):
        return _read(found.number, report, "report_id", context)
    try:
        return _read(found.number, as_version_4(report), "case_number", context)
    except RowError as error:
        raise RowError(error.reason, in_version_3(error.column)) from None


def _read(number: int, report: dict[str, Any], reference: str, context: Context) -> Record:
    """One report in version 4; `reference` is the field of the sender's own number for it."""
    _refuse_other_categories(report)
    _refuse_invalid(report)
    flags: list[str] = []
    notice = _notice(report, _text(report, reference, REFERENCE_LIMIT), context)
    sightings = tuple(_sightings(report, context, flags))
    return Record(number, report["url"], False, (notice,), sightings, tuple(flags))


def _refuse_other_categories(report: dict[str, Any]) -> None:
    if isinstance(report.get("category"), str) and report["category"] != "content":
        raise RowError("not_content", "category")
    kind = report.get("type")
    if isinstance(kind, str) and kind not in schema_registry.get_types_for_category("content"):
        raise RowError("unknown_type", "type")


def _refuse_invalid(report: dict[str, Any]) -> None:
    """RowError that names the first field the schema does not accept; never what stands in it."""
    errors = schema_validator.validate(report)
    if not errors:
        return
    missing = next((error for error in errors if _REQUIRED.fullmatch(error.message)), None)
    if missing is None:
        raise RowError("bad_field", _known_path(next((error.field for error in errors if error.field), "")))
    [name] = _REQUIRED.findall(missing.message)
    raise RowError("missing_field", _known_path(f"{missing.field}.{name}".lstrip(".")))


def _known_path(path: str) -> str | None:
    """A field's path as far as the schemas know its names: what else a sender calls a field is not repeated."""
    known = []
    for part in path.split("."):
        if part not in _names() and not part.isdecimal():
            break
        known.append(part)
    return ".".join(known)[:64] or None


@cache
def _names() -> frozenset[str]:
    """Every name of a field in the content schemas and the core."""
    names = set(schema_registry.get_core_property_names()) | schema_registry.get_contact_required_fields()
    for kind in schema_registry.get_types_for_category("content"):
        names.update(schema_registry.get_category_fields("content", kind))
        names.update(_properties(schema_registry.get_type_schema("content", kind)))
    return frozenset(names)


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for inner in schema.values():
            yield from _properties(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _properties(inner)


def _notice(report: dict[str, Any], reference: str | None, context: Context) -> NoticeRecord:
    is_hit = report["type"] == "csam" and report["detection_method"] == "hash_match"
    sent_at = _instant(report, "timestamp")
    refuse_future(sent_at, context.received_at, "notice_in_future", "timestamp")
    return NoticeRecord(
        sent_at,
        kind=Kind.HASH_HIT if is_hit else Kind.HOTLINE_NOTICE,
        recipient=_text(report, "hosting_provider", RECIPIENT_LIMIT),
        address=_address(report["source_identifier"]),
        reference=reference,
    )


def _sightings(report: dict[str, Any], context: Context, flags: list[str]) -> Iterator[SightingRecord]:
    """Seen online when last verified; gone, where it says so, by the time of the delivery."""
    if report.get("verified_at") is not None:
        seen_at = _instant(report, "verified_at")
        refuse_future(seen_at, context.received_at, "last_seen_in_future", "verified_at")
        if report.get("verification_method") in HEARSAY:
            flags.append("verified_by_hearsay")
        else:
            yield SightingRecord(seen_at, State.ONLINE)
    if report.get("content_removed") is True:
        yield SightingRecord(context.received_at, State.OFFLINE)


def _instant(report: dict[str, Any], column: str) -> int:
    """RFC 3339 with its zone, which the library does not check."""
    match = _TIME.fullmatch(report[column])
    if match is None:
        raise RowError("not_a_time", column)
    if match[2] is None:
        raise RowError("time_without_zone", column)
    try:
        instant = to_instant(datetime.fromisoformat(report[column].upper()))
    except ValueError:
        raise RowError("not_a_time", column) from None
    if instant < _EARLIEST:
        raise RowError("implausible_time", column)
    return instant


def _address(identifier: str) -> str | None:
    """The address, where the source is told by one: a name says nothing that the URL does not."""
    return identifier if re.fullmatch(r"[\d.]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*", identifier, re.ASCII) else None


def _text(report: dict[str, Any], column: str, limit: int) -> str | None:
    """A text that the database can hold, None where there is none."""
    text: str = report.get(column) or ""
    if len(text) > limit:
        raise RowError("text_too_long", column)
    if "\x00" in text:
        raise RowError("nul_character", column)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise RowError("not_utf8", column)
    return text.strip() or None


# What takes the place of an object that cannot be read: nothing of it, refused for the same reason.
_STAND_INS = {
    "not_json": b'{"":}',
    "not_utf8": b'{"":"\xff"}',
    "doubled_field": b'{"":0,"":0}',
    "not_an_object": b"0",
    "nested_too_deep": b'{"":' + b"[" * 40 + b"]" * 40 + b"}",
    "object_too_large": b'{"":"' + b"x" * OBJECT_LIMIT + b'"}',
}
