"""The page cache: what it keeps, what it never keeps, whom it tells apart, and that it forgets in time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Request

from tests.web.public.origin import PUBLIC, Clock, Origin, cached
from web.public.cache import key_of


def test_a_page_is_made_once() -> None:
    origin = Origin()
    reader, _ = cached(origin)
    first, second = reader.get("/en/ranking/2026Q2"), reader.get("/en/ranking/2026Q2")
    assert first.data == second.data == b"/en/ranking/2026Q2 1"
    assert list(first.headers) == list(second.headers)
    assert (origin.asked, origin.closed) == (1, 1)


def test_head_is_answered_from_the_page_and_never_kept() -> None:
    origin = Origin()
    reader, cache = cached(origin)
    assert reader.head("/a").data == b""
    assert len(cache.pages) == 0
    whole = reader.get("/a")
    head = reader.head("/a")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(whole.data)))
    assert origin.asked == 2


@pytest.mark.parametrize("given", ['W/"first"', '"first"', '"other", W/"first"', "*"])
def test_who_has_the_page_gets_304_without_asking_the_application(given: str) -> None:
    origin = Origin(headers={"Content-Security-Policy": "default-src 'none'"})
    reader, _ = cached(origin)
    reader.get("/a")
    answer = reader.get("/a", headers={"If-None-Match": given})
    assert (answer.status_code, answer.data, origin.asked) == (304, b"", 1)
    assert answer.headers["ETag"] == 'W/"first"'
    assert answer.headers["Cache-Control"] == PUBLIC
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert "Content-Length" not in answer.headers
    assert reader.get("/a", headers={"If-None-Match": 'W/"older"'}).data == b"/a 1"


def test_a_page_first_asked_for_by_who_has_it_is_kept_whole() -> None:
    origin = Origin()
    reader, _ = cached(origin)
    assert reader.get("/a", headers={"If-None-Match": '"first"'}).status_code == 304
    assert (reader.get("/a").data, origin.asked) == (b"/a 1", 1)


def test_a_large_file_passes_unread_and_is_not_sent_to_who_has_it() -> None:
    origin = Origin(text=lambda _: "x" * 2_000_000)
    reader, cache = cached(origin)
    with reader.get("/data.zip") as answer:
        assert len(answer.data) > 2_000_000
    assert (reader.get("/data.zip", headers={"If-None-Match": '"first"'}).status_code, origin.closed) == (304, 2)
    assert (len(cache.pages), origin.asked) == (0, 2)


@pytest.mark.parametrize(
    "origin",
    [
        Origin(headers={"Cache-Control": "no-store"}),
        Origin(headers={"Cache-Control": "private, max-age=300"}),
        Origin(headers={"Cache-Control": "public, no-cache, max-age=300"}),
        Origin(headers={"Cache-Control": "public, max-age=0"}),
        Origin(headers={"Cache-Control": "public"}),
        Origin(headers={"Cache-Control": "max-age=300"}),
        Origin(headers={"Set-Cookie": "a=b"}),
        Origin(headers={"Vary": "Cookie"}),
        Origin(headers={"Vary": "Accept"}),
        Origin(headers={"Vary": "*"}),
        Origin(status=404),
        Origin(status=302, headers={"Location": "/b"}),
        Origin(status=503),
    ],
    ids=lambda origin: f"{origin.status} {origin.headers}",
)
def test_what_is_not_for_everybody_is_asked_each_time(origin: Origin) -> None:
    reader, cache = cached(origin)
    assert [reader.get("/a").data for _ in range(2)] == [b"/a 1", b"/a 2"]
    assert len(cache.pages) == 0


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {}),
        ("OPTIONS", {}),
        ("GET", {"Authorization": "Bearer secret"}),
        ("GET", {"Range": "bytes=0-1"}),
        ("GET", {"If-Match": '"first"'}),
        ("GET", {"If-Modified-Since": "Sat, 21 Nov 2026 00:00:00 GMT"}),
    ],
)
def test_a_request_of_another_kind_neither_reads_nor_writes(method: str, headers: dict[str, str]) -> None:
    origin = Origin()
    reader, cache = cached(origin)
    assert reader.open("/a", method=method, headers=headers).data == b"/a 1"
    assert len(cache.pages) == 0
    reader.get("/a")
    assert reader.open("/a", method=method, headers=headers).data == b"/a 3"


@pytest.mark.parametrize(
    "other",
    [
        "/b",
        "/a?page=2",
        "/a?page=1&page=2",  # what is asked twice is never what is asked once
        "/a?page=2&page=1",
        "/a?Page=1",
        "/a?page=1&utm_source=x",
        "/a?page=1&q=",
        "/a?page=1%26q=2",  # the value "1&q=2"
        "/a?page=1;q=2",
        "/a?page=%31%00",
        "/a/?page=1",
        "/a%3Fpage=1",  # a path with a question mark in it
    ],
)
def test_another_request_gets_another_page(other: str) -> None:
    origin = Origin()
    reader, _ = cached(origin)
    reader.get("/a?page=1")
    reader.get(other)
    assert origin.asked == 2


def test_one_page_however_its_query_is_written() -> None:
    origin = Origin()
    reader, _ = cached(origin)
    for query in ("sort=name&q=a+b", "q=a+b&sort=name", "q=a%20b&sort=name", "%71=%61+b&&sort=n%61me"):
        reader.get(f"/a?{query}")
    assert origin.asked == 1


@given(st.lists(st.tuples(st.sampled_from("pq"), st.text("01&=%+ ;é\0", max_size=3)), max_size=3), st.data())
def test_two_queries_of_one_key_read_the_same_to_the_application(pairs: list[tuple[str, str]], data: Any) -> None:
    other = data.draw(st.permutations(pairs) | st.lists(st.sampled_from(pairs or [("p", "")]), max_size=3))
    keys, read = [], []
    for query in (pairs, other):
        environ = EnvironBuilder("/a", query_string=MultiDict(query)).get_environ()
        keys.append(key_of(environ))
        read.append({name: Request(environ).args.getlist(name) for name in "pq"})
    assert (keys[0] == keys[1]) == (read[0] == read[1])


def test_a_false_host_spoils_the_page_of_nobody_else() -> None:
    origin = Origin(text=lambda request: request.host)
    reader, _ = cached(origin)
    reader.get("/a", base_url="http://evil.example")
    assert reader.get("/a", base_url="http://monitor.example").data == b"monitor.example 2"
    assert reader.get("/a", base_url="https://monitor.example").data == b"monitor.example 3"


def test_the_api_is_told_apart_by_what_is_accepted() -> None:
    origin = Origin(headers={"Vary": "Accept"}, text=lambda request: request.headers["Accept"])
    reader, _ = cached(origin)
    for accept in ("application/json", "text/html", "application/json"):
        reader.get("/api/v1/releases", headers={"Accept": accept})
    assert origin.asked == 2


@pytest.mark.parametrize("address", [f"/{'a' * 1001}", f"/a?q={'a' * 1000}", "/a?q=\xe9"])
def test_what_is_too_long_or_no_query_is_not_kept(address: str) -> None:
    origin = Origin()
    _, cache = cached(origin)
    path, _, query = address.partition("?")
    environ = EnvironBuilder(path).get_environ() | {"QUERY_STRING": query}
    assert key_of(environ) is None
    Client(cache).get(path)
    assert len(cache.pages) == (len(path) < 1000)


def test_an_answer_holds_no_longer_than_it_says() -> None:
    origin, clock = Origin(), Clock()
    reader, _ = cached(origin, clock)
    for now in (0.0, 299.0, 300.0, 599.0):
        clock.now = now
        reader.get("/a")
    assert origin.asked == 2


def test_a_new_state_forgets_every_page() -> None:
    origin, clock = Origin(), Clock()
    reader, cache = cached(origin, clock)
    reader.get("/a")
    clock.state = 2
    assert reader.get("/a").data == b"/a 2"
    assert len(cache.pages) == 1


def test_a_page_begun_before_a_release_is_not_kept_after_it() -> None:
    clock = Clock()

    def text(_: Request) -> str:
        clock.state += origin.asked == 1  # the release comes while the first page is made
        return "page"

    origin = Origin(text=text)
    reader, cache = cached(origin, clock)
    cache.pages.find("", 2, 0)  # another thread has seen the release already
    clock.state = 1
    assert reader.get("/a").data == b"page 1"
    assert reader.get("/a").data == b"page 2"
    assert reader.get("/a").data == b"page 2"


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40_000)), max_size=60))
def test_no_more_memory_than_there_is_room(asked: list[tuple[int, int]]) -> None:
    origin = Origin(text=lambda request: "x" * int(request.args["size"]))
    reader, cache = cached(origin, room=100_000)
    for page, size in asked:
        reader.get(f"/{page}?size={size}")
        assert cache.pages.taken <= 100_000
    assert (cache.pages.taken == 0) == (len(cache.pages) == 0)


def test_the_pages_used_last_stay() -> None:
    origin = Origin(text=lambda _: "x" * 20_000)
    reader, _ = cached(origin, room=100_000)
    for address in ("/1", "/2", "/3", "/4", "/1", "/5", "/6", "/1"):
        reader.get(address)
    assert origin.asked == 6  # /1 was never let go of
