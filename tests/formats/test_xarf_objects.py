"""Objects in a JSON document: one, an array, or lines; found in bounded memory, whatever is in between."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import DeliveryError
from monitor.formats import xarf_objects
from monitor.formats.xarf_objects import NESTING_LIMIT, OBJECT_LIMIT, Found, read_objects

A, B = {"a": 1}, {"b": [{"c": '}"]\n{'}, None]}


def read(text: str | bytes, dropped: tuple[str, ...] = ()) -> list[Found]:
    """The objects of a text, the same however it is cut into chunks."""
    raw = text.encode() if isinstance(text, str) else text
    whole = list(read_objects([raw], dropped))
    size = 1 + len(raw) // 1000
    assert list(read_objects([raw[n : n + size] for n in range(0, len(raw), size)], dropped)) == whole
    return whole


def values(text: str | bytes) -> list[dict[str, Any] | str | None]:
    return [found.reason or found.value for found in read(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', [A]),
        ('  {\n "a":\n 1\n}\n\n', [A]),
        (f"[{json.dumps(A)},{json.dumps(B)}]", [A, B]),
        (f"\n[\n {json.dumps(A, indent=1)},\n {json.dumps(B, indent=1)}\n]\n", [A, B]),
        ("[]", []),
        ("[ \n ]\n", []),
        (f"{json.dumps(A)}\n\n{json.dumps(B)}\r\n", [A, B]),
        (f"{json.dumps(A)}\n{json.dumps(B)}", [A, B]),
        ('{"a": 1}\n{"a": \n{"a": 1}', [A, "not_json", A]),
        ('{"a": 1}\n{"a": "x\n{"a": 1}', [A, "not_json", A]),
        ('{"a": 1}\n{"a": 1} {"a": 1}\n{"a": 1}', [A, "not_json", A]),
        ('{"a": 1}\n7\n"{"\nnull\n[{}]\n{"a": 1}', [A, *["not_an_object"] * 4, A]),
        ('[1, "{", null, [{}], {"a": 1}, true]', [*["not_an_object"] * 4, A, "not_an_object"]),
        (b'{"a": 1}\n{"a": "\xff"}\n', [A, "not_utf8"]),
        ('{"a": 1, "a": 2}', ["doubled_field"]),
        ('{"a": {"b": 1, "b": 1}}', ["doubled_field"]),
        ('{"a": NaN}', ["not_json"]),
        ('{"\\u0061": 1}', [A]),
        ('{"a": 1e308}', [{"a": 1e308}]),
        ('{"a": 1e400}', ["number_too_large"]),
        ('[{"a": -1e400}, {"a": 1}]', ["number_too_large", A]),
        (f'[{{"a": {"9" * 5000}}}, {{"a": 1}}]', ["number_too_large", A]),
        (f'{{"a": [{2**63 - 1}, {1 - 2**63}]}}', [{"a": [2**63 - 1, 1 - 2**63]}]),
        (f'{{"a": {2**63}}}', ["number_too_large"]),
        ('[{"a": "\\ud800"}, {"a": 1}]', ["not_utf8", A]),
        ('[{"\\uDC00": 1}, {"a": 1}]', ["not_utf8", A]),
        ('{"a": "\\uD83D\\ude00 \\\\ud800"}', [{"a": "\U0001f600 \\ud800"}]),
        (b'[{"a": "\xff"}, {"a": 1}]', ["not_utf8", A]),
        (f'[{{"a": {"[" * 40}{"]" * 40}}}, {{"a": 1}}]', ["nested_too_deep", A]),
        (f'[{{"a": "{"x" * OBJECT_LIMIT}"}}, {{"a": 1}}]', ["object_too_large", A]),
        (f'{{"a": 1}}\n{{"a": "{"x" * OBJECT_LIMIT}"}}\n{{"a": 1}}', [A, "object_too_large", A]),
        (f"[{'1' * OBJECT_LIMIT}1]", ["object_too_large"]),
    ],
)
def test_objects_and_reasons(text: str | bytes, expected: list[object]) -> None:
    assert values(text) == expected


def test_objects_are_numbered_from_one() -> None:
    assert [found.number for found in read('{"a": 1}\n\nnull\n{"a": 1}\n')] == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    ['{"a": 1', '{"a": "', "[", '[{"a": 1}', '[{"a": 1},', '[{"a": 1]', '[{"a": 1}}', "[}", " ", "", '{"a"\n:}',
     '[{"a": }]', '[{"a": "\n"}]', '[{}] {}', "{\n}\n{\n}", "a;b", '"a"', "7", "null"],
)  # fmt: skip
def test_a_document_that_is_no_json_is_refused_whole(text: str) -> None:
    with pytest.raises(DeliveryError, match="no JSON that can be read"):
        read(text)


@pytest.mark.parametrize("value", ['"x"', "7", "null", '{"deep": [{"evidence": ["}"]}]}', '["[", {}]', '"\\"}"'])
def test_what_is_dropped_is_null_and_what_stands_beside_it_is_kept(value: str) -> None:
    for text in (f'{{"evidence": {value}, "a": 1}}', f'{{"a": 1, "evidence" : {value}}}'):
        for document in (text, f"[{text}]", f"{text}\n"):
            [found] = read(document, ("evidence",))
            assert found.value == {"a": 1, "evidence": None}


def test_a_value_of_that_name_is_not_dropped() -> None:
    [found] = read('{"a": "evidence", "b": {"evidence_source": 1, "evidence": 2}}', ("evidence",))
    assert found.value == {"a": "evidence", "b": {"evidence_source": 1, "evidence": None}}


def objects(count: int, evidence: int) -> Iterator[bytes]:
    """An array of so many objects, each with so many bytes of evidence, never whole in memory."""
    piece = b"x" * 1024
    head, tail = b'{"a": 1, "evidence": [{"payload": "', b'"}]},\n'
    yield b"["
    for _ in range(count):
        yield from chain([head], repeat(piece, evidence // 1024), [tail])
    yield b'{"a": 1}]'


@pytest.mark.parametrize(("count", "evidence"), [(1000, 4096), (2, 16 * 1024 * 1024)], ids=["many", "large"])
def test_memory_is_bounded_whatever_the_size(count: int, evidence: int) -> None:
    tracemalloc.start()
    total = sum(found.value is not None for found in read_objects(objects(count, evidence), ("evidence",)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == count + 1
    assert peak < 4 * OBJECT_LIMIT


@pytest.mark.parametrize("piece", [b" " * 4096, b"[" * 4096, b"x" * 4096, b'"' * 4095, b"{" * 4096, b"\\" * 4096])
def test_memory_is_bounded_for_what_never_ends(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xarf_objects, "OBJECT_LIMIT", 64 * 1024)
    tracemalloc.start()
    with pytest.raises(DeliveryError):
        list(read_objects(chain([b"["], repeat(piece, 64))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3.5 * xarf_objects.OBJECT_LIMIT  # of the 4 that went by


scalars = st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | st.text()
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
dicts = st.dictionaries(st.text(), trees, max_size=4)


@given(st.lists(dicts, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_what_json_writes_is_read_back(expected: list[dict[str, Any]], ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(expected, ensure_ascii=ascii_only, indent=indent).encode()
    assert [found.value for found in read_objects([text])] == expected


@given(st.lists(dicts, min_size=1, max_size=4))
def test_lines_are_read_back(expected: list[dict[str, Any]]) -> None:
    text = "\n".join(json.dumps(value) for value in expected).encode()
    assert [found.value for found in read_objects([text])] == expected


@given(st.text(alphabet='{}[]",:\\\n a1é', max_size=40), st.integers(1, 5))
def test_any_text_is_read_or_refused_and_cuts_do_not_matter(text: str, size: int) -> None:
    raw = text.encode()

    def tried(chunks: list[bytes]) -> list[Found] | None:
        try:
            return list(read_objects(chunks, ("a",)))
        except DeliveryError:
            return None

    assert tried([raw]) == tried([raw[n : n + size] for n in range(0, len(raw), size)])


@given(st.text(alphabet='{}[]",:\\\n a1', max_size=40))
def test_a_document_is_never_read_otherwise_than_json_reads_it(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        return
    if not isinstance(expected, list) or not all(isinstance(value, dict) for value in expected):
        return
    found = list(read_objects([text.encode()]))
    assert [one.value for one in found if one.reason != "doubled_field"] == [
        value for value, one in zip(expected, found, strict=True) if one.reason != "doubled_field"
    ]


def test_the_limit_of_nesting_is_exact() -> None:
    def nested(depth: int) -> str:
        return '{"a": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"

    assert [values(nested(depth))[0] == "nested_too_deep" for depth in (NESTING_LIMIT, NESTING_LIMIT + 1)] == [
        False,
        True,
    ]
