"""The history of twelve quarters: its shape, its merger, its gap and outages, and that every delivery can be read."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from monitor.formats.catalogue import reader
from monitor.formats.netblocks import read_netblocks
from monitor.formats.records import Context, Rejected
from monitor.formats.registry import ClaimRecord, read_registry
from monitor.instants import to_instant
from monitor.simulate import simulate
from monitor.simulate.hours import ZONE
from monitor.vocabulary import Claim
from tests.simulate.hotline_reader import AMSTERDAM, FIELD, Row, exports, hours_online, local, truth

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.simulate import Summary

QUARTERS = (
    "2023Q3", "2023Q4", "2024Q1", "2024Q2", "2024Q3", "2024Q4",
    "2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2",
)  # fmt: skip
COMPANIES = (32, 32, 32, 33, 32, 32, 0, 31, 30, 31, 31, 31)
MERGED = date(2025, 7, 1)
GAP = (datetime(2025, 1, 9, tzinfo=UTC), datetime(2025, 4, 3, tzinfo=UTC))
OUTAGES = (
    (datetime(2024, 5, 14, tzinfo=UTC), datetime(2024, 5, 19, tzinfo=UTC)),
    (datetime(2025, 11, 4, tzinfo=UTC), datetime(2025, 11, 7, tzinfo=UTC)),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """The history at its full size."""
    folder = tmp_path_factory.mktemp("history")
    return folder, simulate("history", folder)


@pytest.fixture(scope="module")
def folder(run: tuple[Path, Summary]) -> Path:
    """Where it was written."""
    return run[0]


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Row]:
    """The true course."""
    return truth(folder)


def _in_time(row: Row) -> bool:
    hours = hours_online(row)
    return hours is not None and hours <= 24


def _of(rows: list[Row], company: str) -> dict[str, list[Row]]:
    """The rows of a company in each quarter."""
    mine = [row for row in rows if row["company_key"] == company]
    return {quarter: [row for row in mine if row["quarter"] == quarter] for quarter in QUARTERS}


def _site(row: Row) -> str:
    """The name of the site: company and number; nothing where it is an address."""
    return next((label for label in urlsplit(row["url"]).netloc.split(".") if re.fullmatch(r"s\d{5}", label)), "")


def _percent(rows: list[Row]) -> int | None:
    return round(100 * sum(map(_in_time, rows)) / len(rows)) if rows else None


def _facts(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "scenario.json").read_text("utf-8"))
    return content


def test_the_size_of_a_demonstration(run: tuple[Path, Summary]) -> None:
    folder, summary = run
    kinds = Counter(path.stem.split("-", 1)[1] for path in (folder / "deliveries").iterdir())
    assert kinds == {"scart-ntd": 145, "scart-ntdclosed": 145, "scart-whois": 37, "xarf": 72}
    assert (summary.period, summary.files, summary.notices) == ("2026Q2", 399, 18272)


def test_companies_of_each_quarter(rows: list[Row]) -> None:
    found = {quarter: {row["company_key"] for row in rows if row["quarter"] == quarter} for quarter in QUARTERS}
    assert tuple(len(found[quarter]) for quarter in QUARTERS) == COMPANIES


def test_the_quarter_is_that_of_the_first_notice(rows: list[Row]) -> None:
    for row in rows:
        year, month = int(row["sent_at"][:4]), int(row["sent_at"][5:7])
        assert row["quarter"] == f"{year}Q{(month + 2) // 3}"


@pytest.mark.parametrize(
    ("company", "percent"),
    [
        ("delta-datacenters", (45, 50, 56, 60, 64, 69, None, 80, 84, 88, 93, 98)),  # improves
        ("zilvermeeuw-host", (97, 93, 90, 86, 82, 78, None, 71, 67, 63, 59, 56)),  # worsens
        ("lage-landen-servers", (93, 93, 94, 93, 93, 93, None, 93, 93, 93, 93, 93)),  # stays
        ("grachten-web", (60, 62, 65, 65, 67, None, None, None, None, None, None, None)),  # vanishes
        ("bakfiets-bytes", (None, None, None, None, None, 76, None, 82, 86, 89, 92, 95)),  # appears
        ("klinker-colo", (90, 91, 92, 90, 90, 91, None, 93, None, None, None, None)),  # is taken over
    ],
)
def test_true_share_on_time_by_quarter(rows: list[Row], company: str, percent: tuple[int | None, ...]) -> None:
    assert tuple(_percent(part) for part in _of(rows, company).values()) == percent


def test_nothing_arrives_in_the_quarter_without_data(folder: Path) -> None:
    arrived = [
        datetime.strptime(path.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        for path in (folder / "deliveries").glob("*-scart-*")
    ]
    assert not [at for at in arrived if GAP[0] <= at < GAP[1]]
    weeks = sorted(set(arrived))
    assert {after - before for before, after in pairwise(weeks)} == {timedelta(days=7), timedelta(days=91)}


def _rechecks(folder: Path) -> list[datetime]:
    """The last check of each item in each `whois`, where it is not the moment at which the item was first seen."""
    found = []
    for path in (folder / "deliveries").glob("*-scart-whois.csv"):
        header, *rows = [FIELD.findall(text) for text in path.read_text("utf-8").split("\n")]
        first, last = header.index("first seen"), header.index("last seen")
        found += [local(row[last]) for row in rows if row[last] != row[first]]
    assert len(found) > 10_000
    return found


def test_nothing_is_sent_or_checked_in_an_outage(folder: Path) -> None:
    checks = [local(row["last seen"]) for _, part in exports(folder, "ntd") for row in part]
    sent = [local(row["NTD status time"]) for _, part in exports(folder, "ntd") for row in part]
    for begin, end in OUTAGES:
        assert not [at for at in sent if begin <= at < end]
        assert not [at for at in checks if begin <= at < end]
        assert [at for at in sent if begin - timedelta(days=1) <= at < begin]
        assert not [at for at in _rechecks(folder) if begin <= at < end]


def test_an_export_shows_one_state_of_an_item(folder: Path) -> None:
    statuses = Counter[str]()
    for _, part in exports(folder, "ntdclosed"):
        assert len({row["filenumber"] for row in part}) == len(part)
        statuses.update(row["status"] for row in part)
    assert min(statuses[word] for word in ("close", "abusecontact_changed", "close_offline")) > 20


def test_the_merger_as_the_registry_states_it(folder: Path) -> None:
    claims = {record.key: record.claims for record in read_registry(folder / "registry.yaml")}
    absorbed = [claim for claim in claims["klinker-colo"] if claim.claim in (Claim.ALIAS, Claim.ASN)]
    assert absorbed == [
        ClaimRecord(Claim.ALIAS, "klinker colo bv", None, MERGED),
        ClaimRecord(Claim.ALIAS, "klinker colo", None, MERGED),
        ClaimRecord(Claim.ASN, "64498", None, MERGED),
    ]
    assert all(claim.valid_to == MERGED for claim in claims["klinker-colo"])
    taken = [claim for claim in claims["duinroos-data"] if claim.valid_from]
    assert {(claim.claim, claim.value, claim.valid_from, claim.valid_to) for claim in taken} == {
        (claim.claim, claim.value, MERGED, None) for claim in claims["klinker-colo"]
    }
    others = [claim for key, own in claims.items() if key not in ("klinker-colo", "duinroos-data") for claim in own]
    assert all(claim.valid_from is claim.valid_to is None for claim in others)


def test_after_the_merger_the_other_company_is_judged(rows: list[Row]) -> None:
    for row in rows:
        if _site(row).startswith("s02"):
            later = row["sent_at"] >= "2025-07-01"
            assert row["company_key"] == ("duinroos-data" if later else "klinker-colo")
    quarters = _of(rows, "duinroos-data")
    assert (len(quarters["2024Q4"]), len(quarters["2025Q3"]), len(quarters["2025Q4"])) == (88, 140, 154)


def test_a_thousand_addresses_fall_at_one_stroke(rows: list[Row]) -> None:
    quarters = _of(rows, "kievitsei-cloud")
    stroke = quarters["2024Q2"]
    assert sum(map(len, quarters.values())) == len(stroke) == 1000
    assert len({row["removed_at"] for row in stroke}) == len({row["sent_at"] for row in stroke}) == 1
    assert {_site(row) for row in stroke} == {"s22000"}
    assert all(map(_in_time, stroke))


def test_what_is_closed_at_weekends_is_late_from_friday(rows: list[Row]) -> None:
    fridays, others = Counter[bool](), Counter[bool]()
    for row in (row for quarter in _of(rows, "tulpenveld-hosting").values() for row in quarter):
        weekday = datetime.fromisoformat(row["sent_at"]).astimezone(AMSTERDAM).weekday()
        (fridays if weekday == 4 else others)[_in_time(row)] += 1
    assert min(fridays.total(), others.total()) > 50
    assert fridays[False] / fridays.total() > 0.6
    assert others[False] / others.total() < 0.1


def test_who_refuses_and_who_relocates(rows: list[Row]) -> None:
    states = {
        key: Counter(row["delivery"] for quarter in _of(rows, key).values() for row in quarter)
        for key in ("t-veenhuis-hosting", "schaatsbaan-servers")
    }
    assert states["t-veenhuis-hosting"].keys() == {"failed"}
    half = states["schaatsbaan-servers"]
    assert 0.35 < half["failed"] / half.total() < 0.65
    abroad = Counter(row["company_key"] for row in rows if row["relocated"])
    assert abroad.keys() == {"hunebed-housing"}
    small = _of(rows, "noorderlicht-nodes")
    assert max(map(len, small.values())) == 8


def test_the_releases_it_names(folder: Path, rows: list[Row]) -> None:
    facts = _facts(folder)
    assert [release["period"] for release in facts["releases"]] == list(QUARTERS) == facts["periods"]
    assert [release["as_of"] for release in facts["releases"]][-2:] == ["2026-04-08T00:00:00Z", "2026-07-08T00:00:00Z"]
    assert facts["mergers"] == [{"day": "2025-07-01", "absorbed": "klinker-colo", "into": "duinroos-data"}]
    assert facts["gaps"] == [["2025-01-09T00:00:00Z", "2025-04-03T00:00:00Z"]]
    for release in facts["releases"]:
        arrived = [row for row in rows if row["quarter"] == release["period"] and row["delivery"] != "failed"]
        if not arrived:
            assert release["expected"] is None
            continue
        network = release["expected"]["network"]
        assert (network["episodes"], network["on_time"]) == (len(arrived), sum(map(_in_time, arrived)))


def test_the_networks_of_those_with_an_asn(folder: Path) -> None:
    ranges = list(read_netblocks(folder / "networks.csv", lambda: None))
    sizes = [int.from_bytes(found.last) - int.from_bytes(found.first) + 1 for found in ranges]
    assert [found.asn for found in ranges] == list(range(64496, 64512))
    assert (min(sizes), max(sizes)) == (256, 16384)
    assert all(before.last < after.first for before, after in pairwise(ranges))


def test_what_the_hotline_withdraws_was_released_before(folder: Path) -> None:
    facts = _facts(folder)
    (told,) = facts["withdrawals"]
    assert (told["period"], told["company"], told["day"]) == ("2025Q4", "waddenwind-servers", "2026-03-02")
    (released,) = (release for release in facts["releases"] if release["period"] == told["period"])
    assert released["as_of"][:10] < told["day"]
    assert told["company"] in released["expected"]["companies"]


def test_every_delivery_is_read_without_quarantine(folder: Path) -> None:
    records = rejected = 0
    for path in sorted((folder / "deliveries").iterdir()):
        stamp, kind = path.stem.split("-", 1)
        at = to_instant(datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC))
        for record in reader(kind)(path, Context(at, ZONE, 5 * 3600, "NL")):
            records += 1
            rejected += isinstance(record, Rejected)
    assert rejected == 0
    assert 60_000 < records < 80_000


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    def digest(name: str, seed: int) -> str:
        simulate("history", tmp_path / name, seed, 0.05)
        paths = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in paths)).hexdigest()

    assert digest("one", 3) == digest("again", 3) != digest("other", 4)


LEGAL_ENTITY = re.compile(rb"    (?:legal_name|legal_form|natural_person): .*\n")  # which the registry has since


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("quiet", "008641f3d58a8908e9f7a46f395e9d010a198dd3da45be8a71d0e1f7db4ed1d6"),
        ("refuser", "2cbacf65e5bef797b66631765a53adda7f850ee32c580a58cef1c3af5f80abd6"),
    ],
)
def test_other_scenarios_keep_the_bytes_they_had_before_there_was_a_history(
    tmp_path: Path, scenario: str, expected: str
) -> None:
    simulate(scenario, tmp_path, 1, 1.0, ("ntd", "ntdclosed", "whois", "report", "all"))
    digest = hashlib.sha256()
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file():
            content = LEGAL_ENTITY.sub(b"", path.read_bytes())
            digest.update(str(path.relative_to(tmp_path)).encode() + b"\0" + content)
    assert digest.hexdigest() == expected
