"""Canonical JSON: what is signed and hashed has one form, and why that is not the one of RFC 8785 (docs/adr/0033)."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from monitor.release.store import canonical
from monitor.score.methods import METHODS

_TEXT = st.text(st.characters(max_codepoint=0xD7FF))
_WITHOUT_FRACTIONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


def test_what_it_is() -> None:
    value = {"b": [1, 24.0, 1e-7, 1e22, None, True], "a": "é\n\u2028"}
    assert canonical(value) == '{"a":"é\\n\u2028","b":[1,24.0,1e-07,1e+22,null,true]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="Out of range float values"):
        canonical({"a": value})


@given(_WITHOUT_FRACTIONS)
def test_it_is_that_of_rfc_8785_where_there_are_no_fractions(value: object) -> None:
    assert canonical(value).encode() == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "ours", "standard"),
    [(24.0, "24.0", b"24"), (1e-7, "1e-07", b"1e-7"), (1e22, "1e+22", b"1e+22"), (1e16, "1e+16", b"10000000000000000")],
)
def test_fractions_differ_and_every_release_holds_some(value: float, ours: str, standard: bytes) -> None:
    assert (canonical(value), rfc8785.dumps(value)) == (ours, standard)


@pytest.mark.parametrize("version", METHODS)
def test_the_parameters_of_every_method_would_have_another_hash(version: str) -> None:
    parameters = json.loads(json.dumps(METHODS[version].parameters()))
    assert canonical(parameters).encode() != rfc8785.dumps(parameters)
