"""However a URL is written, each format finds the same item, or quarantines the row with its reason."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import func, select

from monitor.db import transaction
from monitor.formats.catalogue import FAST_PATHS, FORMATS
from monitor.formats.inhope_csv import COLUMNS
from monitor.formats.records import Context
from monitor.ingest.batches import Batch, ReadTask, batch_of_records, batches
from monitor.ingest.delivery import DeliveryFile, load
from monitor.ingest.result import IngestResult
from monitor.instants import parse_instant
from monitor.models.facts import Content, Notice, Site
from monitor.settings import Source
from monitor.urls import DEFANGED, parse_url
from monitor.vault import ExportedKey, Vault
from tests.conftest import Database
from tests.formats.test_xarf import CSAM, OLD
from tests.ingest.test_references import REPORT as REPORT_HEADER
from tests.ingest.test_references import WHOIS, Reported
from tests.samples import CLOSED_HEADER, NTD_HEADER, Closed, Ntd

SAMPLES = Path(__file__).parents[1] / "formats" / "samples" / "urls"
NOW = parse_instant("2026-04-12T00:00:00Z")
VAULT = Vault(ExportedKey(1, bytes(range(64))))
CONTEXT = Context(NOW, "Europe/Amsterdam", 5 * 3600)
SENT = "2026-04-10 12:00:00"

TAKEN = {  # as it is written: the item it is, and whether it was defanged
    "https://a.s1.example/x": ("https://a.s1.example/x", False),
    "https://A.s1.example:443/y/../x": ("https://a.s1.example/x", False),
    "https://a.s1.example./%78#top": ("https://a.s1.example/x", False),
    "https://a.s1.example/a b é": ("https://a.s1.example/a%20b%20%C3%A9", False),
    "https://straße.s1.example/x": ("https://xn--strae-oqa.s1.example/x", False),
    "https://3221225993/x": ("https://192.0.2.9/x", False),
    "https://[2001:DB8::7]/x": ("https://[2001:db8::7]/x", False),
    "hxxps://a.s1.example/x": ("https://a.s1.example/x", True),
    "hXXps[:]//a[.]s1[.]example/x": ("https://a.s1.example/x", True),
    "https://a(.)s1[dot]example/x": ("https://a.s1.example/x", True),
    "\u202ahttps://a.s1.example/x\u202c": ("https://a.s1.example/x", False),
    "https://a.s1.example/x\u200b": ("https://a.s1.example/x", False),
}
REFUSED = {  # why it goes to quarantine
    "hxxp://a.s1.example/x[.]jpg": "defanged",
    "a[.]s1[.]example/x": "defanged",
    "foo://a.s1.example/x": "not_a_web_scheme",
    "a.s1.example/x": "url_without_host",
    "https://a..s1.example/x": "not_a_url",
    "https://a.s1.example/x https://b.s1.example/y": "not_one_url",
}
FORMS = (*TAKEN, *REFUSED)


def lines(header: str, line: Callable[[str], str]) -> str:
    return "\n".join([header, *map(line, FORMS)]) + "\n"


def inhope(url: str) -> str:
    values = dict.fromkeys(COLUMNS, "") | {"url": url, "notice_sent_at": "2026-04-10T10:00:00Z"}
    text = StringIO()
    csv.writer(text).writerow(values.values())
    return text.getvalue().removesuffix("\r\n")


def whois(url: str) -> str:
    row = dict.fromkeys(WHOIS.split(";"), "") | {"filenumber": "N1", "url": url, "status": "scheduler_checkonline"}
    return "".join(f'"{value}";' for value in (row | {"police": "n"}).values())


FILES: dict[str, Callable[[], str]] = {
    "scart-ntd": lambda: lines(NTD_HEADER, lambda url: Ntd(url, SENT).line()),
    "scart-ntdclosed": lambda: lines(CLOSED_HEADER, lambda url: Closed(url).line()),
    "scart-whois": lambda: lines("".join(f'"{name}";' for name in WHOIS.split(";")), whois),
    "scart-report": lambda: lines(REPORT_HEADER, lambda url: Reported(url).text()),
    "urlhaus": lambda: lines(
        "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter",
        lambda url: f'"1","{SENT}","{url}","online","{SENT}","","","",""',
    ),
    "inhope-csv": lambda: lines(",".join(COLUMNS), inhope),
    "xarf": lambda: json.dumps([CSAM | {"url": url} for url in FORMS]),
    "xarf 3": lambda: json.dumps([OLD | {"Report": OLD["Report"] | {"SourceUrl": url}} for url in FORMS]),
}


def read(name: str, folder: Path, *, by_columns: bool = False) -> Batch:
    path = folder / "delivery"
    path.write_text(FILES[name](), encoding="utf-8")
    name = name.partition(" ")[0]
    if not by_columns:
        return batch_of_records(FORMATS[name](path, CONTEXT), VAULT)
    [batch] = batches(ReadTask(path, name, CONTEXT, 1000), VAULT)
    return batch


def test_every_format_with_urls_is_here() -> None:
    assert {name.partition(" ")[0] for name in FILES} == FORMATS.keys() - {"scart-all"}  # which holds none


@pytest.mark.parametrize("name", FILES)
def test_the_item_is_the_same_in_every_format(name: str, tmp_path: Path) -> None:
    batch = read(name, tmp_path)
    assert batch.rows.url_digest == [VAULT.url_digest(text) for text, _ in TAKEN.values()]
    assert batch.flags[DEFANGED] == sum(undone for _, undone in TAKEN.values())
    reasons = REFUSED
    if name == "scart-report":  # has no quotes: what does not begin like a URL may be another column
        reasons = {url: reason if "://" in url else "columns_do_not_fit" for url, reason in REFUSED.items()}
    assert [row.reason for row in batch.refused] == list(reasons.values())


@pytest.mark.parametrize("name", FAST_PATHS)
def test_the_fast_path_finds_the_same(name: str, tmp_path: Path) -> None:
    slow, fast = read(name, tmp_path), read(name, tmp_path, by_columns=True)
    columns = ("line", "url_digest", "truncated", "stem_digest", "site_digest")
    assert {c: getattr(fast.rows, c) for c in columns} == {c: getattr(slow.rows, c) for c in columns}
    assert (fast.flags, fast.size) == (slow.flags, slow.size)
    assert [row[:3] for row in fast.refused] == [row[:3] for row in slow.refused]


def ingested(database: Database, vault: Vault, name: str, at: int, folder: Path) -> IngestResult:
    path = shutil.copy(SAMPLES / name, folder / name)
    with transaction(database.engine) as session:
        return load(session, vault, DeliveryFile(Source("hotline"), "inhope-csv", Path(path), at), at)


def test_a_removal_that_is_reported_defanged_meets_its_notice(database: Database, vault: Vault, tmp_path: Path) -> None:
    ingested(database, vault, "plain-then.csv", NOW, tmp_path)
    second = ingested(database, vault, "defanged.csv", NOW + 60, tmp_path)
    assert (second.contents_new, second.notices_new, second.sightings_new) == (0, 0, 12)
    assert "url_defanged: 12 rows" in second.warnings
    with transaction(database.engine) as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 12


def test_names_with_a_sharp_s_are_not_those_with_two(database: Database, vault: Vault, tmp_path: Path) -> None:
    ingested(database, vault, "idna-sharp-s.csv", NOW, tmp_path)
    with transaction(database.engine) as session:
        urls = [vault.open_text(row.url_sealed, row.key_version) for row in session.scalars(select(Content))]
        assert {parse_url(url).text for url in urls} == {
            "https://xn--strae-0-3va.example/x",
            "https://strasse-0.example/x",
        }
        assert session.scalar(select(func.count()).select_from(Site)) == 2
