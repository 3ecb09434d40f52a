"""Pushing notices: what a hotline is told, and that nothing is stored twice, by halves, or said aloud."""

from __future__ import annotations

import gzip
import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from monitor import tokens
from monitor.db import Base, transaction
from monitor.formats.xarf_objects import BODY_LIMIT, ITEM_LIMIT, OBJECT_LIMIT
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.ingest.result import IngestResult
from monitor.ingest.review import ReviewDecision, accept
from monitor.ingest.rows import RowResult, RowStatus
from monitor.instants import to_datetime
from monitor.models.facts import Content, Delivery, Notice, PendingPiece, Quarantined
from monitor.push import apply as pushing
from monitor.settings import Source
from monitor.tokens import Limit
from monitor.vault import Vault
from monitor.vocabulary import Verdict
from tests.conftest import NewDatabase
from tests.web.desk.pushing import Hotline, hotline, notice, open_site
from web.desk import authenticate

CANARY = "canary-7f3a"
SECRET = f"https://{CANARY}.example/"


@pytest.fixture
def app(tmp_path: Path, new_database: NewDatabase) -> Iterator[Flask]:
    """A site of its own, with keys."""
    opened = open_site(tmp_path / "home", new_database())
    yield opened
    opened.extensions["monitor_engine"].dispose()


@pytest.fixture
def sender(app: Flask) -> Hotline:
    """A hotline with a token for everything."""
    return hotline(app)


def counts(app: Flask) -> dict[str, int | None]:
    with transaction(app.extensions["monitor_engine"]) as session:
        models = (Delivery, Content, Notice, Quarantined)
        return {m.__tablename__: session.scalar(select(func.count()).select_from(m)) for m in models}


NOTHING = {"deliveries": 0, "contents": 0, "notices": 0, "quarantined": 0}


def statuses(answer: TestResponse) -> list[int]:
    return [item["status"] for item in answer.json["items"]]  # type: ignore[index]


def test_each_item_is_told_what_became_of_it(app: Flask, sender: Hotline) -> None:
    batch = [notice(1), notice(1), notice(2, timestamp="2024-04-10T12:00:00"), 7, notice(3, category="messaging")]
    answer = sender.push(batch)
    assert answer.status_code == 207
    assert answer.json == {
        "delivery": 1,
        "rows": 5,
        "accepted": 1,
        "duplicate": 1,
        "quarantined": {"not_an_object": 1, "not_content": 1, "time_without_zone": 1},
        "warnings": [],
        "repeated": False,
        "verdict": "ok",
        "reasons": [],
        "items": [
            {"index": 0, "status": 201, "reason": None, "field": None},
            {"index": 1, "status": 200, "reason": None, "field": None},
            {"index": 2, "status": 422, "reason": "time_without_zone", "field": "timestamp"},
            {"index": 3, "status": 422, "reason": "not_an_object", "field": None},
            {"index": 4, "status": 422, "reason": "not_content", "field": "category"},
        ],
    }
    assert counts(app) == {"deliveries": 1, "contents": 1, "notices": 1, "quarantined": 3}
    with transaction(app.extensions["monitor_engine"]) as session:
        assert session.scalars(select(Delivery.source)).one() == "hotline"


@pytest.mark.parametrize(
    ("send", "kind"),
    [
        (lambda batch: json.dumps(batch[0]).encode(), "application/json"),
        (lambda batch: json.dumps(batch, indent=1).encode(), "application/json; charset=UTF-8"),
        (lambda batch: "\n".join(map(json.dumps, batch)).encode(), "application/x-ndjson"),
        (lambda batch: b"\xef\xbb\xbf" + json.dumps(batch).encode(), "application/json"),
    ],
    ids=["one object", "an array", "lines", "byte order mark"],
)
def test_one_object_an_array_or_lines(sender: Hotline, send: Callable[[list[Any]], bytes], kind: str) -> None:
    batch = [notice(1), notice(2)]
    raw = send(batch)
    answer = sender.push(raw, headers={"Content-Type": kind})
    assert statuses(answer) == [201] * answer.json["rows"]  # type: ignore[index]
    packed = sender.push(gzip.compress(raw), key="k2", headers={"Content-Type": kind, "Content-Encoding": "gzip"})
    assert packed.json["repeated"] is True  # type: ignore[index]


def test_a_bad_line_stops_nothing(sender: Hotline) -> None:
    raw = "\n".join([json.dumps(notice(1)), '{"url": ', json.dumps(notice(2))]).encode()
    answer = sender.push(raw, headers={"Content-Type": "application/x-ndjson"})
    assert statuses(answer) == [201, 422, 201]
    assert answer.json["items"][1]["reason"] == "not_json"  # type: ignore[index]


def test_the_same_request_again_gets_the_same_answer(app: Flask, sender: Hotline) -> None:
    batch = [notice(1), notice(2, url="nonsense")]
    first, again = sender.push(batch), sender.push(batch)
    assert again.data == first.data
    assert again.status_code == 207
    assert counts(app) == {"deliveries": 1, "contents": 1, "notices": 1, "quarantined": 1}


def test_a_key_is_for_one_body_and_one_token(app: Flask, sender: Hotline) -> None:
    sender.push([notice(1)])
    refused = sender.push([notice(2)])
    assert (refused.status_code, refused.json["type"]) == (422, "urn:problem:hosting-monitor:key-reused")  # type: ignore[index]
    assert statuses(hotline(app, "other").push([notice(2)])) == [201]
    assert counts(app)["deliveries"] == 2


def test_the_same_notices_under_another_key_are_known(app: Flask, sender: Hotline) -> None:
    batch = [notice(1), notice(2, timestamp="never")]
    sender.push(batch)
    answer = sender.push(batch, key="k2")
    assert statuses(answer) == [200, 422]
    assert (answer.json["repeated"], answer.json["accepted"], answer.json["duplicate"]) == (True, 0, 1)  # type: ignore[index]
    assert counts(app)["deliveries"] == 1


def test_two_same_requests_at_the_same_moment_apply_once(app: Flask, sender: Hotline) -> None:
    batch = [notice(number) for number in range(50)]
    answers: list[TestResponse] = []
    threads = [threading.Thread(target=lambda: answers.append(sender.push(batch))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {207}
    assert len({answer.data for answer in answers}) == 1
    assert counts(app) == {"deliveries": 1, "contents": 50, "notices": 50, "quarantined": 0}


def test_different_requests_at_the_same_moment_all_apply(app: Flask, sender: Hotline) -> None:
    answers: list[int] = []

    def push(number: int) -> None:
        answers.append(sender.push([notice(number), notice(number + 1)], key=f"k{number}").status_code)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [207] * 4
    assert counts(app) == {"deliveries": 4, "contents": 5, "notices": 5, "quarantined": 0}


def test_one_key_with_two_bodies_at_the_same_moment_applies_one(app: Flask, sender: Hotline) -> None:
    answers: list[int] = []
    bodies = [[notice(number)] for number in range(4)]
    threads = [threading.Thread(target=lambda b=b: answers.append(sender.push(b).status_code)) for b in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [207, 422, 422, 422]
    assert counts(app) == {"deliveries": 1, "contents": 1, "notices": 1, "quarantined": 0}


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"url": "https://s1\x00.example/"}, 422, "not_a_url"),
        ({"url": "https://[::1/"}, 422, "not_a_url"),
        ({"url": "https://192.0.2.1:99999/"}, 422, "not_a_url"),
        ({"url": "https://s1.example/" + "x" * 100_000}, 201, None),
        ({"url": "https://\u24d4xample.example/"}, 201, None),
        ({"hosting_provider": "\x00"}, 422, "nul_character"),
        ({"hosting_provider": "\U0001f600" * 255}, 201, None),
        ({"report_id": "\u0660" * 8 + "-0000-4000-8000-000000000001"}, 201, None),
        ({"source_identifier": "::ffff:192.0.2.1"}, 201, None),
        ({"source_identifier": "\x00"}, 201, None),
        ({"x\x00": "\x00", "timestamp": "\x00"}, 422, "not_a_time"),
    ],
)
def test_what_databases_stumble_over(sender: Hotline, changed: dict[str, Any], status: int, reason: str | None) -> None:
    answer = sender.push([notice(1, **changed), notice(2)])
    assert answer.status_code == 207
    assert [(item["status"], item["reason"]) for item in answer.json["items"]] == [  # type: ignore[index]
        (status, reason),
        (201, None),
    ]


def test_evidence_goes_no_further_than_the_door(app: Flask, sender: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived: list[bytes] = []

    def watched(session: Session, vault: Vault, delivery_file: DeliveryFile, *rest: Any, **named: Any) -> IngestResult:
        with delivery_file.path.open("rb") as file:
            arrived.append(file.read())
        return ingest(session, vault, delivery_file, *rest, **named)

    monkeypatch.setattr(pushing, "ingest", watched)
    payload = "c2VjcmV0" * 50_000
    evidence = [{"content_type": "image/png", "payload": payload}]
    answer = sender.push([notice(1, evidence=evidence), notice(2, evidence=evidence, timestamp="never")])
    assert statuses(answer) == [201, 422]
    assert b"https://s0001.example/1" in arrived[0]
    assert b"c2VjcmV0" not in arrived[0]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.OK, [(201, None), (200, None), (422, "not_a_time")]),
        (Verdict.SUSPICIOUS, [(202, None), (202, None), (422, "not_a_time")]),
        (Verdict.REFUSED, [(422, "delivery_refused"), (422, "delivery_refused"), (422, "not_a_time")]),
    ],
)
def test_the_verdict_on_the_delivery_is_told_item_by_item(
    verdict: Verdict, expected: list[tuple[int, str | None]]
) -> None:
    outcomes = [
        RowResult(3, RowStatus.QUARANTINED, "not_a_time", "timestamp"),
        RowResult(1, RowStatus.ACCEPTED),
        RowResult(2, RowStatus.DUPLICATE),
    ]
    taken = IngestResult(7, 3, 1, 1, {"not_a_time": 1}, 1, 1, 0, (), verdict=verdict)
    told = pushing.push_answer(taken, outcomes)
    assert [(item.status, item.reason) for item in told.items] == expected
    assert [item.index for item in told.items] == [0, 1, 2]


def test_what_the_checks_refuse_says_so_for_every_item(app: Flask) -> None:
    answer = hotline(app, "picky").push([notice(1), notice(2, timestamp="never")])
    assert answer.json["verdict"] == "refused"  # type: ignore[index]
    assert answer.json["reasons"][0]["rule"] == "below_minimum"  # type: ignore[index]
    assert [(item["status"], item["reason"]) for item in answer.json["items"]] == [  # type: ignore[index]
        (422, "delivery_refused"),
        (422, "not_a_time"),
    ]
    assert counts(app)["contents"] == 0


def test_what_waits_is_kept_without_evidence_and_can_be_accepted(tmp_path: Path, app: Flask, sender: Hotline) -> None:
    evidence = [{"content_type": "image/png", "payload": "c2VjcmV0"}]
    batch = [notice(number, evidence=evidence) for number in range(8)] + [notice(8, url=7), notice(9, timestamp="")]
    answer = sender.push(batch)
    assert answer.json["verdict"] == "suspicious"  # type: ignore[index]
    assert statuses(answer) == [202] * 8 + [422] * 2
    again = sender.push(batch, key="k2")
    assert statuses(again) == [202] * 10  # all of it waits; which were refused is told when it is decided
    vault = Vault(tmp_path / "home" / "keys.json")
    with transaction(app.extensions["monitor_engine"]) as session:
        pieces = session.scalars(select(PendingPiece)).all()
        held = b"".join(vault.open(piece.sealed, piece.key_version) for piece in pieces)
        assert b"https://s0007.example/7" in held
        assert b"c2VjcmV0" not in held
        accept(session, vault, Source("hotline"), 1, ReviewDecision("officer", "asked", int(time.time())))
    told = sender.report(1).json
    assert told is not None
    assert (told["verdict"], told["accepted"], [item["index"] for item in told["refused"]]) == ("ok", 8, [8, 9])


def test_a_report_is_for_the_token_that_pushed(app: Flask, sender: Hotline) -> None:
    number = sender.push([notice(1), notice(2, url="nonsense")]).json["delivery"]  # type: ignore[index]
    told = sender.report(number)
    assert told.status_code == 200
    expected = {"delivery": number, "rows": 2, "accepted": 1, "duplicate": 0, "quarantined": {"url_without_host": 1}}
    assert expected.items() <= told.json.items()  # type: ignore[union-attr]
    assert told.json["refused"] == [{"index": 1, "reason": "url_without_host", "field": "url"}]  # type: ignore[index]
    others = hotline(app, "other"), hotline(app, "hotline")
    assert [other.report(number).status_code for other in others] == [404, 404]
    assert others[0].report(number).data == others[0].report(99).data
    assert [sender.report(odd).status_code for odd in (0, 99, 2**63 - 1, 2**63, "x", "-1")] == [404] * 6


def push_with(**headers: str) -> Callable[[Hotline], TestResponse]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda sender: sender.push([notice(1, url=f"https://{CANARY}.example/")], headers=named)


REFUSED: dict[str, tuple[Callable[[Hotline], TestResponse], int, str]] = {
    "no token": (push_with(Authorization=""), 401, "token"),
    "no bearer": (push_with(Authorization="Basic eDp4"), 401, "token"),
    "wrong token": (push_with(Authorization=f"Bearer ham_{'0' * 16}_{'A' * 43}"), 401, "token"),
    "a token beyond ASCII": (push_with(Authorization="Bearer h\xe4m"), 401, "token"),
    "no key": (push_with(Idempotency_Key=""), 400, "key-missing"),
    "a key too long": (push_with(Idempotency_Key="x" * 201), 400, "key-missing"),
    "a key with a space": (push_with(Idempotency_Key="a b"), 400, "key-missing"),
    "a form": (push_with(Content_Type="application/x-www-form-urlencoded"), 415, "media-type"),
    "no type": (push_with(Content_Type=""), 415, "media-type"),
    "another charset": (push_with(Content_Type="application/json; charset=latin-1"), 415, "media-type"),
    "another encoding": (push_with(Content_Encoding="br"), 415, "encoding"),
    "no gzip": (push_with(Content_Encoding="gzip"), 400, "unreadable"),
    "nothing": (lambda sender: sender.push(b""), 400, "unreadable"),
    "no JSON": (lambda sender: sender.push(f'[{{"url": "{SECRET}" }} oops'.encode()), 400, "unreadable"),
    "a broken array": (lambda sender: sender.push(f'[{{"url" "{SECRET}"}}]'.encode()), 400, "unreadable"),
    "no items": (lambda sender: sender.push([]), 422, "no-notices"),
    "too many items": (lambda sender: sender.push([{}] * (ITEM_LIMIT + 1)), 413, "too-large"),
    "too large": (lambda sender: sender.push(b" " * (BODY_LIMIT + 1)), 413, "too-large"),
    "a large object": (lambda sender: sender.push([notice(1, x=CANARY * OBJECT_LIMIT)]), 413, "too-large"),
    "a bomb": (
        lambda sender: sender.push(gzip.compress(b" " * 64 * 1024 * 1024), headers={"Content-Encoding": "gzip"}),
        413, "too-large",
    ),
    "cut gzip": (
        lambda sender: sender.push(gzip.compress(b"[{}]")[:-4], headers={"Content-Encoding": "gzip"}),
        400, "unreadable",
    ),
    "more after gzip": (
        lambda sender: sender.push(gzip.compress(b"[{}]") * 2, headers={"Content-Encoding": "gzip"}),
        400, "unreadable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_problems_and_store_nothing(app: Flask, sender: Hotline, name: str) -> None:
    send, status, kind = REFUSED[name]
    answer = send(sender)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem = answer.get_json(force=True)
    assert problem["type"] == f"urn:problem:hosting-monitor:{kind}"
    assert problem["status"] == status
    assert set(problem) - {"limits", "index"} == {"type", "title", "status", "detail"}
    if status == 413:
        assert problem["limits"] == {"body_bytes": 8_388_608, "items": 1000, "object_bytes": 262_144, "values": 250_000}
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="notices"')
    assert CANARY not in answer.get_data(as_text=True)
    assert counts(app) == NOTHING


def test_a_token_that_ended_opens_nothing(app: Flask) -> None:
    old = hotline(app, issued=1_000_000_000)
    gone = hotline(app)
    with transaction(app.extensions["monitor_engine"]) as session:
        tokens.revoke(session, 2, to_datetime(1_800_000_000), "operator")
    assert [old.push([notice(1)]).status_code, gone.push([notice(1)]).status_code] == [401, 401]
    assert old.push([notice(1)]).data == gone.push([notice(1)]).data


def test_a_scope_is_needed(app: Flask) -> None:
    reader, writer = hotline(app, scopes=(tokens.READ,)), hotline(app, scopes=(tokens.PUSH,))
    refused = reader.push([notice(1)])
    assert (refused.status_code, refused.get_json(force=True)["type"]) == (403, "urn:problem:hosting-monitor:scope")
    assert 'error="insufficient_scope", scope="notices:push"' in refused.headers["WWW-Authenticate"]
    assert writer.report(writer.push([notice(1)]).json["delivery"]).status_code == 403  # type: ignore[index]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/notices", 405),
        ("OPTIONS", "/api/v1/notices", 405),
        ("DELETE", "/api/v1/deliveries/1", 405),
        ("GET", f"/api/v1/{CANARY}", 404),
        ("GET", "/api/", 404),
        ("POST", "/api/v2/notices", 404),
    ],
)
def test_what_is_not_there(sender: Hotline, method: str, path: str, status: int) -> None:
    answer = sender.app.test_client().open(path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert CANARY not in answer.get_data(as_text=True)
    assert ("Allow" in answer.headers) == (status == 405)


def test_every_answer_has_its_headers_and_no_cookie(sender: Hotline) -> None:
    answers = [
        sender.push([notice(1)]), sender.push(b"x"), sender.push([], headers={"Authorization": ""}), sender.report(99),
        sender.app.test_client().get("/api/v1/nothing"),
    ]  # fmt: skip
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Set-Cookie" not in answer.headers
    assert answers[0].headers["RateLimit-Policy"] == (
        '"token";q=60;w=60, "bytes";q=67108864;qu="content-bytes";w=60, "work-milliseconds";q=30000;w=60'
    )
    assert answers[1].headers["RateLimit"].startswith('"token";r=58;t=')
    assert "RateLimit" not in answers[2].headers


def test_who_comes_too_often_waits(sender: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticate, "LIMIT", Limit(requests=2, seconds=3600))
    answers = [sender.push([notice(1)]) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [207, 207, 429, 429]
    assert 0 < int(answers[3].headers["Retry-After"]) <= 3600
    assert answers[3].get_json(force=True)["limits"] == {
        "requests": 2, "seconds": 3600, "bytes": 67_108_864, "work_milliseconds": 30_000,
    }  # fmt: skip
    assert answers[3].headers["RateLimit"].startswith('"token";r=0;t=')


def test_what_fails_half_way_stores_nothing_and_can_be_sent_again(
    app: Flask, sender: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError(f"https://{CANARY}.example/")

    with monkeypatch.context() as broken:
        broken.setattr(pushing, "push_answer", fail)
        answer = sender.push([notice(1)])
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert counts(app) == NOTHING
    assert statuses(sender.push([notice(1)])) == [201]


def test_without_keys_the_site_stands_and_a_push_waits(tmp_path: Path, app: Flask, sender: Hotline) -> None:
    keys = tmp_path / "home" / "keys.json"
    keys.rename(tmp_path / "away.json")
    answer = sender.push([notice(1)])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    (tmp_path / "away.json").rename(keys)
    assert sender.push([notice(1)]).status_code == 207


def stored(app: Flask) -> str:
    """All that is in the database, as text."""
    with app.extensions["monitor_engine"].connect() as connection:
        rows = [str(connection.execute(text(f"SELECT * FROM {name}")).all()) for name in Base.metadata.tables]
    url = app.extensions["monitor_engine"].url
    if url.get_backend_name() == "sqlite":
        rows += [path.read_bytes().decode("latin-1") for path in Path(url.database).parent.iterdir() if path.is_file()]
    return "".join(rows)


def test_a_url_is_in_no_answer_log_table_or_file(
    app: Flask, sender: Hotline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    caplog.set_level(logging.DEBUG)
    url = f"https://{CANARY}.example/{CANARY}.jpg?{CANARY}"

    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError(url)

    batch = [notice(1, url=url), notice(2, url=CANARY), notice(3, url=url, timestamp=url), {CANARY: url}, CANARY]
    lines = f'{json.dumps(notice(1, url=url))}\n{{"url": "{url}", oops\n'.encode()
    answers = [
        sender.push(batch), sender.push(batch), sender.push(batch, key="k2"), sender.push(batch, key=url),
        sender.push([notice(4, url=url)], key=url), sender.push(lines, key="k3"), sender.push(lines[:90], key="k4"),
        sender.push(b"[" + lines, key="k5"), sender.push([notice(5, x=url * 9000)], key="k6"),
        sender.push(batch, headers={"Authorization": f"Bearer {url}"}), sender.push([url] * 1001, key="k7"),
        sender.push(url.encode(), key="k8"), sender.report(1), sender.report(CANARY),
    ]  # fmt: skip
    with monkeypatch.context() as broken:
        broken.setattr(pushing, "ingest", fail)
        answers.append(sender.push([notice(6, url=url)], key="k9"))
    assert {answer.status_code for answer in answers} == {200, 207, 422, 400, 401, 404, 413, 500}
    said = "".join(answer.get_data(as_text=True) + str(answer.headers) for answer in answers)
    printed = capfd.readouterr()
    assert "RuntimeError" in caplog.text
    assert [CANARY in where for where in (said, caplog.text, printed.out, printed.err, stored(app))] == [False] * 5
    assert list((tmp_path / "temporary").iterdir()) == []
    assert counts(app) == {"deliveries": 2, "contents": 1, "notices": 1, "quarantined": 5}  # it was there, sealed
