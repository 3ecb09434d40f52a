"""No regular expression takes longer than its text is long: each one of the code base, on strings made against it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import BuiltinMethodType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import clear_text, urls
from monitor.formats import urlhaus
from monitor.formats.fast_path import LineLayout
from monitor.formats.scart import ntd, report
from monitor.logs import RedactingLogRecord, redacted
from monitor.release import checkpoints
from monitor.tables import columns
from tests.attack.pumping import LINE_LIMIT, Pumped, Use, families, seconds

ROOT = Path(__file__).parents[2]
PACKAGES = ("monitor", "spiders", "web", "reports")
METHODS = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer")
SHORT = 4096
_STARTED = 0.000_5  # seconds: less than this says nothing
_GROWTH = 9.0  # four times the length may take four times as long, and twice that for a machine that is shared
_FEW, _MUCH_FOR_FEW = 24, 0.01  # what doubles with each of so many takes longer than so many seconds
_SLOWEST = 3  # families that are tried at full length


@cache
def _files() -> Sequence[tuple[str, Sequence[ast.AST]]]:
    """Each file of the product, and everything that stands in it."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [(str(path.relative_to(ROOT)), list(ast.walk(ast.parse(path.read_text("utf-8"))))) for path in paths]


def _calls(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.Call]]:
    """Calls of `re.compile` and its like."""
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "re" and node.func.attr in ("compile", *METHODS):
                yield node.func.attr, node


def _compiled(call: ast.Call) -> re.Pattern[Any] | None:
    """The expression, where it stands in the code; None where it is put together at run time."""
    pattern = call.args[0]
    if not isinstance(pattern, ast.Constant):
        return None
    flags = [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "flags")]
    found = [getattr(re, flag.attr, None) for flag in flags if isinstance(flag, ast.Attribute)]
    assert isinstance(pattern.value, str | bytes)
    return re.compile(pattern.value, sum(flag for flag in found if isinstance(flag, re.RegexFlag)))


def _methods_by_name() -> dict[tuple[str, str], set[str]]:
    """What is called on each name: `_FIELD.match` says that `_FIELD` matches. Of a private name, in its own file."""
    found = defaultdict[tuple[str, str], set[str]](set)
    for path, nodes in _files():
        for node in nodes:
            if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
                name = node.value.id
                found[path if name.startswith("_") else "", name].add(node.attr)
    return found


def _names(nodes: Iterable[ast.AST]) -> dict[ast.AST, str]:
    """The name that each value is assigned to."""
    assigned = (node for node in nodes if isinstance(node, ast.Assign))
    return {node.value: node.targets[0].id for node in assigned if isinstance(node.targets[0], ast.Name)}


def _known(methods: Mapping[tuple[str, str], set[str]], path: str, name: str) -> set[str]:
    return methods.get((path if name.startswith("_") else "", name), {"fullmatch", "match"})


def _in_the_code() -> Iterator[Use]:
    """A constant that is used by its name is used in those ways; any other is tried in each way there is."""
    methods = _methods_by_name()
    for path, nodes in _files():
        names = _names(nodes)
        for method, call in _calls(nodes):
            pattern = _compiled(call)
            known = {method} if method != "compile" else _known(methods, path, names.get(call, ""))
            if pattern is not None:
                yield from (Use(pattern, known_method, f"{path}:{call.lineno}") for known_method in sorted(known))


def _at_run_time() -> Iterator[Use]:
    """What is put together from constants: plain lines of the two formats, and the forms of unquoted columns."""
    for name, layout in {
        "ntd": LineLayout({}, len(ntd.NTD_COLUMNS), separator=";", end=";"),
        "urlhaus": LineLayout({}, len(urlhaus.COLUMNS), separator=","),
        "a thousand columns": LineLayout({}, 1000, separator=","),
    }.items():
        yield Use(layout.pattern(), "fullmatch", f"a plain line of {name}")
    yield Use(clear_text._SCHEME, "search", "a scheme")
    yield Use(clear_text._DEFANGED, "sub", "a defanged text")
    yield Use(urls._MARK, "search", "a defanged mark")
    yield Use(urls._MARK, "sub", "a defanged mark")
    yield Use(urls._BEGIN, "match", "a defanged beginning")
    yield Use(urls._AUTHORITY, "match", "a defanged authority")
    yield Use(urls._SLASH_MARK_AT_START, "match", "a defanged slash")
    for pattern, _ in columns._PATTERNS:
        yield Use(pattern, "fullmatch", f"columns of the open data: {pattern.pattern}")
    yield Use(checkpoints._TEXT, "fullmatch", "the head of an audit log")
    for name, form in report._FORMS.items():
        if isinstance(form, BuiltinMethodType):
            assert isinstance(form.__self__, re.Pattern)
            yield Use(form.__self__, form.__name__, f"the column {name} of report")


USES = [*_in_the_code(), *_at_run_time()]


def test_each_expression_is_known_here() -> None:
    made_at_run_time = [path for path, nodes in _files() for _, call in _calls(nodes) if _compiled(call) is None]
    assert made_at_run_time == [
        "monitor/clear_text.py",
        "monitor/clear_text.py",
        "monitor/formats/fast_path.py",
        "monitor/formats/scart/report.py",
        "monitor/release/checkpoints.py",
        "monitor/tables/columns.py",
        *["monitor/urls.py"] * 4,
    ]
    for path, nodes in _files():
        imported = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
        assert "re" not in imported, f"{path} takes something out of `re`, which the search here does not see"
    assert len({use.pattern for use in USES}) > 50
    assert {use.method for use in USES} >= {"fullmatch", "match", "search", "sub", "findall"}


def _grows(use: Use, family: Pumped, length: int) -> tuple[float, float]:
    """Seconds at a length, and how many times that of a quarter of it; measured again where it looks too much."""
    long, short = family.of(length), family.of(length // 4)
    took, growth = seconds(lambda: use.run(long), 1), 0.0
    for times in (2, 4, 8):
        if took < _STARTED:
            break
        took = min(took, seconds(lambda: use.run(long), times))
        growth = took / max(seconds(lambda: use.run(short), times), 1e-7)
        if growth < _GROWTH:
            break
    return took, growth


def worse_than_linear(use: Use) -> list[str]:
    """What shows that the expression is; nothing where it is not."""
    found = list[tuple[float, Pumped]]()
    for family in families(use.pattern):
        few = family.of(_FEW * len(family.pump))
        if seconds(lambda: use.run(few), 1) > _MUCH_FOR_FEW and seconds(lambda: use.run(few)) > _MUCH_FOR_FEW:  # noqa: B023
            return [f"{use}: {_FEW} of {family} take over {_MUCH_FOR_FEW} s"]
        took, growth = _grows(use, family, SHORT)
        if took > _STARTED and growth > _GROWTH:
            return [f"{use}: {family} of {SHORT} takes {growth:.0f} times as long as a quarter of it"]
        found.append((took, family))
    slowest = sorted(found, key=lambda one: -one[0])[:_SLOWEST]
    for length in (4 * SHORT, 16 * SHORT, LINE_LIMIT):
        for _, family in slowest:
            took, growth = _grows(use, family, length)
            if took > _STARTED and growth > _GROWTH:
                return [f"{use}: {family} of {length} takes {growth:.0f} times as long as a quarter of it"]
    return []


@pytest.mark.parametrize("use", USES, ids=str)
def test_it_takes_no_longer_than_its_text_is_long(use: Use) -> None:
    assert worse_than_linear(use) == []


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (re.compile(r'"((?:[^"\\]|\\.)*)"(?:;|$)|;', re.DOTALL), "finditer"),
        (re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*|h\w\wps?)(?::|\[:\]|%3a)(?://|%2f%2f)\S*"), "sub"),
        (re.compile(r"(?i)\b(?:[a-z0-9_-]{1,63}\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]+)\b(?::\d+)?(?:/\S*)?"), "sub"),
        (re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"), "fullmatch"),
        (re.compile(r"^\s*(--[\w-]+):\s*([^;]+);", re.MULTILINE), "finditer"),
        (re.compile(r"(a|b)*(ba)*c"), "fullmatch"),
        (re.compile(r"\s+$"), "search"),
        (re.compile(rb"(\w+\.?)+:"), "match"),
        (re.compile(r"^(a|a)*$"), "match"),
    ],
)
def test_the_ones_there_were_and_other_bad_ones_are_found(pattern: re.Pattern[Any], method: str) -> None:
    assert worse_than_linear(Use(pattern, method, "bad")) != []


_OLD_ADDRESS = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*|h\w\wps?)(?::|\[:\]|%3a)(?://|%2f%2f)\S*")
_OLD_HOST = re.compile(r"(?i)\b(?:[a-z0-9_-]{1,63}\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]+)\b(?::\d+)?(?:/\S*)?")
_TEXTS = st.lists(
    st.sampled_from([*"aK7éſ.-_+:/ %[]()=;", "://", "http", "hxxps", "[:]//", "%3A%2F%2f", ".example", "xn--", "\n"]),
    max_size=14,
).map("".join)


@given(_TEXTS)
def test_nothing_is_logged_that_was_hidden_before(text: str) -> None:
    """The expressions of logs were made anew: they hide no less."""
    assert not _OLD_ADDRESS.search(redacted(text).replace("<address>", " "))
    record = RedactingLogRecord("library", 20, "file", 1, text.replace("%", "%%"), None, None)
    assert not _OLD_HOST.search(record.getMessage().replace("<address>", " "))


def test_a_long_message_is_logged_in_time() -> None:
    """22 seconds for 40 kB once."""
    for unit in ("a+", "a.", "a-", "h__ps:", "1:", "1.", "a:/", "[:]", "%3a"):
        text = unit * (LINE_LIMIT // len(unit))
        hide = RedactingLogRecord("library", 20, "file", 1, "", None, None)._hide
        assert seconds(lambda: hide(text, ours=False), 1) < 5, unit  # noqa: B023 -- called at once
