"""A report is held against the schema of its type alone: the field that is named is the one the whole library names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from xarf import schema_validator

from monitor.formats import xarf_schema
from monitor.formats.rows import RowError
from monitor.formats.xarf_schema import has_unknown_type, refuse_invalid, refuse_other_categories
from tests.support.costs import costs_at_most

SAMPLES = [json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "samples" / "xarf").glob("v4-*"))]
_REQUIRED = re.compile(r"'(\w+)' is a required property", re.ASCII)


def refused(report: dict[str, Any]) -> tuple[str, str | None] | None:
    try:
        refuse_invalid(report)
    except RowError as error:
        return error.reason, error.column
    return None


def refused_by_library(report: dict[str, Any]) -> tuple[str, str | None] | None:
    """What the library's own validator says, which looks at every type."""
    errors = schema_validator.validate(report)
    if not errors:
        return None
    missing = next((error for error in errors if _REQUIRED.fullmatch(error.message)), None)
    if missing is None:
        field = next((error.field for error in errors if error.field), "")
        return "bad_field", xarf_schema._known_path(field)
    [name] = _REQUIRED.findall(missing.message)
    return "missing_field", xarf_schema._known_path(f"{missing.field}.{name}".lstrip("."))


fields = sorted({name for sample in SAMPLES for name in sample} | {"nameservers", "dns_records", "asn", "country_code"})
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.just("content"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*fields, "x"]), inner, max_size=3),
    max_leaves=5,
)


names = st.sampled_from(fields)


@given(st.sampled_from(SAMPLES), st.dictionaries(names, values, max_size=3), st.sets(names, max_size=2))
def test_the_field_is_the_one_the_library_names(
    sample: dict[str, Any], changed: dict[str, Any], gone: set[str]
) -> None:
    report = {name: value for name, value in (sample | changed).items() if name not in gone}
    try:
        refuse_other_categories(report)
    except RowError:
        return
    assume(not has_unknown_type(report))  # the library refuses it, without a field; here a later version may have it
    assert refused(report) == refused_by_library(report)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["type"]))
def test_every_type_has_its_schema(sample: dict[str, Any]) -> None:
    assert refused(sample) is None
    assert refused(sample | {"url": None}) == ("bad_field", "url")


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_type_is_none(blank: str) -> None:
    """A type that nobody knows may be of a later version; a blank one is of no version."""
    assert refused(SAMPLES[0] | {"type": blank}) == ("missing_field", "type")
    assert refused(SAMPLES[0] | {"type": "of_a_later_version"}) is None


def test_of_a_hundred_thousand_errors_few_are_looked_for() -> None:
    def look(count: int) -> None:
        assert refused(SAMPLES[0] | {"nameservers": [7] * count}) == ("bad_field", "nameservers.0")

    look(10)
    assert costs_at_most(lambda: look(100_000), 20, lambda: look(100), 0.1)
