"""The body of a push: what it holds, why it is refused and at which item; read as the scanner of files reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import DeliveryError
from monitor.formats.records import Rejected
from monitor.formats.xarf import parse
from monitor.formats.xarf_body import BodyRefusedError, read_body
from monitor.formats.xarf_objects import NESTING_LIMIT, OBJECT_LIMIT, Found, read_objects
from tests.formats.test_xarf import CONTEXT, CSAM, FIRST, OLD
from tests.formats.test_xarf_objects import dicts

A, B = {"a": 1}, {"b": [1.5, "x", None, True, {"c": []}]}


def values(text: str | bytes, *, lines: bool = False) -> list[dict[str, Any] | str | None]:
    raw = text.encode() if isinstance(text, str) else text
    return [found.reason or found.value for found in read_body(raw, lines=lines).objects]


@pytest.mark.parametrize(
    ("text", "lines", "expected"),
    [
        ('{"a": 1}', False, [A]),
        ('\ufeff {\n"a": 1\n}\n', False, [A]),
        (json.dumps([A, B], indent=1), False, [A, B]),
        ("[7, null, [], {}]", False, ["not_an_object", "not_an_object", "not_an_object", {}]),
        ('{"a": 1}\n{"a": 1}', False, [A, A]),
        ('{"a": 1}\r\n\n  {"a": 1}\n', True, [A, A]),
        ('{"a": \n{"a": 1}\n7\n', True, ["not_json", A, "not_an_object"]),
        ('{"a": 1}\n{"a": NaN}\n{"a": 1e999}\n{"a": 1}', False, [A, "not_json", "number_too_large", A]),
        ('{"a": 1, "a": 2}\n{"a": "\\ud800"}', True, ["doubled_field", "not_utf8"]),
        (b'{"a": "\xff"}\n{"a": "\xed\xa0\x80"}\n{"a": 1}', True, ["not_utf8", "not_utf8", A]),
        ('{"a": ' + "[" * 32 + "]" * 32 + "}\n{}", True, ["nested_too_deep", {}]),
        ('[{"evidence": [{"a": 1, "a": 2}], "a": 1}]', False, [{"evidence": None, "a": 1}]),
        ('[{"a": "\\ud83d\\ude00 \\\\ud800 \\u0000"}]', False, [{"a": "\U0001f600 \\ud800 \x00"}]),
    ],
)
def test_objects_and_reasons(text: str | bytes, *, lines: bool, expected: list[object]) -> None:
    assert values(text, lines=lines) == expected


BROKEN = {
    "NaN": (b'[{"a": 1}, {"a": NaN}]', "is not well-formed JSON"),
    "Infinity": (b'[{"a": 1}, {"a": -Infinity}]', "is not well-formed JSON"),
    "1e999": (b'[{"a": 1}, {"a": 1e999}]', "has a number that does not fit"),
    "5,000 digits": (b'[{"a": 1}, {"a": ' + b"9" * 5000 + b"}]", "has a number that does not fit"),
    "beyond 64 bits": (b'[{"a": 1}, {"a": 9223372036854775808}]', "has a number that does not fit"),
    "nesting": (b'[{"a": 1}, {"a": ' + b"[" * 32 + b"]" * 32 + b"}]", "is nested deeper than 32"),
    "nesting in evidence": (b'[{"a": 1}, {"evidence": ' + b"[" * 32 + b"]" * 32 + b"}]", "is nested deeper than 32"),
    "a doubled key": (b'[{"a": 1}, {"b": {"a": 1, "\\u0061": 2}}]', "has an object with one name twice"),
    "a lone surrogate": (b'[{"a": 1}, {"a": "\\ud800"}]', "has text that is not UTF-8"),
    "half a pair": (b'[{"a": 1}, {"a": "\\ud83d\\u0041"}]', "has text that is not UTF-8"),
    "a surrogate in a name": (b'[{"a": 1}, {"\\udc00": 1}]', "has text that is not UTF-8"),
    "broken UTF-8": (b'[{"a": 1}, {"a": "\xff"}]', "has text that is not UTF-8"),
    "an overlong form": (b'[{"a": 1}, {"a": "\xc0\xaf"}]', "has text that is not UTF-8"),
    "no value": (b'[{"a": 1}, {"a": }]', "is not well-formed JSON"),
    "the end is missing": (b'[{"a": 1}, {"a": 1', "is not well-formed JSON"),
    "a comment": (b'[{"a": 1}, /* x */ {"a": 1}]', "is not well-formed JSON"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_document_that_is_no_i_json_is_refused_and_its_item_named(name: str) -> None:
    body, detail = BROKEN[name]
    with pytest.raises(BodyRefusedError) as refused:
        read_body(body)
    assert (refused.value.kind, refused.value.index) == ("unreadable", 1)
    assert refused.value.detail.startswith(f"The item at index 1 (from 0) {detail}")


@pytest.mark.parametrize(
    ("body", "lines", "kind", "index"),
    [
        (b"", False, "unreadable", None),
        (b"", True, "no-notices", None),
        (b"7", False, "unreadable", None),
        (b'"{}"', False, "unreadable", None),
        (b"[]", False, "no-notices", None),
        (b"[{}] {}", False, "unreadable", 1),
        (b'{"a": 1', False, "unreadable", 0),
        (b'{"a": 1e999}', False, "unreadable", 0),
        (b"[" + b"{}," * 1000 + b"{}]", False, "too-large", 1000),
        (b"[" + b"{}," * 1000 + b"{} and no JSON", False, "too-large", 1000),
        (b"{}\n" * 1001, True, "too-large", 1000),
        (b'[{}, {"a": "' + b"x" * OBJECT_LIMIT + b'"}]', False, "too-large", 1),
        (b'{}\n{"a": "' + b"x" * OBJECT_LIMIT + b'"}', True, "too-large", 1),
        (b"[{}, [" + b"0," * 250_000, False, "too-large", 1),
        (b'{"a": [' + b"0," * 124_990 + b'0]}\n{"a": [' + b"0," * 125_000 + b"0]}", True, "too-large", 1),
    ],
)
def test_what_is_refused_whole(body: bytes, *, lines: bool, kind: str, index: int | None) -> None:
    with pytest.raises(BodyRefusedError) as refused:
        read_body(body, lines=lines)
    assert (refused.value.kind, refused.value.index) == (kind, index)


def test_a_thousand_items_are_not_too_many() -> None:
    assert len(read_body(b"[" + b"{}," * 999 + b"{}]").objects) == 1000
    assert len(read_body(b"{}\n" * 1000, lines=True).objects) == 1000


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"[{FIRST}, 7, {FIRST}]", False),
        (f"[7, {FIRST}]", False),
        (f'{FIRST}\n{{"a": \n"x"\n{FIRST}', True),
        ('{"a": }\n{"a": 1, "a": 2}\n{"a": 1e999}', True),
        (f'{{"a": 1, "a": 2}}\n{{"a": "\\ud800"}}\n{{"a": 1e999}}\n{FIRST}', True),
        (f'{{"a": {"[" * 40}{"]" * 40}}}\n{FIRST}', True),
        (json.dumps(OLD), False),
        (FIRST.replace("csam", "\\u0063sam"), False),
    ],
)
def test_what_is_kept_of_a_body_reads_the_same_and_has_no_evidence(text: str, *, lines: bool) -> None:
    def told(raw: bytes) -> list[tuple[object, ...]]:
        found = parse([raw], CONTEXT)
        return [(f.line, f.reason, f.column) if isinstance(f, Rejected) else (f,) for f in found]

    read = read_body(text.encode(), lines=lines)
    assert told(read.content) == told(text.encode())
    assert len(read.objects) == len(told(read.content))
    assert b"bm90IGFuIGltYWdl" not in read.content


def by_files(raw: bytes) -> list[Found] | None:
    try:
        return list(read_objects([raw], ("evidence",)))
    except DeliveryError:
        return None


def by_pushes(raw: bytes, *, lines: bool) -> list[Found] | None:
    try:
        return read_body(raw, lines=lines).objects
    except BodyRefusedError:
        return None


@given(st.lists(dicts, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_what_json_writes_is_read_as_in_a_file(expected: list[dict[str, Any]], ascii_only: bool, lines: bool) -> None:
    written = [json.dumps(value, ensure_ascii=ascii_only) for value in expected]
    try:
        text = ("\n".join(written) if lines else f"[{','.join(written)}]").encode()
    except UnicodeEncodeError:
        return
    assert by_pushes(text, lines=lines) == by_files(text)


_BITS = [
    "{", "}", "[", "]", '"', ":", ",", '"a":', '"b":', "1", "1e999", "9" * 20, "NaN", "null", "\\ud800", "é", " ", "\\",
]  # fmt: skip


@given(st.lists(st.sampled_from(_BITS), max_size=12).map("".join))
def test_what_a_push_takes_a_file_takes_alike(inner: str) -> None:
    raw = f'[{{"x": 1}}, {inner}]'.encode()
    pushed = by_pushes(raw, lines=False)
    if pushed is not None:
        assert pushed == by_files(raw)


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_read_or_refused(raw: bytes, lines: bool) -> None:
    by_pushes(raw, lines=lines)
    by_pushes(b"[" + raw + b"]", lines=lines)
    by_pushes(b'[{"a": "' + raw + b'"}]', lines=lines)


def test_the_limit_of_nesting_is_that_of_files() -> None:
    for depth, refused in ((NESTING_LIMIT, False), (NESTING_LIMIT + 1, True)):
        nested = '{"a": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"
        assert (values(nested, lines=True) == ["nested_too_deep"]) is refused


def test_a_report_is_read_from_a_body() -> None:
    [found] = read_body(json.dumps([CSAM]).encode()).objects
    assert found.value == CSAM | {"evidence": None}
