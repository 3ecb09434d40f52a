"""A delivery of one row in every format, with any of its fields set by an attacker."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.ingest.delivery import DeliveryFile
from monitor.instants import parse_instant
from monitor.settings import Source

RECEIVED = parse_instant("2026-04-11T00:00:00Z")
URL = "https://zqhost.example/zqpath/b?zqquery=2"
SOURCE = Source("test", zone="Europe/Amsterdam", recheck_gap_hours=5)

_NTD = {
    "NTD filenumber": "M2026041000001", "NTD type": "first", "NTD status": "sent_succes",
    "NTD status time": "2026-04-10 12:00:00", "abuse owner": "Delta Datacenters", "abuse type": "hoster",
    "abuse country": "NL", "abuse email": "abuse@delta.example", "url": URL, "IP": "192.0.2.7",
    "first seen": "2026-04-10 10:00:00", "last seen": "2026-04-10 11:00:00", "online counter": "3",
}  # fmt: skip
_CLOSED = {
    "filenumber": "N1", "url": URL, "status": "close", "abuse owner": "Delta Datacenters", "abuse country": "Germany",
    "abuse email": "abuse@delta.example", "IP": "192.0.2.7", "first seen": "2026-04-10 10:00:00",
    "last seen": "2026-04-10 11:00:00", "online counter": "3",
}  # fmt: skip
_ITEM = {
    "filenumber": "N1", "received": "2026-04-10 09:00:00", "url type": "mainurl", "status": "scheduler_checkonline",
    "classification": "x", "type": "website", "source": "webform", "reference": "", "first seen": "2026-04-10 09:00:00",
    "first NTD": "2026-04-10 11:00:00", "last seen": "2026-04-10 13:00:00", "police": "n",
    "hoster owner": "Delta Datacenters", "hoster country": "NL", "hoster abuse email": "abuse@delta.example",
    "hoster NTD": "2026-04-10 12:00:00",
}  # fmt: skip
_WHOIS = _ITEM | {"url": URL, "IP": "192.0.2.7"}
_REPORT = {
    "filenumber": "N1", "reference": "", "url": URL, "url_host": "zqhost.example", "url_ip": "192.0.2.7",
    "url_type": "mainurl", "url_referer": "", "received_at": "2026-04-10 09:00:00", "hashcheck_at": "",
    "hashcheck_return": "", "firstseen_at": "2026-04-10 09:00:00", "lastseen_at": "2026-04-10 13:00:00",
    "type_code": "website", "police": "n", "source_code": "webform", "status_code": "scheduler_checkonline",
    "hoster_contact": "abuse@delta.example", "hoster_country": "NL", "hoster_owner": "Delta Datacenters",
    "hoster_first_ntd_at": "2026-04-10 12:00:00", "registrar_contact": "", "grade_code": "x",
}  # fmt: skip
_INHOPE = {
    "report_id": "R-1", "url": URL, "host_ip": "192.0.2.7", "recipient": "Delta Datacenters", "recipient_country": "NL",
    "recipient_email": "abuse@delta.example", "notice_sent_at": "2026-04-10T12:00:00Z",
    "checked_at": "2026-04-10T13:00:00Z", "status": "moved", "destination_country": "DE",
}  # fmt: skip
_URLHAUS = {
    "id": "1", "dateadded": "2026-04-10 12:00:00", "url": URL, "url_status": "online",
    "last_online": "2026-04-10 13:00:00", "threat": "malware_download", "tags": "", "urlhaus_link": "", "reporter": "",
}  # fmt: skip
_XARF = {
    "xarf_version": "4.2.0", "report_id": "00000000-0000-4000-8000-000000000001", "timestamp": "2026-04-10T12:00:00Z",
    "category": "content", "type": "csam", "source_identifier": "192.0.2.7", "url": URL, "classification": "A1",
    "detection_method": "manual_review", "hosting_provider": "Delta Datacenters",
}  # fmt: skip
_PARTY = {"org": "Example Hotline", "contact": "notices@hotline.example", "domain": "hotline.example"}


def _quoted(row: Mapping[str, str]) -> str:
    return "".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '";' for value in row.values())


def _scart(row: Mapping[str, str]) -> str:
    return "".join(f'"{name}";' for name in row) + "\n" + _quoted(row) + "\n"


def _unquoted(row: Mapping[str, str]) -> str:
    return ";".join(row) + "\n" + ";".join(row.values()) + "\n"


def _csv(row: Mapping[str, str]) -> str:
    return ",".join(row) + "\n" + ",".join('"' + value.replace('"', '""') + '"' for value in row.values()) + "\n"


def _feed(row: Mapping[str, str]) -> str:
    return "# " + _csv(row)


def _json(row: Mapping[str, str]) -> str:
    return json.dumps({**row, "reporter": _PARTY, "sender": _PARTY})


@dataclass(frozen=True)
class Sample:
    """One row of a format that is accepted as it is, and how a delivery of it is written."""

    row: Mapping[str, str]
    write: Callable[[Mapping[str, str]], str]
    free: tuple[str, ...]  # the fields whose text is kept, in clear or as a digest

    def delivery(self, folder: Path, name: str, changes: Mapping[str, str]) -> DeliveryFile:
        """The row with some fields changed, as a file that arrived."""
        path = folder / "delivery"
        path.write_text(self.write({**self.row, **changes}), "utf-8")
        return DeliveryFile(SOURCE, name, path, RECEIVED)

    def together(self, *changes: Mapping[str, str]) -> str:
        """A delivery of the row once with each of the changes."""
        each = [self.write({**self.row, **changed}) for changed in changes]
        if self.write is _json:
            return "\n".join(each)
        return "\n".join([each[0].split("\n")[0], *(one.split("\n")[1] for one in each)]) + "\n"


SAMPLES: Mapping[str, Sample] = {
    "scart-ntd": Sample(_NTD, _scart, ("NTD filenumber", "abuse owner", "abuse country", "abuse email")),
    "scart-ntdclosed": Sample(_CLOSED, _scart, ("abuse country",)),
    "scart-whois": Sample(_WHOIS, _scart, ("hoster owner", "hoster country", "hoster abuse email")),
    "scart-all": Sample(_ITEM, _scart, ("hoster owner", "hoster country", "hoster abuse email")),
    "scart-report": Sample(_REPORT, _unquoted, ("hoster_owner", "hoster_country", "hoster_contact")),
    "inhope-csv": Sample(
        _INHOPE, _csv, ("report_id", "recipient", "recipient_country", "recipient_email", "destination_country")
    ),
    "urlhaus": Sample(_URLHAUS, _feed, ()),
    "xarf": Sample(_XARF, _json, ("report_id", "hosting_provider")),
}

# What else a row must say so that a field is kept: a country is, where an item was closed because it moved there.
KEPT_WITH: Mapping[tuple[str, str], dict[str, str]] = {
    ("scart-report", "hoster_country"): {"status_code": "close"},
    ("scart-whois", "hoster country"): {"status": "close"},
    ("scart-all", "hoster country"): {"status": "close"},
}
