"""XARF: each content type of versions 4 and 3 in, one literal record out; each bad report with its reason and field."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xarf import schema_registry

from monitor.errors import DeliveryError
from monitor.formats.files import fingerprint, read_chunks
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.xarf import parse
from monitor.formats.xarf_body import WithoutEvidence, read_body
from monitor.ingest.delivery import DeliveryFile
from monitor.instants import parse_instant
from monitor.settings import Source
from monitor.vocabulary import Channel, DeliveryState, Kind, Role, State

SAMPLES = Path(__file__).parent / "samples" / "xarf"
RECEIVED = parse_instant("2026-04-10T18:00:00Z")
SENT = parse_instant("2026-04-10T12:00:00Z")
CONTEXT = Context(RECEIVED)
CSAM: dict[str, Any] = json.loads((SAMPLES / "v4-csam.json").read_text())
OLD: dict[str, Any] = json.loads((SAMPLES / "v3-childabuse.json").read_text())
CANARY = "canary-7f3a"


def read(*reports: object) -> list[Record | Rejected]:
    return list(parse([json.dumps(reports).encode()], CONTEXT))


def read_sample(name: str) -> Record:
    [record] = parse([(SAMPLES / name).read_bytes()], CONTEXT)
    assert isinstance(record, Record)
    return record


def notice(number: int, recipient: str | None = None) -> NoticeRecord:
    return NoticeRecord(
        SENT,
        kind=Kind.HOTLINE_NOTICE,
        role=Role.HOSTER,
        delivery=DeliveryState.ASSUMED,
        channel=Channel.EMAIL,
        recipient=recipient,
        address="192.0.2.55",
        reference=f"00000000-0000-4000-8000-{number:012d}",
    )


SEEN = (SightingRecord(parse_instant("2026-04-10T09:30:00Z"), State.ONLINE),)


@pytest.mark.parametrize(
    ("kind", "number", "recipient", "sightings"),
    [
        ("csam", 1, "Delta Datacenters", ()),
        ("csem", 2, None, ()),
        ("phishing", 3, None, SEEN),
        ("malware", 4, None, ()),
        ("fraud", 5, None, ()),
        ("brand_infringement", 6, None, ()),
        ("exposed_data", 7, None, ()),
        ("remote_compromise", 8, None, ()),
        ("suspicious_registration", 9, None, ()),
    ],
)
def test_each_content_type_of_version_4(
    kind: str, number: int, recipient: str | None, sightings: tuple[SightingRecord, ...]
) -> None:
    expected = Record(1, f"https://s000{number}.example/{kind}", False, (notice(number, recipient),), sightings)
    assert read_sample(f"v4-{kind}.json") == expected


def test_there_is_a_sample_of_every_content_type() -> None:
    kinds = {path.stem.removeprefix("v4-") for path in SAMPLES.glob("v4-*.json")}
    assert kinds == schema_registry.get_types_for_category("content")


@pytest.mark.parametrize(("kind", "number"), [("childabuse", 1), ("phishing", 2), ("malware", 3)])
def test_each_content_type_of_version_3(kind: str, number: int) -> None:
    sent = NoticeRecord(SENT, address="192.0.2.55", reference=f"CASE-{number}")
    assert read_sample(f"v3-{kind}.json") == Record(1, f"https://s010{number}.example/{kind}", False, (sent,))


STATED = [
    ({}, (None, None), ()),
    ({"received_at": "2026-04-10T10:00:00+02:00"}, (SENT - 4 * 3600, None), ()),
    (
        {"received_at": "2026-04-10T08:00:00Z", "classified_at": "2026-04-10T11:00:00Z"},
        (SENT - 4 * 3600, SENT - 3600),
        (),
    ),
    ({"received_at": "", "classified_at": None}, (None, None), ()),
    ({"received_at": "2026-04-10 08:00", "classified_at": 7}, (None, None),
     ("received_at:time_without_zone", "classified_at:not_a_time")),
    ({"classified_at": "2026-04-10T12:00:01Z"}, (None, SENT + 1), ("sent_before_classified",)),
    ({"received_at": "2026-04-12T00:00:00Z"}, (None, None), ("received_in_future",)),
]  # fmt: skip


@pytest.mark.parametrize(("stated", "found", "flags"), STATED)
def test_when_a_report_was_received_and_classified(
    stated: dict[str, Any], found: tuple[int | None, int | None], flags: tuple[str, ...]
) -> None:
    """Fields of our own; in version 3 they stand in `AdditionalInfo`. What is no time costs no notice."""
    extra = {"AdditionalInfo": {"other": 1} | stated}
    for [record] in (read(CSAM | stated), read(OLD | {"Report": OLD["Report"] | extra})):
        assert isinstance(record, Record)
        assert (record.reported_at, record.classified_at, record.flags) == (*found, flags)
        assert len(record.notices) == 1


def test_version_3_as_the_library_has_it() -> None:
    body = {"ReportType": "Phishing", "Date": "2026-04-10T12:00:00Z"}
    [one, two] = read(
        OLD | {"Report": body | {"Source": {"IP": "2001:db8::7", "URL": "https://s1.example/a"}}},
        OLD | {"Report": body | {"AdditionalInfo": {"URL": "https://s1.example/b"}}},
    )
    assert one == Record(1, "https://s1.example/a", False, (NoticeRecord(SENT, address="2001:db8::7"),))
    assert two == Record(2, "https://s1.example/b", False, (NoticeRecord(SENT),))


@pytest.mark.parametrize(
    ("changed", "sightings", "flags"),
    [
        ({"verified_at": "2026-04-10T13:00:00Z"}, (SightingRecord(SENT + 3600, State.ONLINE),), ()),
        ({"verified_at": "2026-04-10T13:00:00Z", "verification_method": "user_report"}, (), ("verified_by_hearsay",)),
        ({"content_removed": True}, (SightingRecord(RECEIVED, State.OFFLINE),), ()),
        ({"content_removed": False}, (), ()),  # may be nothing but a default
        ({"first_seen": "2026-04-01T00:00:00Z"}, (), ()),  # when something began starts no clock here
        ({"anything": {"else": 1}}, (), ()),
    ],
)
def test_what_else_a_report_says(
    changed: dict[str, Any], sightings: tuple[SightingRecord, ...], flags: tuple[str, ...]
) -> None:
    [record] = read(CSAM | changed)
    assert record == Record(1, CSAM["url"], False, (notice(1, "Delta Datacenters"),), sightings, flags)


@pytest.mark.parametrize(("method", "kind"), [("hash_match", Kind.HASH_HIT), ("ai_detection", Kind.HOTLINE_NOTICE)])
def test_a_match_of_hashes_is_a_hash_hit(method: str, kind: Kind) -> None:
    [record] = read(CSAM | {"detection_method": method})
    assert isinstance(record, Record)
    assert record.notices[0].kind is kind


@pytest.mark.parametrize("source", ["s0001.example", "https://s0001.example/", "AS64496", "123"])
def test_a_source_that_is_no_address_gives_none(source: str) -> None:
    [record] = read(CSAM | {"source_identifier": source})
    assert isinstance(record, Record)
    assert record.notices[0].address in (None, "123")  # ingest flags what looks like an address and is none


def test_the_report_in_the_page_for_hotlines_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    _, after = page.split("**A report**")
    [record] = read(json.loads(after.split("```json")[1].split("```")[0]))
    assert record == Record(1, "https://s0001.example/1", False, (notice(1, "Delta Datacenters"),))


WITHOUT = object()


@pytest.mark.parametrize(
    ("changed", "reason", "field"),
    [
        ({"url": WITHOUT}, "missing_field", "url"),
        ({"timestamp": WITHOUT}, "missing_field", "timestamp"),
        ({"report_id": WITHOUT}, "missing_field", "report_id"),
        ({"xarf_version": WITHOUT}, "missing_field", "xarf_version"),
        ({"classification": WITHOUT}, "missing_field", "classification"),
        ({"category": WITHOUT}, "missing_field", "category"),
        ({"type": WITHOUT}, "missing_field", "type"),
        ({"sender": {"org": "Example Hotline"}}, "missing_field", "sender.contact"),
        ({"url": None}, "bad_field", "url"),
        ({"url": 7}, "bad_field", "url"),
        ({"classification": CANARY}, "bad_field", "classification"),
        ({"report_id": CANARY}, "bad_field", "report_id"),
        ({"xarf_version": "5.0.0"}, "unknown_version", "xarf_version"),
        ({"xarf_version": "4.0.0-alpha"}, "unknown_version", "xarf_version"),
        ({"xarf_version": 4}, "unknown_version", "xarf_version"),
        ({"reporter": {**CSAM["reporter"], CANARY: 1}}, "bad_field", "reporter"),
        ({"dns_records": {"a": [7]}}, "bad_field", "dns_records"),
        ({"hosting_provider": ["Delta"]}, "bad_field", "hosting_provider"),
        ({"category": "messaging", "type": "spam"}, "not_content", "category"),
        ({"category": "copyright", "type": "p2p"}, "not_content", "category"),
        ({"category": CANARY}, "not_content", "category"),
        ({"type": "spam"}, "not_content", "type"),
        ({"timestamp": "2026-04-10T12:00:00"}, "time_without_zone", "timestamp"),
        ({"timestamp": "2026-04-10"}, "not_a_time", "timestamp"),
        ({"timestamp": "2026-02-30T12:00:00Z"}, "not_a_time", "timestamp"),
        ({"timestamp": "2026-04-10T12:00:00+25:00"}, "not_a_time", "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "implausible_time", "timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, "notice_in_future", "timestamp"),
        ({"timestamp": "2026-04-10T18:05:01Z"}, "notice_in_future", "timestamp"),
        ({"verified_at": "2026-04-10T18:05:01Z"}, "last_seen_in_future", "verified_at"),
        ({"verified_at": "2026-04-10T12:00:00"}, "time_without_zone", "verified_at"),
        ({"hosting_provider": "x" * 256}, "text_too_long", "hosting_provider"),
        ({"hosting_provider": "x\x00"}, "nul_character", "hosting_provider"),
        ({"hosting_provider": "x\ud800"}, "not_utf8", None),
    ],
)
def test_a_bad_report_is_refused_with_its_field(changed: dict[str, Any], reason: str, field: str | None) -> None:
    report = {name: value for name, value in (CSAM | changed).items() if value is not WITHOUT}
    bad, good = read(report, CSAM)
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.reason, bad.column) == (1, reason, field)
    assert isinstance(good, Record)


@pytest.mark.parametrize(
    ("changed", "reason", "field"),
    [
        ({"Date": None}, "missing_field", "Report.Date"),
        ({"Date": "2026-04-10T12:00:00"}, "time_without_zone", "Report.Date"),
        ({"SourceUrl": None}, "missing_field", "Report.SourceUrl"),
        ({"SourceUrl": 7}, "bad_field", "Report.SourceUrl"),
        ({"ReportType": None}, "missing_field", "Report.ReportType"),
        ({"ReportType": " "}, "missing_field", "Report.ReportType"),
        ({"ReportType": [CANARY]}, "bad_field", "Report.ReportType"),
        ({"ReportClass": None, "ReportType": CANARY}, "unknown_type", "Report.ReportType"),
        ({"ReportType": "Botnet"}, "not_content", "Report.ReportType"),
        ({"ReportType": "LoginAttack"}, "not_content", "Report.ReportType"),
        ({"ReportType": "copyright"}, "not_content", "Report.ReportType"),
        ({"ReportClass": "Activity", "ReportType": "Spam"}, "not_content", "Report.ReportClass"),
        ({"ReportClass": None, "ReportType": "Spam"}, "not_content", "Report.ReportType"),
        ({"ReporterCaseID": "x" * 65}, "text_too_long", "Report.ReporterCaseID"),
    ],
)
def test_a_bad_report_of_version_3(changed: dict[str, Any], reason: str, field: str) -> None:
    [bad] = read(OLD | {"Report": OLD["Report"] | changed})
    assert isinstance(bad, Rejected)
    assert (bad.reason, bad.column) == (reason, field)


@pytest.mark.parametrize(
    ("changed", "reason", "field"),
    [
        ({"Report": [1]}, "bad_field", "Report"),
        ({"ReporterInfo": "x"}, "bad_field", "ReporterInfo"),
        ({"ReporterInfo": {}}, "missing_field", "ReporterInfo.ReporterOrgEmail"),
        ({"ReporterInfo": {"ReporterType": "Org"}}, "missing_field", "ReporterInfo.ReporterOrgEmail"),
        ({"Version": "1"}, "unknown_version", "Version"),
        ({"Version": "2"}, "unknown_version", "Version"),
        ({"Version": 3}, "unknown_version", "Version"),
        ({"Version": CANARY}, "unknown_version", "Version"),
        ({"ReporterInfo": {"ReporterOrgEmail": CANARY}}, "not_convertible", "Report"),
    ],
)
def test_a_version_3_envelope_that_is_none(changed: dict[str, Any], reason: str, field: str) -> None:
    [bad] = read(OLD | changed)
    assert isinstance(bad, Rejected)
    assert (bad.reason, bad.column) == (reason, field)


def test_the_first_draft_of_the_standard_had_no_version() -> None:
    [bad] = read({name: value for name, value in OLD.items() if name != "Version"})
    assert isinstance(bad, Rejected)
    assert (bad.reason, bad.column) == ("unknown_version", "Version")


def test_a_natural_person_who_reports_need_not_have_a_mail_address() -> None:
    [record] = read(OLD | {"ReporterInfo": {"ReporterType": "Person"}})
    assert record == read_sample("v3-childabuse.json")


def test_a_type_of_content_that_nobody_knows_is_flagged() -> None:
    """A later version of the standard may have it; that it is content is what counts."""
    new, old = read(
        {name: value for name, value in CSAM.items() if name != "classification"} | {"type": CANARY},
        OLD | {"Report": OLD["Report"] | {"ReportType": CANARY}},
    )
    assert new == Record(1, CSAM["url"], False, (notice(1, "Delta Datacenters"),), (), ("unknown_type",))
    assert isinstance(old, Record)
    assert (old.notices, old.flags) == (read_sample("v3-childabuse.json").notices, ("unknown_type",))


@pytest.mark.parametrize("written", ["[2001:db8::7]", "[2001:db8::7]:443", "2001:db8::7"])
def test_an_address_in_brackets_keeps_its_address(written: str) -> None:
    new, old = read(CSAM | {"source_identifier": written}, OLD | {"Report": OLD["Report"] | {"SourceIp": written}})
    assert isinstance(new, Record)
    assert isinstance(old, Record)
    assert [new.notices[0].address, old.notices[0].address] == ["2001:db8::7", "2001:db8::7"]


def test_quarantine_keeps_the_report_without_evidence_and_what_shows_the_material() -> None:
    [bad] = read(CSAM | {"timestamp": "never", "url": f"https://{CANARY}.example/"})
    assert isinstance(bad, Rejected)
    kept = json.loads(bad.raw)
    assert kept["url"] == f"https://{CANARY}.example/"
    assert kept["timestamp"] == "never"
    assert not {"evidence", "hash_values", "classification", "media_type"} & set(kept)


@pytest.mark.parametrize("name", ["evidence", "\\u0065vidence"])
def test_evidence_is_nowhere_however_its_name_is_written(name: str) -> None:
    text = json.dumps(CSAM | {"timestamp": "never"}).replace('"evidence"', f'"{name}"').encode()
    assert b"bm90IGFuIGltYWdl" in text
    [bad] = parse([text], CONTEXT)
    assert isinstance(bad, Rejected)
    assert b"bm90IGFuIGltYWdl" not in bad.raw
    assert b"bm90IGFuIGltYWdl" not in read_body(text).content


def test_samples_of_version_3_are_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_arguments: object) -> bytes:
        raise AssertionError("evidence was decoded")

    monkeypatch.setattr("base64.b64decode", decoded)
    for name in ("v3-phishing.json", "v4-csam.json"):
        read_sample(name)


def test_a_line_that_is_no_json_leaves_nothing_and_stops_nothing() -> None:
    lines = [json.dumps(CSAM), '{"url": "https://s9.example/', json.dumps(CSAM)]
    good, bad, last = parse(["\n".join(lines).encode()], CONTEXT)
    assert bad == Rejected(2, "not_json", None, b"")
    assert isinstance(good, Record)
    assert isinstance(last, Record)
    assert last.line == 3


FIRST = json.dumps(CSAM)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "text",
    [
        f"[{FIRST}, 7, {FIRST}]",
        f"[7, {FIRST}]",
        "[]",
        json.dumps(CSAM, indent=1),
        f'{FIRST}\n{{"a": \n"x"\n\n{FIRST}',
        f'{FIRST}\n{{"a": "{"x" * 300_000}"}}\n{FIRST}',
    ],
)
def test_the_form_that_is_kept_reads_the_same(tmp_path: Path, text: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "reports.json"
    path.write_bytes(pack(text.encode()))
    kept = WithoutEvidence(path)
    with kept.open("rb") as file:
        content = file.read()
    assert b"bm90IGFuIGltYWdl" not in content
    assert list(parse(read_chunks(kept), CONTEXT)) == list(parse(read_chunks(path), CONTEXT))
    assert fingerprint(WithoutEvidence(kept)) == fingerprint(kept) == hashlib.sha256(content).hexdigest()


def test_a_delivery_is_only_ever_seen_without_evidence(tmp_path: Path) -> None:
    (tmp_path / "reports.json").write_text(FIRST)
    with DeliveryFile(Source("hotline"), "xarf", tmp_path / "reports.json", RECEIVED).path.open("rb") as file:
        content = file.read()
    assert b"bm90IGFuIGltYWdl" in FIRST.encode()
    assert b"bm90IGFuIGltYWdl" not in content


names = st.sampled_from(
    [*CSAM, *OLD, *OLD["Report"], "Source", "AdditionalInfo", "verified_at", "content_removed", "x"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["3", "content", "csam"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(values, st.dictionaries(names, values, max_size=3), st.dictionaries(names, values, max_size=3), st.booleans())
def test_any_json_is_read_or_refused(
    anything: object, changed: dict[str, Any], inner: dict[str, Any], lines: bool
) -> None:
    reports: list[object] = [CSAM | changed, OLD | changed, OLD | {"Report": OLD["Report"] | inner}, anything]
    written = [json.dumps(report) for report in reports]
    text = "\n".join(written) if lines else f"[{','.join(written)}]"
    try:
        found = list(parse([text.encode()], CONTEXT))
    except DeliveryError:
        return
    assert [f.line for f in found] == [1, 2, 3, 4]
    for one in found:
        if isinstance(one, Rejected):
            assert len(one.reason) <= 48
            assert len(one.column or "") <= 64


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        found = list(parse([raw], CONTEXT))
    except DeliveryError:
        return
    assert all(isinstance(one, Rejected) for one in found)
