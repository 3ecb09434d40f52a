"""XARF version 3, made into version 4 by the library's converter, which gets only the fields that are read.

The converter decodes attachments, knows neither child abuse nor the field `SourceUrl` of the published version 3
schemas (`childabuse.schema.json`, `xarf_shared.schema.json`), and puts what it dislikes into its messages. So it is
given a new object with the few fields that count, and never the report itself.
"""

from __future__ import annotations

import re
import warnings
from threading import Lock
from typing import Any

from xarf import XARFParseError, XARFv3DeprecationWarning, convert_v3_to_v4, is_v3_report

from monitor.formats.rows import RowError

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
    return converted | {"case_number": _text(body, "Report", "ReporterCaseID")}


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
    """A field's text, None where it is absent or empty; RowError where it is no text."""
    value = part.get(name)
    if value is not None and not isinstance(value, str):
        raise RowError("bad_field", f"{path}.{name}")
    return value or None
