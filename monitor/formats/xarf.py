"""XARF, the abuse-reporting standard: version 4 and, converted, version 3; reports of the category `content`.

Each object is held against the schemas that come with the library `xarf`. Evidence is passed over unread: it is never
decoded and never kept. What the fields mean here is written down in docs/api.md.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any

from xarf import XARFParseError, XARFv3DeprecationWarning, convert_v3_to_v4, is_v3_report

from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import RowError, address_alone, in_order, read_zoned_time, refuse_future
from monitor.formats.xarf_objects import OBJECT_LIMIT, Found, read_objects
from monitor.formats.xarf_schema import has_unknown_type, refuse_invalid, refuse_other_categories, refuse_other_versions
from monitor.vocabulary import Kind, State

# XARF version 3, made into version 4 by the library's converter, which gets only the fields that are read.
#
# The converter decodes attachments, knows neither child abuse nor the field `SourceUrl` of the published version 3
# schemas (`childabuse.schema.json`, `xarf_shared.schema.json`), and puts what it dislikes into its messages. So it is
# given a new object with the few fields that count, and never the report itself.

# Version 3 lacks what version 4 asks of csam (classification, how it was found). It is held against the
# rules all content shares, which are those of phishing: the one type that adds none.
_TYPES = {"childabuse": "Phishing", "phishing": "Phishing", "malware": "Malware"}
_NAMES = {
    "timestamp": "Report.Date",
    "url": "Report.SourceUrl",
    "source_identifier": "Report.SourceIp",
    "case_number": "Report.ReporterCaseID",
    "reporter.org": "ReporterInfo.ReporterOrg",
    "reporter.contact": "ReporterInfo.ReporterOrgEmail",
    "reporter.domain": "ReporterInfo.ReporterOrgEmail",
}
_OTHER_CLASSES = frozenset({"activity", "vulnerability"})
# Types of version 3 that are about no content, or of a category of their own in version 4: without hyphens and such.
_OTHER_TYPES = frozenset(
    {"botnet", "copyright", "ddos", "exploit", "loginattack", "openservice", "portscan",
     "potentiallycompromisedaccount", "rpz", "spam", "webcrawler"}
)  # fmt: skip
_NO_LETTERS = re.compile(r"[\W_]+", re.ASCII)
_CONTENT = "content"
_NO_MAIL = "nobody@reporter.invalid"  # for the converter, which asks for one; who reports is not kept
# When the sender received a report of the item and classified it: fields of our own, which XARF has none for. Version 3
# keeps them in its `AdditionalInfo`.
STATED_TIMES = ("received_at", "classified_at")
_ONE_AT_A_TIME = Lock()  # the filters of warnings belong to the whole process


def is_version_3(report: dict[str, Any]) -> bool:
    """Whether the object calls itself XARF version 3 (`Version` 3, with its two parts)."""
    return is_v3_report(report)


def has_unknown_type_3(report: dict[str, Any]) -> bool:
    """Whether a report of version 3 about content has a type that is none of those that are known."""
    body = report["Report"]
    name = body.get("ReportType") if isinstance(body, dict) else None
    return isinstance(name, str) and name.lower() not in _TYPES


def as_version_4(report: dict[str, Any]) -> dict[str, Any]:
    """The report in version 4, with its `case_number`: the converter invents a new `report_id` each time.

    Raises RowError where it is of another class, or lacks what a notice needs.
    """
    body, sender = _part(report, "Report"), _part(report, "ReporterInfo")
    plain = {"Version": "3", "ReporterInfo": _sender(sender), "Report": _body(body)}
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore", XARFv3DeprecationWarning)
            converted = convert_v3_to_v4(plain)
    except XARFParseError:
        raise RowError("not_convertible", "Report") from None
    extra = body.get("AdditionalInfo")
    stated = {name: extra[name] for name in STATED_TIMES if name in extra} if isinstance(extra, dict) else {}
    return converted | {"case_number": _text(body, "Report", "ReporterCaseID")} | stated


def in_version_3(column: str | None) -> str | None:
    """A field's name as the sender of version 3 knows it."""
    return _NAMES.get(column, column) if column else None


def _body(body: dict[str, Any]) -> dict[str, str]:
    source = body.get("Source") if isinstance(body.get("Source"), dict) else {}
    extra = body.get("AdditionalInfo") if isinstance(body.get("AdditionalInfo"), dict) else {}
    assert isinstance(source, dict)
    assert isinstance(extra, dict)
    url = (
        _text(body, "Report", "SourceUrl")
        or _text(body, "Report", "Url")
        or _text(source, "Report.Source", "URL")
        or _text(extra, "Report.AdditionalInfo", "URL")
    )
    address = _text(body, "Report", "SourceIp") or _text(source, "Report.Source", "IP")
    found = {"ReportType": _type(body), "Date": _text(body, "Report", "Date"), "SourceIp": address or url, "Url": url}
    for name, column in (("Date", "Report.Date"), ("Url", "Report.SourceUrl")):
        if found[name] is None:
            raise RowError("missing_field", column)
    return {name: value for name, value in found.items() if value is not None}


def _type(body: dict[str, Any]) -> str:
    of_class, name = _text(body, "Report", "ReportClass"), _text(body, "Report", "ReportType")
    if name is None:
        raise RowError("missing_field", "Report.ReportType")
    if of_class is not None and of_class.lower() in _OTHER_CLASSES:
        raise RowError("not_content", "Report.ReportClass")
    if _NO_LETTERS.sub("", name.lower()) in _OTHER_TYPES:
        raise RowError("not_content", "Report.ReportType")
    if name.lower() not in _TYPES and (of_class is None or of_class.lower() != _CONTENT):
        raise RowError("unknown_type", "Report.ReportType")  # nothing says that it is about content
    return _TYPES.get(name.lower(), "Phishing")


def _sender(sender: dict[str, Any]) -> dict[str, str]:
    found = (_text(sender, "ReporterInfo", name) for name in ("ReporterContactEmail", "ReporterOrgEmail"))
    mail = next(filter(None, found), None)
    if mail is None and _text(sender, "ReporterInfo", "ReporterType") != "Person":  # of whom none is asked
        raise RowError("missing_field", "ReporterInfo.ReporterOrgEmail")
    organisation = _text(sender, "ReporterInfo", "ReporterOrg")
    return {"ReporterContactEmail": mail or _NO_MAIL} | ({"ReporterOrg": organisation} if organisation else {})


def _part(report: dict[str, Any], name: str) -> dict[str, Any]:
    part = report[name]
    if not isinstance(part, dict):
        raise RowError("bad_field", name)
    return part


def _text(part: dict[str, Any], path: str, name: str) -> str | None:
    """A field's text, None where it is absent or blank; RowError where it is no text."""
    value = part.get(name)
    if value is not None and not isinstance(value, str):
        raise RowError("bad_field", f"{path}.{name}")
    return value if value and value.strip() else None


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
    notice = _notice(report, _stored_text(report, reference, REFERENCE_LIMIT), context)
    sightings = tuple(_sightings(report, context, flags))
    reported, classified = (_optional_instant(report, column, flags) for column in STATED_TIMES)
    reported, classified = in_order(reported, classified, notice.sent_at, context, flags)
    return Record(
        number,
        report["url"],
        notices=(notice,),
        sightings=sightings,
        flags=tuple(flags),
        reported_at=reported,
        classified_at=classified,
    )


def _optional_instant(report: dict[str, Any], column: str, flags: list[str]) -> int | None:
    """A time that may be missing and starts no clock: what is no time with its zone is flagged, and none."""
    value = report.get(column)
    if value is None or value == "":
        return None
    try:
        return read_zoned_time(value if isinstance(value, str) else "", column)
    except RowError as error:
        flags.append(f"{column}:{error.reason}")
        return None


def _notice(report: dict[str, Any], reference: str | None, context: Context) -> NoticeRecord:
    is_hit = report["type"] == "csam" and report["detection_method"] == "hash_match"
    sent_at = read_zoned_time(report["timestamp"], "timestamp")
    refuse_future(sent_at, context.received_at, "notice_in_future", "timestamp")
    return NoticeRecord(
        sent_at,
        kind=Kind.HASH_HIT if is_hit else Kind.HOTLINE_NOTICE,
        recipient=_stored_text(report, "hosting_provider", RECIPIENT_LIMIT),
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


def _stored_text(report: dict[str, Any], column: str, limit: int) -> str | None:
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
