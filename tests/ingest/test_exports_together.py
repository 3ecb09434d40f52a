"""What the exports of one hotline say together: one set of facts, whatever the order they arrive in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from monitor.attribute.assign import attribute_as_stored
from monitor.attribute.registry import load_registry
from monitor.db import connect, transaction
from monitor.formats.registry import read_registry
from monitor.ingest.delivery import DeliveryFile, load
from monitor.ingest.result import IngestResult
from monitor.instants import HOUR, parse_instant, parse_period, to_datetime
from monitor.models.columns import HashHit, WaitingStatement
from monitor.models.company import Company
from monitor.models.facts import Attribution, Content, Correction, Delivery, Notice, Sighting
from monitor.score.methods import method
from monitor.score.pipeline import Request, score, scored_episodes
from monitor.settings import Source
from monitor.simulate import EXPORTS, SCENARIOS, simulate
from monitor.simulate.hours import ZONE
from monitor.simulate.scenario import COMPANIES, CompanyPlan, Quarter, Scenario
from monitor.vault import Vault, create_keys
from tests.conftest import NewDatabase
from tests.simulate.hotline_reader import truth

NOW = parse_instant("2026-11-21T00:00:00Z")
PLANS = (
    CompanyPlan(COMPANIES[0], 12, sites=3, on_time=0.5, moved=0.5, batch=1),
    CompanyPlan(COMPANIES[1], 8, sites=2, on_time=0.75, api=True, batch=1),
    CompanyPlan(COMPANIES[2], 4, sites=2, on_time=0.5, failed=0.5, moved_early=0.5, batch=1),
)
SMALL = Scenario("small", "", (Quarter("2022Q4", PLANS, days=(date(2022, 10, 28), date(2022, 11, 3))),))


@dataclass(frozen=True)
class Hotline:
    """The exports of one truth, and what is true."""

    folder: Path
    vault: Vault
    as_of: int

    @property
    def delivery_files(self) -> list[DeliveryFile]:
        """Every export of every moment, by name; one that repeats an earlier one to the byte is that one."""
        files = sorted((self.folder / "deliveries").iterdir(), reverse=True)
        first = {(path.stem.partition("-")[2], path.read_bytes()): path for path in files}
        return [self._parcel(path) for path in sorted(first.values())]

    def _parcel(self, path: Path) -> DeliveryFile:
        stamp, _, name = path.stem.partition("-")
        received = parse_instant(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:11]}:{stamp[11:13]}:{stamp[13:]}")
        return DeliveryFile(
            Source("scart", zone=ZONE, recheck_gap_hours=5), name.removesuffix("-anonymous"), path, received
        )


@dataclass(frozen=True)
class Outcome:
    """What two orders are compared by."""

    facts: dict[str, list[Any]]
    answers: list[IngestResult]
    table: Any = None
    episodes: Any = None


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Hotline:
    folder = tmp_path_factory.mktemp("hotline")
    create_keys(folder / "keys.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SCENARIOS, "small", SMALL)
        simulate("small", folder, exports=EXPORTS)
    _cut_some(folder)
    return Hotline(folder, Vault(folder / "keys.json"), SMALL.as_of)


def _cut_some(folder: Path) -> None:
    """Some addresses of this hotline are longer than a notice keeps: ntd and ntdclosed print their beginning."""
    for number, row in enumerate(truth(folder)):
        if number % 6 == 0:
            whole = f"https://s{number:03d}.example/{'long/' * 60}end"
            for path in (folder / "deliveries").iterdir():
                shown = whole[:255] if path.stem.endswith(("scart-ntd", "scart-ntdclosed")) else whole
                path.write_text(path.read_text("utf-8").replace(row["url"], shown), "utf-8")


def deliver(
    database: str, hotline: Hotline, delivery_files: Sequence[DeliveryFile], *, scored: bool = False
) -> Outcome:
    engine = connect(database)
    with transaction(engine) as session:
        load_registry(session, read_registry(hotline.folder / "registry.yaml"), to_datetime(NOW))
    answers = []
    for delivery_file in delivery_files:
        with transaction(engine) as session:
            attribute = attribute_as_stored(session, hotline.vault, to_datetime(NOW))
            answers.append(load(session, hotline.vault, delivery_file, NOW, attribute=attribute))
    with transaction(engine) as session:
        expect_stretches(session)
        facts = facts_of(session, hotline.vault)
        request = Request(parse_period("2022Q4"), hotline.as_of, NOW, method())
        table = score(session, request) if scored else None
        episodes = scored_episodes(session, request) if scored else None
    engine.dispose()
    return Outcome(facts, answers, table, episodes and _by_content(episodes))


def expect_stretches(session: Any) -> None:
    """Ids have no gaps, and those of one delivery stand together, as many as it says: the checks find them by that."""
    deliveries = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    for fact, count in ((Notice, "notices_new"), (Sighting, "sightings_new")):
        stored = session.execute(select(fact.id, fact.delivery_id).order_by(fact.id)).all()
        whose = [delivery.id for delivery in deliveries for _ in range(getattr(delivery, count))]
        assert [tuple(row) for row in stored] == list(enumerate(whose, 1))


def _by_content(episodes: Any) -> list[Any]:
    """Episodes without the numbers a database gives out."""
    rows = episodes.drop_columns(["content", "site", "spell"]).to_pylist()
    return sorted(rows, key=repr)


def facts_of(session: Any, vault: Vault) -> dict[str, list[Any]]:
    """The facts that count, by URL and company instead of numbers."""
    urls = {c.id: vault.open_text(c.url_sealed, c.key_version)[:255] for c in session.scalars(select(Content))}
    withdrawn = set(session.scalars(select(Correction.notice_id)))
    notices = [n for n in session.scalars(select(Notice)) if n.id not in withdrawn]
    sightings = session.scalars(select(Sighting))
    return {
        "notices": sorted((urls[n.content_id], n.sent_at, n.recipient_role, n.delivery, n.recipient) for n in notices),
        "sightings": sorted(
            {(urls[s.content_id], s.seen_at, s.state, s.pause or "", s.country or "") for s in sightings}
        ),
        "hosts": _hosts(session, urls),
        "hash_hits": sorted({(urls[h.content_id], h.checked_at) for h in session.scalars(select(HashHit))}),
        "waiting": [w for w in session.scalars(select(WaitingStatement)) if w.settled_at is None],
    }


def _hosts(session: Any, urls: dict[int, str]) -> list[Any]:
    """Who hosted each item from when: of two from one instant the later recorded, without those that change nothing."""
    query = select(Attribution, Company.key).outerjoin(Company, Company.id == Attribution.company_id)
    newest = {
        (urls[a.content_id], a.valid_from): key for a, key in session.execute(query.order_by(Attribution.id)).all()
    }
    timeline = [(url, at, newest[url, at]) for url, at in sorted(newest)]
    pairs = zip([("", None, None), *timeline], timeline, strict=False)
    return [new for old, new in pairs if (old[0], old[2]) != (new[0], new[2])]


def test_the_exports_complete_one_another(new_database: NewDatabase, hotline: Hotline) -> None:
    """Nothing is missing of what is true: ntd lacks what went by API, the others lack who was told what when."""
    outcome = deliver(new_database(), hotline, hotline.delivery_files, scored=True)
    true = Counter(row["company_key"] for row in truth(hotline.folder) if row["delivery"] != "failed")
    assert {company.company: company.episodes for company in outcome.table.companies} == true
    assert outcome.facts["waiting"] == []
    for company in outcome.table.companies:
        rows = [row for row in truth(hotline.folder) if row["company_key"] == company.company]
        fast = [row for row in rows if row["removed_at"] and _hours(row) <= 24]
        assert company.on_time.on_time <= len(fast)
        assert company.on_time.late <= len(rows) - len(fast)


def _hours(row: dict[str, str]) -> float:
    return (parse_instant(row["removed_at"]) - parse_instant(row["sent_at"])) / HOUR


@pytest.fixture(scope="module")
def in_order(new_database: NewDatabase, hotline: Hotline) -> Outcome:
    """What comes of the exports in the order in which they were made."""
    return deliver(new_database(), hotline, hotline.delivery_files, scored=True)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(data=st.data())
def test_any_order_any_number_of_times_gives_the_same_facts(
    new_database: NewDatabase, hotline: Hotline, in_order: Outcome, data: st.DataObject
) -> None:
    delivery_files = data.draw(st.permutations(hotline.delivery_files + hotline.delivery_files[:3]))
    assert deliver(new_database(), hotline, delivery_files).facts == in_order.facts


@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(data=st.data())
def test_any_order_gives_the_same_table_and_episodes(
    new_database: NewDatabase, hotline: Hotline, in_order: Outcome, data: st.DataObject
) -> None:
    shuffled = deliver(new_database(), hotline, data.draw(st.permutations(hotline.delivery_files)), scored=True)
    assert shuffled.episodes == in_order.episodes
    assert shuffled.table == in_order.table


def test_items_first_then_notices(new_database: NewDatabase, hotline: Hotline, in_order: Outcome) -> None:
    """The order in which most must be corrected: every first notice is told of before ntd tells of it."""
    delivery_files = sorted(
        hotline.delivery_files,
        key=lambda delivery_file: ("anonymous" not in str(delivery_file.path), delivery_file.format == "scart-ntd"),
    )
    turned = deliver(new_database(), hotline, delivery_files, scored=True)
    assert turned.facts == in_order.facts
    assert (turned.table, turned.episodes) == (in_order.table, in_order.episodes)
    warnings = Counter(warning.split(":")[0] for answer in turned.answers for warning in answer.warnings)
    assert warnings["waiting_for_item"] > 0
    assert warnings["notice_not_in_ntd"] > 0
