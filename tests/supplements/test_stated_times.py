"""When an item was received and classified: every source that states it is heard, and a later import moves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from monitor.db import transaction
from monitor.ingest.delivery import DeliveryFile, load
from monitor.instants import HOUR, iso, parse_instant, to_datetime
from monitor.score import engine as engines
from monitor.score.facts import load_tables
from monitor.settings import Source
from monitor.simulate.item_exports import report_text, whois_text
from monitor.supplements.measures import site_types
from monitor.vault import Vault
from tests.conftest import Database

RECEIVED = parse_instant("2026-04-10T18:00:00Z")
SENT = parse_instant("2026-04-10T12:00:00Z")
FIRST, CLASSIFIED = SENT - 6 * HOUR, SENT - 2 * HOUR
STATED = [(FIRST, CLASSIFIED), (FIRST + 3 * HOUR, CLASSIFIED), (FIRST, SENT + HOUR)]  # then imported, classified anew
URL = "https://s0001.example/1"


def _scart(received: int, classified: int) -> dict[str, str]:
    first, last, stamps = received, classified, _stamps
    return {
        "filenumber": "N2026041000001", "url": URL, "IP": "192.0.2.55", "status": "scheduler_checkonline",
        "host": "s0001.example", "received": stamps(first), "first seen": stamps(last), "first NTD": "",
        "last seen": stamps(last), "police": "n", "hoster owner": "Delta Datacenters", "hoster country": "NL",
        "hoster abuse email": "abuse@delta.example", "hoster NTD": "1", "notice": stamps(SENT), "number": "1",
        "hashcheck_at": "", "hashcheck_return": "", "referer": "",
    }  # fmt: skip


def _stamps(at: int) -> str:
    return to_datetime(at).strftime("%Y-%m-%d %H:%M:%S")


def _inhope(received: int, classified: int) -> str:
    head = "report_id,url,host_ip,notice_sent_at,recipient,recipient_country,recipient_email,status,checked_at,"
    cells = ["7", URL, "192.0.2.55", iso(SENT), "Delta Datacenters", "NL", "", "online", iso(SENT), "", iso(received)]
    return f"{head}destination_country,received_at,classified_at\n{','.join([*cells, iso(classified)])}\n"


def _xarf(received: int, classified: int) -> str:
    sender = {"org": "Example Hotline", "contact": "notices@hotline.example", "domain": "hotline.example"}
    report = {
        "xarf_version": "4.2.0", "report_id": "00000000-0000-4000-8000-000000000001", "timestamp": iso(SENT),
        "category": "content", "type": "csam", "reporter": sender, "sender": sender, "source_identifier": "192.0.2.55",
        "url": URL, "classification": "A1", "detection_method": "manual_review",
    }  # fmt: skip
    return json.dumps([report | {"received_at": iso(received), "classified_at": iso(classified)}])


def _xarf_3(received: int, classified: int) -> str:
    stated = {"received_at": iso(received), "classified_at": iso(classified)}
    body = {
        "ReportType": "ChildAbuse", "Date": iso(SENT), "SourceIp": "192.0.2.55", "SourceUrl": URL,
        "AdditionalInfo": stated,
    }  # fmt: skip
    return json.dumps(
        [{"Version": "3", "ReporterInfo": {"ReporterOrgEmail": "notices@hotline.example"}, "Report": body}]
    )


FORMATS: dict[str, tuple[str, Callable[[int, int], str]]] = {
    "report": ("scart-report", lambda *times: report_text(iter([_scart(*times)]))),
    "whois": ("scart-whois", lambda *times: whois_text(iter([_scart(*times)]))),
    "inhope-csv": ("inhope-csv", _inhope),
    "xarf": ("xarf", _xarf),
    "xarf version 3": ("xarf", _xarf_3),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_earliest_time_counts_in_whichever_order_deliveries_arrive(
    name: str, database: Database, vault: Vault, tmp_path: Path
) -> None:
    """Three exports of one item, in all six orders by six sources: the first import, one anew, one classified anew."""
    kind, written = FORMATS[name]
    for number, order in enumerate(permutations(STATED)):
        for place, times in enumerate(order):
            file = tmp_path / f"{number}-{place}"
            file.write_text(written(*times))
            source = Source(f"source_{number}", zone="UTC", recheck_gap_hours=5)
            with transaction(database.engine) as session:
                result = load(session, vault, DeliveryFile(source, kind, file, RECEIVED), RECEIVED + place)
            assert (result.verdict, result.quarantined) == ("ok", {})
    engine = engines.connect("duckdb://")
    found = load_tables(engine, database.url, 2**35, ("reports", "classifications"))
    rows = {name: engine.to_pyarrow(table.order_by("source")).to_pylist() for name, table in found.items()}
    sources = [f"source_{number}" for number in range(6)]
    assert [(row["source"], row["t"]) for row in rows["reports"]] == [(source, FIRST) for source in sources]
    assert [(row["source"], row["t"]) for row in rows["classifications"]] == [(s, CLASSIFIED) for s in sources]


def test_what_was_known_at_an_instant_is_what_had_been_stated_by_then(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    """A later delivery may state an earlier time; a table of before knows the later one."""
    for place, times in enumerate((STATED[1], STATED[0])):
        file = tmp_path / str(place)
        file.write_text(_inhope(*times))
        with transaction(database.engine) as session:
            load(session, vault, DeliveryFile(Source("a"), "inhope-csv", file, RECEIVED), RECEIVED + place)
    engine = engines.connect("duckdb://")
    for known_at, expected in ((RECEIVED, FIRST + 3 * HOUR), (RECEIVED + 1, FIRST)):
        [row] = engine.to_pyarrow(load_tables(engine, database.url, known_at, ("reports",))["reports"]).to_pylist()
        assert row["t"] == expected


def test_the_type_of_a_site_is_all_that_is_told_of_its_address(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    """Two items on a name are one site; an address is another."""
    hosts = ("img.s0001.example/1", "s0001.example/2", "192.0.2.1/3")
    rows = [_inhope(*STATED[0]).splitlines()[1].replace(URL, f"https://{host}") for host in hosts]
    file = tmp_path / "three.csv"
    file.write_text("\n".join([_inhope(*STATED[0]).splitlines()[0], *rows]) + "\n")
    with transaction(database.engine) as session:
        load(session, vault, DeliveryFile(Source("a"), "inhope-csv", file, RECEIVED), RECEIVED)
        assert sorted(site_types(session, vault).values()) == ["address", "name"]
