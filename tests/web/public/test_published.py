"""Seeing what another process published: within a second, in every worker, and only where it is what was signed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from werkzeug.test import Client

from monitor.release.intact import NotIntactError
from monitor.release.published import Published
from monitor.settings import Settings
from tests.support.publications import Version, public_site, put
from tests.support.published import invent
from tests.web.public.origin import Clock
from web.public.cache import PageCache

Q1, Q2 = Version(invent("2026Q1", ranked=False)), Version(invent("2026Q2"))


def folder(home: Path) -> Path:
    return Settings(home=home).publications


def names(published: Published) -> list[str]:
    return [edition.name for edition in published.index().editions]


def test_it_looks_once_a_second_and_sees_what_another_process_published(tmp_path: Path) -> None:
    clock = Clock()
    published = Published(folder(tmp_path), lambda: clock.now)
    assert (published.state(), names(published)) == (1, [])
    put(tmp_path, Q1)
    assert (published.state(), names(published)) == (1, [])  # within the second
    clock.now = 1.0
    assert (published.state(), names(published)) == (2, ["2026Q1-v1"])
    (folder(tmp_path) / "2026Q1-v1").mkdir()  # files of it were made
    clock.now = 2.0
    assert (published.state(), published.state()) == (3, 3)


def test_every_worker_shows_a_new_release_and_has_what_it_began_with_until_then(tmp_path: Path) -> None:
    clock = Clock()
    put(tmp_path, Q1)
    workers = [Published(folder(tmp_path), lambda: clock.now) for _ in range(2)]
    before = [worker.index() for worker in workers]
    put(tmp_path, Q2)
    clock.now = 1.0
    assert [names(worker) for worker in workers] == [["2026Q2-v1", "2026Q1-v1"]] * 2
    assert [[edition.name for edition in index.editions] for index in before] == [["2026Q1-v1"]] * 2
    assert [worker.table(before[0].editions[0]).period for worker in workers] == ["2026Q1"] * 2


def test_an_index_that_is_not_what_was_signed_is_not_believed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    put(tmp_path, Q1)
    published = Published(folder(tmp_path), lambda: clock.now)
    assert names(published) == ["2026Q1-v1"]
    put(tmp_path, Q2)
    index = folder(tmp_path) / "index" / "index.json"
    signed = index.read_text()
    index.write_text(signed.replace('"invented companies"', '"all were heard"', 1))
    for clock.now in (1.0, 2.0, 3.0):
        assert names(published) == ["2026Q1-v1"]
    assert published.problem == "index.json is not what was signed"
    shown = "the publications folder: index.json is not what was signed; what was read before is shown"
    assert [record.getMessage() for record in caplog.records] == [shown]
    with pytest.raises(NotIntactError, match="is not what was signed"):
        Published(folder(tmp_path)).index()
    index.write_text(signed)
    clock.now = 4.0
    assert (names(published), published.problem) == (["2026Q2-v1", "2026Q1-v1"], "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not what this program writes"),
        ("[]", "is not what this program writes"),
        ('{"format": 0}', "was written by another version of this program: run `monitor release export`"),
        ('{"format": 1, "keys": [], "public_key_sha256": "x"}', "is signed with a key that is not known here"),
    ],
)
def test_an_index_of_another_kind_says_what_to_do(tmp_path: Path, content: str, said: str) -> None:
    put(tmp_path, Q1)
    (folder(tmp_path) / "index" / "index.json").write_text(content)
    with pytest.raises(NotIntactError, match=said):
        Published(folder(tmp_path)).index()


def test_a_page_of_a_damaged_file_is_not_shown_and_health_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = public_site(tmp_path, Q1, Q2).test_client()
    assert client.get("/health").json == {"status": "ok", "parts": {"index": "ok", "publications": "ok"}}
    for name in ("release.json", "curves.jsonl", "pictures-en.json"):
        (path,) = folder(tmp_path).glob(f"site/2026Q2-*/{name}")
        path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    for address in ("/en/ranking/2026Q2", "/en/company/2026Q2/as64500", "/en/charts/2026Q2"):
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert "Error 503" in answer.text
    assert "2026Q2-v1: release.json is not what was written" in caplog.text
    assert client.get("/en/ranking/2026Q1").status_code == 200
    health = client.get("/health")
    assert (health.status_code, health.json and health.json["parts"]["publications"]) == (503, "not what was signed")
    assert health.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["/healthz", "/health/live"])
def test_the_addresses_that_health_had_lead_to_it(tmp_path: Path, address: str) -> None:
    answer = public_site(tmp_path).test_client().get(address)
    assert (answer.status_code, answer.location) == (308, "/health")


def test_the_site_behind_the_cache_in_two_languages_and_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.release.published.EVERY", 0.0)
    app = public_site(tmp_path, Version(invent("2026Q1")))
    cache = PageCache(app, app.extensions["published"].state)
    plain, reader = app.test_client(), Client(cache)
    for address in ("/nl/ranglijst/2026Q1", "/en/ranking/2026Q1", "/en/ranking/2026Q1?sort=name&order=desc"):
        for _ in range(2):
            answer = reader.get(address)
            assert (answer.status_code, answer.data) == (200, plain.get(address).data)
            assert "Set-Cookie" not in answer.headers
    packed = reader.get("/en/ranking/2026Q1", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == reader.get("/en/ranking/2026Q1").data
    assert len(cache.pages) == 4
    put(tmp_path, Version(invent("2026Q1", ranked=False), 2, "ranks were withdrawn"))
    assert reader.get("/en/ranking/2026Q1").data == plain.get("/en/ranking/2026Q1").data != gzip.decompress(packed.data)
    for address in ("/healthz", "/health", "/en/ranking/1999Q1", "/", "/en/", "/api/v1/notices"):
        reader.get(address)
    assert len(cache.pages) == 1
