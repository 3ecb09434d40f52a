"""The synthetic hotline: same bytes for a seed, the dialect, the hours, and what the exports can prove."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml

from monitor.errors import MonitorError
from monitor.simulate import SCENARIOS, simulate
from monitor.simulate.scenario import COMPANIES, CompanyPlan, Quarter, Scenario
from tests.simulate.hotline_reader import AMSTERDAM, Row, exports, hours_online, local, truth

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.simulate.conftest import Run

DOCUMENTATION = [ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
RESERVED_NAME = re.compile(r"(?:.*\.)?(?:example|test|example\.(?:com|net|org))")
DEADLINE = timedelta(hours=24)
CLAIMS = ("aliases", "abuse_addresses", "asns", "prefixes", "domains")


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _judged(folder: Path) -> dict[str, str]:
    """From the exports alone: whether each printed URL was gone in time, too late, or cannot be told."""
    first: dict[str, datetime] = {}
    seen: dict[str, datetime] = {}
    gone: dict[str, datetime] = {}
    for _, rows in exports(folder, "ntd"):
        for row in rows:
            if row["NTD status"] in {"sent_succes", "sent_api_succes"}:
                first.setdefault(row["url"], local(row["NTD status time"]))
                seen[row["url"]] = local(row["last seen"])
    for received, rows in exports(folder, "ntdclosed"):
        for row in rows:
            if row["status"].startswith("close_offline"):
                gone.setdefault(row["url"], received)
    on_time = {url for url, at in gone.items() if url in first and at - first[url] <= DEADLINE}
    late = {url for url, at in first.items() if seen[url] - at > DEADLINE}
    assert not on_time & late
    return {url: "on time" if url in on_time else "late" if url in late else "undetermined" for url in first}


def test_same_seed_same_bytes(tmp_path: Path, runs: dict[str, Run]) -> None:
    simulate("refuser", tmp_path / "again", seed=1)
    simulate("refuser", tmp_path / "other", seed=2)
    assert _digest(tmp_path / "again") == _digest(runs["refuser"][0])
    assert _digest(tmp_path / "other") != _digest(runs["refuser"][0])


def test_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="quiet, refuser, tudelft-2020, tudelft-2022"):
        simulate("nowhere", tmp_path)
    with pytest.raises(MonitorError, match="scale"):
        simulate("quiet", tmp_path, scale=0)
    simulate("quiet", tmp_path, scale=0.01)
    with pytest.raises(MonitorError, match="already holds deliveries"):
        simulate("quiet", tmp_path)


def test_scale_keeps_every_company(tmp_path: Path) -> None:
    summary = simulate("tudelft-2022", tmp_path, scale=0.001)
    assert (summary.companies, summary.notices) == (39, 39)


def test_headers_are_those_of_the_hotline(run: Run) -> None:
    headers = {path.name.split("-", 1)[1]: path.read_bytes() for path in (run[0] / "deliveries").iterdir()}
    assert headers["scart-ntd.csv"].startswith(
        b'"NTD filenumber";"NTD type";"NTD status";"NTD status time";"abuse owner";"abuse type";'
        b'"abuse country";"abuse email";"url";"IP";"first seen";"last seen";"online counter";\n"M20'
    )
    assert headers["scart-ntdclosed.csv"].startswith(
        b'"filenumber";"url";"status";"abuse owner";"abuse country";"abuse email";"IP";"first seen";'
        b'"last seen";"online counter";\n"'
    )


def test_rows_are_read_back(run: Run) -> None:
    folder, summary = run
    notices = [row for _, rows in exports(folder, "ntd") for row in rows]
    closed = [row for _, rows in exports(folder, "ntdclosed") for row in rows]
    files = list((folder / "deliveries").iterdir())
    assert (len(notices), len(closed), len(files)) == (summary.ntd_rows, summary.closed_rows, summary.files)
    assert all(re.fullmatch(r"M\d{13}", row["NTD filenumber"]) for row in notices)
    assert all(re.fullmatch(r"[IN]\d{13}", row["filenumber"]) for row in closed)
    whole = [row["url"] for row in truth(folder)]
    assert len(whole) == summary.notices
    assert {row["url"] for row in notices} == {url[:255] for url in whole}
    assert {row["url"] for row in closed} <= {url[:255] for url in whole}
    assert len({url[:255] for url in whole}) == len(whole)


def test_urls_have_the_oddities_of_real_ones(runs: dict[str, Run]) -> None:
    folder, _ = runs["tudelft-2022"]
    urls = [row["url"] for row in truth(folder)]
    for sign in "'\"\\;\u00e9":
        assert sum(sign in url for url in urls) >= 5, sign
    assert sum(len(url) > 255 for url in urls) >= 5
    assert any(url.startswith("https://[2001:db8:") for url in urls)
    assert any(url.startswith("https://192.0.2.") for url in urls)
    raw = b"".join(path.read_bytes() for path in (folder / "deliveries").iterdir())
    for escaped in (b"it\\'s", b'=\\"all\\"', b"C:\\\\x", b"\"\\'t Veenhuis Hosting"):
        assert escaped in raw


def test_an_export_holds_what_came_since_the_one_before(run: Run) -> None:
    quarter_day = timedelta(hours=6)
    for received, rows in exports(run[0], "ntd"):
        assert received.hour % 6 == 0
        assert rows
        for row in rows:
            at = local(row["NTD status time"])
            assert received - quarter_day < at <= received
            assert local(row["first seen"]) <= local(row["last seen"]) <= at


def test_nothing_is_sent_in_blocked_hours(run: Run) -> None:
    closed_days = SCENARIOS[run[1].scenario].closed_days
    for _, rows in exports(run[0], "ntd"):
        for row in rows:
            if row["NTD status"] == "queued":
                continue
            at = local(row["NTD status time"]).astimezone(AMSTERDAM)
            yesterday = at.date() - timedelta(days=1)
            after_blocked = yesterday.weekday() >= 5 or yesterday in closed_days
            assert at.weekday() < 5
            assert at.date() not in closed_days
            assert at.hour >= (12 if after_blocked else 11)
            assert at.weekday() < 4 or at.hour < 17


def test_waiting_notices_are_sent_later_under_the_same_number(runs: dict[str, Run]) -> None:
    rows = [row for _, rows in exports(runs["tudelft-2022"][0], "ntd") for row in rows]
    queued = [row for row in rows if row["NTD status"] == "queued"]
    sent = {(row["NTD filenumber"], row["url"]) for row in rows if row["NTD status"] == "sent_succes"}
    assert len(queued) >= 5
    assert all((row["NTD filenumber"], row["url"]) in sent for row in queued)


def test_renotices_follow_a_day_later_and_stop(run: Run) -> None:
    sent = defaultdict(list)
    for _, rows in exports(run[0], "ntd"):
        for row in rows:
            if row["NTD status"] != "queued":
                sent[row["url"]].append(local(row["NTD status time"]))
    ends = {row["url"][:255]: row["removed_at"] or row["relocated"] for row in truth(run[0])}
    for url, moments in sent.items():
        assert len(moments) <= 6
        assert len(moments) == 1 or moments[1] - moments[0] >= timedelta(hours=24.5)
        assert not ends[url] or f"{moments[-1]:%Y-%m-%dT%H:%M:%SZ}" < ends[url]


def test_the_exports_prove_nearly_everything(run: Run) -> None:
    folder, _ = run
    judged = _judged(folder)
    actual = {row["url"][:255]: row for row in truth(folder) if row["delivery"] != "failed"}
    assert judged.keys() == actual.keys()
    assert Counter(judged.values())["undetermined"] < 0.03 * len(judged)
    for url, verdict in judged.items():
        hours = hours_online(actual[url])
        if verdict == "on time":
            assert hours is not None
            assert hours <= 24
        elif verdict == "late":
            assert hours is None or hours > 24


def test_a_new_scenario_is_a_few_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    movers = CompanyPlan(COMPANIES[2], 200, sites=9, on_time=0.5, moved=0.25, moved_early=0.5, unclear=0)
    autumn = Quarter("2022Q4", (movers,), days=(date(2022, 10, 28), date(2022, 11, 1)))
    scenario = Scenario("moves", "", (Quarter("2022Q3", (movers,)), autumn))
    monkeypatch.setitem(SCENARIOS, "moves", scenario)
    summary = simulate("moves", tmp_path)
    assert (summary.period, summary.companies, summary.notices) == ("2022Q4", 1, 400)
    rows = truth(tmp_path)
    assert [row["sent_at"] for row in rows] == sorted(row["sent_at"] for row in rows)
    assert sum(row["sent_at"] < "2022-10-01" for row in rows) == 200
    assert {row["sent_at"][:10] for row in rows if row["sent_at"] > "2022-10"} <= {
        f"2022-{day}" for day in ("10-28", "10-31", "11-01")
    }
    assert sum(bool(row["relocated"]) for row in rows) == pytest.approx(150, abs=5)
    closed = [row for _, part in exports(tmp_path, "ntdclosed") for row in part]
    abroad = [row for row in closed if row["abuse country"] != "NL"]
    moved = {row["url"][:255] for row in rows if row["relocated"]}
    assert {row["url"] for row in abroad if row["status"] == "abusecontact_changed"} == moved
    assert {row["status"] for row in abroad} == {"abusecontact_changed", "close"}


def test_only_reserved_names_and_numbers(run: Run) -> None:
    folder, _ = run
    rows: list[Row] = [row for kind in ("ntd", "ntdclosed") for _, part in exports(folder, kind) for row in part]
    hosts = {urlsplit(row["url"]).hostname or "" for row in rows}
    for host in hosts | {row["abuse email"].split("@")[1] for row in rows}:
        if not RESERVED_NAME.fullmatch(host):
            assert any(ip_address(host) in network for network in DOCUMENTATION)
    for address in {row["IP"] for row in rows}:
        assert any(ip_address(address) in network for network in DOCUMENTATION)


def test_registry_names_everybody_once(run: Run) -> None:
    companies = yaml.safe_load((run[0] / "registry.yaml").read_text("utf-8"))["companies"]
    assert {company["key"] for company in companies} == {row["company_key"] for row in truth(run[0])}
    claims = [str(value) for company in companies for field in CLAIMS for value in company[field]]
    assert len(claims) == len(set(claims))
    assert all(64496 <= asn <= 64511 for company in companies for asn in company["asns"])
    prefixes = [ip_network(prefix) for company in companies for prefix in company["prefixes"]]
    assert all(
        any(prefix.overlaps(block) for block in DOCUMENTATION if block.version == prefix.version) for prefix in prefixes
    )


def test_there_are_enough_invented_companies() -> None:
    assert len({company.key for company in COMPANIES}) >= 45
    assert all(re.fullmatch(r"[a-z0-9-]+", company.key) for company in COMPANIES)
