"""XARF, the abuse-reporting standard: version 4 and, converted, version 3; reports of the category `content`.

Each object is held against the schemas that come with the library `xarf`. Evidence is passed over unread: it is never
decoded and never kept. What the fields mean here is written down in docs/api.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import RowError, address_alone, read_zoned_time, refuse_future
from monitor.formats.xarf_objects import OBJECT_LIMIT, Found, read_objects
from monitor.formats.xarf_schema import (
    has_unknown_type,
    refuse_invalid,
    refuse_other_categories,
    refuse_other_versions,
)
from monitor.formats.xarf_v3 import as_version_4, has_unknown_type_3, in_version_3, is_version_3
from monitor.vocabulary import Kind, State

EVIDENCE = frozenset({"evidence", "Attachment", "Samples"})
# What is not kept of a report that goes to quarantine: evidence, and what says anything of the material or a victim.
NOT_KEPT = EVIDENCE | {
    "hash_values", "photodna", "screenshot_url", "description", "classification", "media_type", "victim_age_range",
    "perpetrator_indicators", "exploitation_type", "_internal", "AttackDescription", "ReporterNotes", "Custom",
}  # fmt: skip
UNVERIFIED_SOURCES = frozenset({"user_report", "threat_intelligence"})  # the sender did not look itself
RECIPIENT_LIMIT = 255
REFERENCE_LIMIT = 64


def parse(chunks: Iterable[bytes], context: Context) -> Iterator[Record | Rejected]:
    """One record a report; `line` is the place of the object, from 1. Raises DeliveryError where this is no JSON."""
    return records(read_objects(chunks, EVIDENCE), context)


def records(objects: Iterable[Found], context: Context) -> Iterator[Record | Rejected]:
    """One record an object, from wherever it was read."""
    for found in objects:
        try:
            yield _record(found, context)
        except RowError as error:
            yield Rejected(found.number, error.reason, error.column, _kept(found.value))


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
        refuse_other_versions(report)
        flags = ["unknown_type"] if has_unknown_type(report) else []
        return _read(found.number, report, "report_id", context, flags)
    try:
        flags = ["unknown_type"] if has_unknown_type_3(report) else []
        return _read(found.number, as_version_4(report), "case_number", context, flags)
    except RowError as error:
        raise RowError(error.reason, in_version_3(error.column)) from None


def _read(number: int, report: dict[str, Any], reference: str, context: Context, flags: list[str]) -> Record:
    """One report in version 4; `reference` is the field of the sender's own number for it."""
    refuse_other_categories(report)
    refuse_invalid(report)
    notice = _notice(report, _text(report, reference, REFERENCE_LIMIT), context)
    sightings = tuple(_sightings(report, context, flags))
    return Record(number, report["url"], False, (notice,), sightings, tuple(flags))


def _notice(report: dict[str, Any], reference: str | None, context: Context) -> NoticeRecord:
    is_hit = report["type"] == "csam" and report["detection_method"] == "hash_match"
    sent_at = read_zoned_time(report["timestamp"], "timestamp")
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
        seen_at = read_zoned_time(report["verified_at"], "verified_at")
        refuse_future(seen_at, context.received_at, "last_seen_in_future", "verified_at")
        if report.get("verification_method") in UNVERIFIED_SOURCES:
            flags.append("verified_by_hearsay")
        else:
            yield SightingRecord(seen_at, State.ONLINE)
    if report.get("content_removed") is True:
        yield SightingRecord(context.received_at, State.OFFLINE)


def _address(identifier: str) -> str | None:
    """The address, where the source is told by one: a name says nothing that the URL does not."""
    identifier = address_alone(identifier)
    return identifier if re.fullmatch(r"[\d.]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*", identifier, re.ASCII) else None


def _text(report: dict[str, Any], column: str, limit: int) -> str | None:
    """A text that the database can hold, None where there is none. No lone surrogate gets this far."""
    text: str = report.get(column) or ""
    if len(text) > limit:
        raise RowError("text_too_long", column)
    if "\x00" in text:
        raise RowError("nul_character", column)
    return text.strip() or None


# What takes the place of an object that cannot be read: nothing of it, refused for the same reason.
_STAND_INS = {
    "not_json": b'{"":}',
    "not_utf8": b'{"":"\xff"}',
    "doubled_field": b'{"":0,"":0}',
    "number_too_large": b'{"":1e999}',
    "not_an_object": b"0",
    "nested_too_deep": b'{"":' + b"[" * 40 + b"]" * 40 + b"}",
    "object_too_large": b'{"":"' + b"x" * OBJECT_LIMIT + b'"}',
}
