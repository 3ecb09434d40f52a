"""Small deliveries for tests: rows of SCART exports and of the URLhaus feed, written as the sources write them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from monitor.ingest.delivery import DeliveryFile
from monitor.instants import parse_instant
from monitor.settings import Source

SCART = Source("scart", zone="UTC", recheck_gap_hours=5)
NTD_HEADER = (
    '"NTD filenumber";"NTD type";"NTD status";"NTD status time";"abuse owner";"abuse type";"abuse country";'
    '"abuse email";"url";"IP";"first seen";"last seen";"online counter";'
)
CLOSED_HEADER = (
    '"filenumber";"url";"status";"abuse owner";"abuse country";"abuse email";"IP";"first seen";"last seen";'
    '"online counter";'
)


@dataclass(frozen=True)
class Ntd:
    """One row of an ntd export; times are UTC here."""

    url: str
    sent: str
    owner: str = "Delta Datacenters"
    last: str = ""
    status: str = "sent_succes"
    role: str = "hoster"
    ip: str = ""
    country: str = "NL"
    email: str = ""

    def line(self) -> str:
        values = (
            "M1", "img", self.status, self.sent, self.owner, self.role, self.country, self.email, self.url,
            self.ip, "", self.last, "1",
        )  # fmt: skip
        return "".join(f'"{value}";' for value in values)


@dataclass(frozen=True)
class Closed:
    """One row of an ntdclosed export."""

    url: str
    status: str = "close_offline"
    last: str = ""
    country: str = "NL"

    def line(self) -> str:
        values = ("N1", self.url, self.status, "", self.country, "", "", "", self.last, "1")
        return "".join(f'"{value}";' for value in values)


def delivery_file(folder: Path, received_at: str, *rows: Ntd | Closed, source: Source = SCART) -> DeliveryFile:
    """Write the rows, all of one kind, as an export that arrived at `received_at`."""
    is_ntd = isinstance(rows[0], Ntd)
    header = NTD_HEADER if is_ntd else CLOSED_HEADER
    path = folder / f"{received_at.replace(':', '')}-{len(list(folder.iterdir()))}.csv"
    path.write_text("\n".join([header, *(row.line() for row in rows)]) + "\n", "utf-8")
    return DeliveryFile(source, "scart-ntd" if is_ntd else "scart-ntdclosed", path, parse_instant(received_at))


def feed(folder: Path, received_at: str, *rows: tuple[str, str, str, str]) -> DeliveryFile:
    """Write (dateadded, url, status, last_online) as a URLhaus feed."""
    lines = ["# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter"]
    lines += [f'"1","{added}","{url}","{status}","{last}","","","",""' for added, url, status, last in rows]
    path = folder / f"{received_at.replace(':', '')}.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    source = replace(SCART, name="urlhaus", recheck_gap_hours=6)
    return DeliveryFile(source, "urlhaus", path, parse_instant(received_at))


def on_disk(what: DeliveryFile) -> Path:
    """The file of a delivery_file that is one."""
    assert isinstance(what.path, Path)
    return what.path
