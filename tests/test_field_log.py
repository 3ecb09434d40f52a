"""docs/field-log.md: what people report of such files, tried here; each entry of its table with its literal outcome."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from scrapy.http import Response

from monitor.countries import country_code
from monitor.errors import DeliveryError
from monitor.formats.announcements import read_pfx2as, read_ris
from monitor.formats.catalogue import FORMATS
from monitor.formats.files import Openable
from monitor.formats.netblocks import Counted, NetblockRecord, read_netblocks
from monitor.formats.records import Context, Record, Rejected
from monitor.instants import NotATimeError, iso, parse_instant, read_instant
from monitor.names import matching_form
from monitor.urls import NotAUrlError, address_of, parse_url
from spiders.collector import _validators, day_of
from spiders.crawl import retry_after

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "field-log.md").read_text("utf-8")
ROW = re.compile(r"\| `([\w-]+)` \| \[[^\]]+\]\((https?://[^)\s]+)\): [^|]+ \| (right|wrong|unclear) \| [^|]+ \|")
LINES = [line for line in TEXT.splitlines() if line.startswith("| `")]
CONTEXT = Context(parse_instant("2026-04-10T12:00:00Z"), zone="Europe/Amsterdam", recheck_gap_seconds=5 * 3600)

INHOPE = (
    "report_id,url,host_ip,notice_sent_at,recipient,recipient_country,recipient_email,status,checked_at,"
    "destination_country"
)
PLAIN = "R-1,https://s1.example/a,192.0.2.7,2026-04-09T08:00:00Z,Delta,NL,,,,"
TAKEN = "https://s1.example/a 192.0.2.7 2026-04-09T08:00:00Z"
TABS = (
    "line 1: the columns are separated by tabs, and inhope-csv by commas; export it again with the other separator "
    "(a spreadsheet takes that of its region)"
)
MALWARE = (
    '{"Version": "3", "ReporterInfo": {"ReporterOrg": "A", "ReporterOrgEmail": "a@a.example"}, "Report": '
    '{"ReportClass": "Content", "ReportType": "Malware", "Date": "2026-04-09T08:00:00Z", "SourceIp": "192.0.2.7"}}'
)
FEED = "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter"
NTD = (
    '"NTD filenumber";"NTD type";"NTD status";"NTD status time";"abuse owner";"abuse type";"abuse country";'
    '"abuse email";"url";"IP";"first seen";"last seen";"online counter";'
)


def url(text: str) -> str:
    try:
        return parse_url(text).text
    except NotAUrlError as error:
        return error.reason


def instant(text: str) -> str:
    try:
        return iso(read_instant(text))
    except NotATimeError as error:
        return error.reason


def delivery(name: str, content: str | bytes, folder: Path) -> list[str]:
    """Each row: its number, and its URL, address, time of notice and flags; or its number and why it was refused."""
    path = folder / "delivery"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        return [_row(row) for row in FORMATS[name](path, CONTEXT)]
    except DeliveryError as error:
        return [str(error)]


def _row(row: Record | Rejected) -> str:
    if isinstance(row, Rejected):
        return f"{row.line}: {row.reason}"
    notices = [part for n in row.notices for part in (address_of(n.address or "") or "-", iso(n.sent_at))]
    return " ".join([f"{row.line}:", url(row.url), *notices, *row.flags])


def networks(read: Callable[[Openable, Counted], object], content: str, folder: Path) -> list[str]:
    path = folder / "table"
    path.write_text(content, "utf-8")
    try:
        found = read(path, lambda: None)
        assert hasattr(found, "__iter__")
        return [f"{row.asn}" for row in found if isinstance(row, NetblockRecord)]
    except DeliveryError as error:
        return [str(error)]


URLS = {
    "url-in-angle-brackets": ("<https://s1.example/a>", "https://s1.example/a"),
    "url-with-a-url-in-it": (
        "https://s1.example/?p=~C<http://s2.example/f>",
        "https://s1.example/?p=~C%3Chttp://s2.example/f%3E",
    ),
    "url-with-a-label": ("<https://s1.example/a|s1.example>", "not_one_url"),
    "two-urls-on-a-line": ("https://s1.example/a https://s2.example/b", "not_one_url"),
    "url-and-the-next-line": ("https://s1.example/a\nd41d8cd98f00b204", "https://s1.example/ad41d8cd98f00b204"),
    "zero-width-space": ("https://s1.example/a\u200b", "https://s1.example/a"),
    "zero-width-space-within": ("https://s1.example/a\u200bb", "https://s1.example/a%E2%80%8Bb"),
    "em-space-around": ("\u2003https://s1.example/a\u2003", "https://s1.example/a"),
    "label-of-64-characters": (f"https://{'a' * 64}.example/", "not_a_url"),
    "label-of-31-letters": (f"https://{'ж' * 31}.example/", f"https://xn--{'f1a' + 'a' * 30}.example/"),
}
INSTANTS = {
    "zone-by-its-name-too": ("2026-04-09T10:00:00+02:00[Europe/Amsterdam]", "2026-04-09T08:00:00Z"),
    "zone-by-its-name-only": ("2026-04-09T10:00:00[Europe/Amsterdam]", "time_without_zone"),
    "hour-24": ("2026-04-09T24:00:00Z", "not_a_time"),
    "zone-in-letters": ("2026-04-09T10:00:00MESZ", "not_a_time"),
    "offset-of-60-minutes": ("2026-04-09T10:00:00+0060", "not_a_time"),
    "date-as-a-number": ("46121.4167", "not_a_time"),
}
COUNTRIES = {
    "country-with-the": ("Netherlands (Kingdom of the)", "NL"),
    "country-that-was": ("AN", None),
}
DELIVERIES: dict[str, tuple[str, str | bytes, list[str]]] = {
    "line-that-names-the-separator": ("inhope-csv", f"sep=,\n{INHOPE}\n{PLAIN}\n", [f"3: {TAKEN}"]),
    "byte-order-mark-before-quotes": (
        "inhope-csv", f'\ufeff\ufeff"report_id"{INHOPE[9:]}\n{PLAIN}\n', [f"2: {TAKEN}"],
    ),
    "emptied-rows": ("inhope-csv", f"{INHOPE}\n{PLAIN}\n,,,,,,,,,\n\"\",,,,,,,,,\n", [f"2: {TAKEN}"]),
    "empty-line-on-top": ("inhope-csv", f",,,\n\n{INHOPE}\n,,,,,,,,,\n{PLAIN}\n", [f"5: {TAKEN}"]),
    "comma-at-the-end": ("inhope-csv", f"{INHOPE},\n{PLAIN},\n", [f"2: {TAKEN} unknown_column:11"]),
    "commas-became-tabs": (
        "inhope-csv", f"{INHOPE}\n{PLAIN}\n".replace(",", "\t"),
        [TABS],
    ),
    "number-in-scientific-notation": (
        "inhope-csv", f"{INHOPE}\n{PLAIN.replace('R-1', '1.23457E+15')}\n", [f"2: {TAKEN} rounded_number"],
    ),
    "other-encoding": (
        "inhope-csv", f"{INHOPE}\n{PLAIN.replace('Delta', 'Déltà')}\n".encode("cp1252"), ["2: not_utf8"],
    ),
    "address-with-length": ("inhope-csv", f"{INHOPE}\n{PLAIN.replace('2.7', '2.7/32')}\n", [f"2: {TAKEN}"]),
    "address-defanged": ("inhope-csv", f"{INHOPE}\n{PLAIN.replace('2.7', '2[.]7')}\n", [f"2: {TAKEN}"]),
    "address-with-zone": (
        "inhope-csv", f"{INHOPE}\n{PLAIN.replace('192.0.2.7', '2001:db8::7%eth0')}\n",
        ["2: https://s1.example/a 2001:db8::7 2026-04-09T08:00:00Z"],
    ),
    "hash-in-a-url": (
        "urlhaus", f'{FEED}\n"1","2026-04-09 08:00:00","http://s1.example/a#!b","offline","","","","",""\n',
        ["2: http://s1.example/a#!b - 2026-04-09T08:00:00Z"],
    ),
    "column-that-was-added": (
        "urlhaus",
        FEED.replace("last_online,", "") + '\n"1","2026-04-09 08:00:00","http://s1.example/a","online","","","",""\n',
        ["line 1: no column 'last_online'; is this the right format?"],
    ),
    "header-without-comment": (
        "urlhaus", f'{FEED[2:]}\n"1","2026-04-09 08:00:00","http://192.0.2.7/a","online","","","","",""\n',
        ["2: http://192.0.2.7/a - 2026-04-09T08:00:00Z"],
    ),
    "status-of-an-older-version": (
        "scart-ntd",
        f'{NTD}\n"A1";"img";"close_notNL";"2026-04-09 10:00:00";"";"hoster";"NL";"";"https://s1.example/a";"";"";"";"1";\n',
        ["2: https://s1.example/a not_sent"],
    ),
    "export-of-an-older-version": (
        "scart-whois",
        "url;host;IP;status;classification;first seen;online counter;registrar_owner;host_owner;\n",
        ["line 1: this is not the header line of a SCART export"],
    ),
    "report-without-a-url": (
        "xarf",
        MALWARE,
        ["1: missing_field"],
    ),
}  # fmt: skip
NETWORKS = {
    "number-with-an-underscore": (
        read_netblocks, "192.0.2.0,192.0.2.255,644_96,X\n",
        ["line 1, column asn: no AS number, which is a whole number of 32 bits"],
    ),
    "set-of-origins": (read_ris, "{64496,64497}\t203.0.113.0/24\t350\n", ["0"]),
    "set-of-one-origin": (read_ris, "{64496}\t203.0.113.0/24\t350\n", ["64496"]),
    "number-with-a-dot": (
        read_pfx2as, "203.0.113.0\t24\t1.10\n", ["line 1, column origin: no AS number, set or several"],
    ),
}  # fmt: skip
WAITS = {"wait-with-a-fraction": ("0.503", 1)}
NAMES = {"name-with-escapes": ("Delta &amp; Son&#39;s B.V.", "Delta & Son's")}
ELSEWHERE = {  # what needs a server, and the test that has it
    "compressed-and-cut-off": "test_a_feed_that_the_server_compressed_is_taken_whole_or_not_at_all",
    "said-to-be-compressed": "test_a_feed_that_the_server_compressed_is_taken_whole_or_not_at_all",
    "compressed-twice": "test_every_format_says_what_the_file_is",
}
ALONE = {"tag-with-a-suffix", "date-out-of-range"}
TRIED = {*URLS, *INSTANTS, *COUNTRIES, *DELIVERIES, *NETWORKS, *WAITS, *NAMES, *ELSEWHERE, *ALONE}


@pytest.mark.parametrize("key", URLS)
def test_urls(key: str) -> None:
    text, outcome = URLS[key]
    assert url(text) == outcome


@pytest.mark.parametrize("key", INSTANTS)
def test_times(key: str) -> None:
    text, outcome = INSTANTS[key]
    assert instant(text) == outcome


def test_countries_waits_and_names() -> None:
    assert {key: country_code(text) for key, (text, _) in COUNTRIES.items()} == {
        k: v for k, (_, v) in COUNTRIES.items()
    }
    assert {key: retry_after(text, 0) for key, (text, _) in WAITS.items()} == {k: v for k, (_, v) in WAITS.items()}
    assert all(matching_form(one) == matching_form(other) for one, other in NAMES.values())


@pytest.mark.parametrize("key", DELIVERIES)
def test_deliveries(key: str, tmp_path: Path) -> None:
    name, content, outcome = DELIVERIES[key]
    assert delivery(name, content, tmp_path) == outcome


@pytest.mark.parametrize("key", NETWORKS)
def test_tables_of_networks(key: str, tmp_path: Path) -> None:
    read, content, outcome = NETWORKS[key]
    assert networks(read, content, tmp_path) == outcome


def test_headers_of_a_server() -> None:
    tagged = Response("http://s1.example/feed", headers={"ETag": 'W/"5f-gzip"'})
    assert _validators(tagged) == {"etag": 'W/"5f-gzip"'}  # given back as it came
    dated = Response("http://s1.example/feed", headers={"Last-Modified": "Thu, 09 Apr 2026 08:00:00 +99999999999999"})
    assert day_of(dated, parse_instant("2026-04-10")).isoformat() == "2026-04-10"


def test_the_table_and_these_tests_have_the_same_entries() -> None:
    found = [ROW.fullmatch(line) for line in LINES]
    assert all(found), [line for line, match in zip(LINES, found, strict=True) if not match]
    keys = [match[1] for match in found if match]
    assert len(keys) == len(set(keys)) >= 25
    assert set(keys) == TRIED
    verdicts = Counter(match[3] for match in found if match)
    right, wrong, unclear = (verdicts[word] for word in ("right", "wrong", "unclear"))
    said = f"{len(keys)} were tried: {right} came out right, {wrong} wrong, {unclear} with"
    assert said in " ".join(TEXT.split())


def test_what_needs_a_server_is_tested_there() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in ELSEWHERE.values() if f"def {name}(" not in tests] == []
