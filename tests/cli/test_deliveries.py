"""`monitor deliveries`: verdicts and reasons, a person's decision, and the clock that is asked under the lock."""

from __future__ import annotations

import os
import threading
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from monitor.cli import cli
from monitor.cli.runtime import Runtime
from monitor.db import connect, lock_writers, transaction
from monitor.instants import parse_instant, parse_period, to_datetime
from monitor.models.facts import Delivery
from monitor.models.release import Release
from monitor.release.draft import draft
from monitor.release.verify import rebuild
from monitor.score.methods import method
from monitor.score.pipeline import Request, score
from tests.cli.test_commands import CANARY, RECEIVED, SENT, URL, Run, Said, everything_stored, export, ready, run
from tests.samples import Ntd

__all__ = ["ready", "run"]  # fixtures

EARLIER = ("--received-at", "2026-04-10T12:30:00Z", "--zone", "UTC")
ANALYST = ("--reason", "the hotline confirmed it", "--by", "A. Analyst")


@pytest.fixture
def waiting(ready: Run, tmp_path: Path) -> Said:
    """Delivery 1 counts; delivery 2 is older than it by more than a day, and has just been ingested."""
    last = ("--received-at", "2026-04-12T18:00:00Z", "--zone", "UTC")
    assert ready("ingest", "scart-ntd", export(tmp_path / "1.csv", Ntd("https://s1.example/", SENT)), *last).status == 0
    rows = [Ntd(f"{URL}?{n}", SENT) for n in range(3)]
    return ready("ingest", "scart-ntd", export(tmp_path / "2.csv", *rows), *EARLIER, "--json")


def again(run: Run, tmp_path: Path, *options: str) -> Said:
    return run("ingest", "scart-ntd", tmp_path / "2.csv", *EARLIER, *options)


def test_a_suspicious_delivery_says_why_and_what_to_do(ready: Run, waiting: Said, tmp_path: Path) -> None:
    assert waiting.status == 1
    (reason,) = waiting.json["reasons"]
    assert (waiting.json["verdict"], waiting.json["delivery"], waiting.json["accepted"]) == ("suspicious", 2, 3)
    assert (reason["rule"], reason["verdict"]) == ("older_than_last", "suspicious")
    assert reason["text"] == "received 53.5 hours before the last one, which is of 2026-04-12T18:00:00Z"
    assert waiting.err == (
        f"monitor: delivery 2 is pending review: {reason['text']}; see `monitor deliveries show 2`; "
        "to ingest it: `monitor deliveries accept 2 --reason TEXT --by NAME`\n"
    )
    told = again(ready, tmp_path)
    assert told.status == 1
    assert "verdict: suspicious; nothing of this counts" in told.out
    assert "it_waits: this file is delivery 2" in told.out


def test_deliveries_are_listed_newest_first_and_by_verdict(ready: Run, waiting: Said) -> None:
    listed = ready("deliveries", "--json").json
    assert [(row["delivery"], row["verdict"]) for row in listed] == [(1, "ok"), (2, "suspicious")]
    assert [row["delivery"] for row in ready("deliveries", "--verdict", "suspicious", "--json").json] == [2]
    assert ready("deliveries", "--source", "urlhaus").out == "no deliveries yet\n"
    assert "suspicious        3 rows        3 accepted" in ready("deliveries").out


def test_show_tells_the_story(ready: Run, waiting: Said) -> None:
    assert ready("deliveries", "show", 2).out == (
        "delivery 2 of scart (scart-ntd), received 2026-04-10T12:30:00Z: suspicious\n"
        "3 rows: 3 accepted, 0 duplicate, 0 quarantined\n"
        "suspicious: received 53.5 hours before the last one, which is of 2026-04-12T18:00:00Z\n"
        "  check --received-at or the time in its name; a late file that is genuine can be accepted\n"
        "nothing of it counts until you decide:\n"
        "  monitor deliveries accept 2 --reason TEXT --by NAME\n"
        "  monitor deliveries reject 2 --reason TEXT --by NAME\n"
    )
    assert ready("deliveries", "show", 1, "--json").json["reasons"] == []
    assert "no row of delivery 2 was stored" in ready("deliveries", "--quarantine", 2).err


def test_what_waits_is_not_the_last_delivery_until_it_counts(ready: Run, waiting: Said, tmp_path: Path) -> None:
    late = ("--received-at", "2026-05-01T00:00:00Z", "--zone", "UTC")  # 18 days after the last
    assert ready("ingest", "scart-ntd", export(tmp_path / "3.csv", Ntd(URL, SENT)), *late).status == 1
    score = ("score", "--period", "2026Q2", "--json")
    assert ready(*score).json["as_of"] == "2026-04-12T18:00:00Z"
    assert ready("deliveries", "accept", 3, *ANALYST).status == 0
    assert ready(*score).json["as_of"] == "2026-05-01T00:00:00Z"


def test_accept_then_it_counts(ready: Run, waiting: Said, tmp_path: Path) -> None:
    assert ready("deliveries", "accept", 2, *ANALYST).out == ("delivery 2 counts now: 3 rows accepted, 0 duplicate\n")
    assert ready("attribute", "--json").json["by_basis"] == {"hotline": 4}
    shown = ready("deliveries", "show", 2).out
    assert "decided by A. Analyst at " in shown
    assert ": the hotline confirmed it\nit counts; nothing is to be done\n" in shown
    assert "already_taken_in: this file is delivery 2" in again(ready, tmp_path).out
    assert ready("deliveries", "accept", 2, *ANALYST).err == ("monitor: delivery 2 is not pending review: it is ok\n")
    assert ready("audit", "verify").out == "the audit trail is whole\n"


def test_reject_then_it_never_counts_by_itself(ready: Run, waiting: Said, tmp_path: Path) -> None:
    told = ready("deliveries", "reject", 2, "--reason", "the wrong month", "--by", "A. Analyst")
    assert told.out == "delivery 2 is refused; what was kept of it is erased\n"
    assert ready("deliveries", "show", 2, "--json").json["verdict"] == "refused"
    once_more = again(ready, tmp_path, "--json")
    assert once_more.status == 1
    assert [reason["rule"] for reason in once_more.json["reasons"]] == ["older_than_last", "rejected_before"]
    taken = again(ready, tmp_path, "--accept", *ANALYST, "--json")
    assert (taken.status, taken.json["verdict"], taken.json["accepted"]) == (0, "ok", 3)
    assert ready("audit", "verify").out == "the audit trail is whole\n"


def test_limits_of_a_source_are_configured(ready: Run, tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text("[sources.scart]\nminimum_rows = 2\n[sources.scart.gate]\nfurthest_back_hours = 10000\n")
    one = export(tmp_path / "1.csv", Ntd(URL, SENT))
    refused = ready("ingest", "scart-ntd", one, *RECEIVED, "--accept", *ANALYST)
    assert refused.status == 1
    reasons = "too few rows: 1, at least 2 expected"
    assert refused.err == f"monitor: delivery 1 is refused: {reasons}; see `monitor deliveries show 1`\n"
    rows = [Ntd(f"{URL}?{n}", SENT) for n in range(2)]
    assert ready("ingest", "scart-ntd", export(tmp_path / "2.csv", *rows), *RECEIVED).status == 0
    earlier = export(tmp_path / "3.csv", *rows[:1], Ntd(URL, SENT))
    assert ready("ingest", "scart-ntd", earlier, *EARLIER).status == 0
    for line, message in (("rows = 1", "unknown ['rows']"), ("history = true", "history must be a number")):
        config.write_text(f"[sources.scart.gate]\n{line}\n")
        assert message in ready("deliveries").err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("deliveries", "show", 9), 1, "no delivery 9"),
        (("deliveries", "accept", 9, *ANALYST), 1, "no delivery 9"),
        (("deliveries", "reject", 9, "--by", "A. Analyst"), 2, "Missing option '--reason'"),
        (("deliveries", "show", 2**63), 2, "is not in the range"),
        (("ingest", "scart-ntd", "x.csv", "--accept"), 2, "--accept, --reason and --by go together"),
    ],
)
def test_what_cannot_be_done_is_said_plainly(
    ready: Run, arguments: tuple[object, ...], status: int, message: str
) -> None:
    said = ready(*arguments)
    assert said.status == status
    assert message in said.err


def test_nothing_that_waits_is_said_or_stored_in_clear(ready: Run, waiting: Said, tmp_path: Path) -> None:
    told = [waiting, *(ready("deliveries", *rest) for rest in ((), ("show", 2), ("--json",)))]
    assert not [said for said in told if CANARY in said.out + said.err]
    assert CANARY.encode() not in everything_stored(tmp_path / "home")


UNDER_WAY = {
    "deliveries": ("ingest", "scart-ntd", "more.csv", "--received-at", "2026-04-11T18:00:00Z", "--zone", "UTC"),
    "registry": ("registry", "load", "registry.yaml"),
    "attribute": ("attribute",),
}


@pytest.mark.parametrize("what", UNDER_WAY)
def test_what_is_under_way_while_a_release_is_drafted_is_recorded_after_it(
    ready: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Without a lock before the clock, a row would bear a time at which the draft could not see it."""
    ready("ingest", "scart-ntd", export(tmp_path / "1.csv", *[Ntd(f"{URL}?{n}", SENT) for n in range(12)]), *RECEIVED)
    export(tmp_path / "more.csv", *[Ntd(f"{URL}?{n}", SENT) for n in range(12, 24)])
    (tmp_path / "registry.yaml").write_text("companies: [{key: delta, name: Delta, aliases: [Delta Datacenters]}]\n")
    if what == "attribute":  # so that there is something to change
        assert ready("registry", "load", tmp_path / "registry.yaml").status == 0
    clock, at_the_lock, ended = count(parse_instant("2030-01-01")), threading.Event(), list[Result]()

    def announced(session: Session) -> None:
        at_the_lock.set()
        lock_writers(session)

    monkeypatch.setattr(Runtime, "now", lambda self: next(clock))
    module = "deliveries" if what == "deliveries" else "registry"
    monkeypatch.setattr(f"monitor.cli.{module}.lock_writers", announced)
    other = threading.Thread(target=lambda: ended.append(CliRunner().invoke(cli, UNDER_WAY[what])))
    engine = connect(os.environ["MONITOR_DATABASE_URL"])
    with transaction(engine) as session:
        lock_writers(session)
        other.start()
        assert at_the_lock.wait(20)
        question = Request(parse_period("2026Q2"), parse_instant("2026-04-12"), next(clock), method())
        draft(session, score(session, question), method(), to_datetime(next(clock)), "test")
    other.join()
    assert ended[0].exit_code == 0, ended[0].output
    with transaction(engine) as session:
        made = rebuild(session, session.get_one(Release, 1))
        assert (made.problems, made.identical) == ((), True)
        if what == "deliveries":
            assert session.get_one(Delivery, 2).recorded_at.timestamp() > question.known_at
    engine.dispose()
