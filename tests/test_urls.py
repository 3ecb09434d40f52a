"""What one item is: the examples of the method, in both languages, and what holds of every URL."""

from __future__ import annotations

import re
import string
from pathlib import Path

import can_ada
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.formats.fast_path import hosts_of
from monitor.suffixes import suffixes_version
from monitor.urls import DEFANGED, NotAUrlError, Url, address_of, http_target, parse_url, site_of, trimmed

ROOT = Path(__file__).parents[1]
HEADS = {"method.md": "| delivered |", "method.nl.md": "| geleverd |"}
UNDONE = {"method.md": "undone", "method.nl.md": "hersteld"}
ROW = re.compile(
    r"\| `([^`]*)` \| (?:`([^`]*)`(?: \((\w+)\))?|(?:quarantined|in quarantaine): `(\w+)`) \| (?:`(\S+)` )?\|"
)


def examples(name: str) -> list[tuple[str, ...]]:
    """The lines of the table: what was delivered, its canonical form, whether it was undone, the reason, the site."""
    lines = (ROOT / "docs" / name).read_text("utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(HEADS[name])) + 2
    rows = lines[begin : lines.index("", begin)]
    found = [ROW.fullmatch(row) for row in rows]
    assert all(found), [row for row, match in zip(rows, found, strict=True) if not match]
    return [match.groups("") for match in found if match]


EXAMPLES = examples("method.md")


@pytest.mark.parametrize(("delivered", "text", "undone", "reason", "site"), EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_an_example_of_the_method(delivered: str, text: str, undone: str, reason: str, site: str) -> None:
    if reason:
        with pytest.raises(NotAUrlError) as caught:
            parse_url(delivered)
        assert (caught.value.reason, text, site) == (reason, "", "")
        return
    found = parse_url(delivered)
    assert (found.text, found.flag, site_of(found.host)) == (text, DEFANGED if undone else None, site)


def test_there_are_enough_examples_and_they_are_the_same_in_dutch() -> None:
    assert len(EXAMPLES) >= 60
    dutch = examples("method.nl.md")
    assert [(*row[:2], bool(row[2]), *row[3:]) for row in dutch] == [
        (*row[:2], bool(row[2]), *row[3:]) for row in EXAMPLES
    ]
    assert {row[2] for row in dutch} == {"", UNDONE["method.nl.md"]}
    assert {row[3] for row in EXAMPLES} == {
        "",
        "defanged",
        "not_a_url",
        "not_a_web_scheme",
        "not_one_url",
        "url_without_host",
    }


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "http://", "http://[::1", "//x/y", "tftp://s1.example/", "a[.]b", "\ud800", "http://\ud800/"],
)
def test_what_is_no_url_is_said_to_be_none_without_repeating_it(text: str) -> None:
    with pytest.raises(NotAUrlError) as caught:
        parse_url(text)
    assert text == "" or text not in str(caught.value)


_WORD = st.text(
    st.sampled_from(string.ascii_letters + string.digits + "-._~%!$&'()*+,;=:@/?#[]{}\\^|\" <>éß漢\t\x7f"), max_size=12
)
_HOSTS = st.sampled_from(
    [
        "s1.example",
        "S1.Example",
        "a-b.s1.example.",
        "192.0.2.7",
        "0300.0.2.7",
        "[2001:DB8::7]",
        "é.example",
        "a_b",
        "a..b",
    ]
)
_URLS = st.builds(
    "{}{}{}{}/{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTPS://", "ftp://", "http:", "hxxp://", "hxxps[:]//", "foo://", ""]),
    st.sampled_from(["", "", "user@", "u:p%7e@"]),
    _HOSTS | _WORD,
    st.sampled_from(["", "", ":80", ":443", ":8080", ":99999"]),
    st.sampled_from(["", "%7e%2F", "a/../b", "a/%2e%2E/b", "%zz", "x[.]y"]) | _WORD,
    st.sampled_from(["", "?", "?a=b c", "?%e9"]) | _WORD.map(lambda text: "?" + text),
    st.sampled_from(["", "#", "#x", "#!x", "#/%7e", "#!%"]) | _WORD.map(lambda text: "#" + text),
)


def canonical(text: str) -> Url | None:
    """The canonical form, None where there is none."""
    try:
        return parse_url(text)
    except NotAUrlError:
        return None


@given(_URLS)
@example("http://a.example/x?#!y")
@example("http://a.example/%252e%252e/")
def test_the_canonical_form_is_its_own_and_one_that_the_standard_takes(text: str) -> None:
    found = canonical(text)
    if found is None:
        return
    assert canonical(found.text) == (found.text, found.host, None)
    assert can_ada.parse(found.text).href.replace("^", "%5E") == found.text.replace("^", "%5E")
    assert found.text.isascii()
    assert found.text.isprintable()
    assert " " not in found.text
    assert re.fullmatch(r"(https?|ftp)://[^#]*(#[!/].*)?", found.text)
    for escape in re.findall(r"%[0-9A-Fa-f]{2}", found.text):
        assert escape == escape.upper()
        assert chr(int(escape[1:], 16)) not in string.ascii_letters + string.digits + "-._~"
    assert found.host == found.host.lower()
    assert site_of(found.host)


@given(_URLS)
def test_the_fast_path_takes_only_what_is_canonical_as_it_stands(text: str) -> None:
    hosts, irregular = hosts_of([text])
    if not irregular:
        assert canonical(text) == (text, hosts[0], None)


@given(
    st.lists(st.sampled_from("abz09-"), min_size=1, max_size=5).map("".join),
    st.sampled_from(["[.]", "(.)", "{.}", "[dot]", "(DOT)", "[ . ]"]),
)
def test_a_defanged_url_is_the_same_item(label: str, dot: str) -> None:
    label = f"x{label}x".replace("--", "-")
    plain = parse_url(f"https://{label}.s1.example/a/b.jpg")
    assert parse_url(f"hxxps://{label}{dot}s1{dot}example/a/b.jpg") == plain._replace(flag=DEFANGED)
    assert parse_url(f"https[:]//{label}{dot}s1.example/a/b.jpg") == plain._replace(flag=DEFANGED)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{:d}", "0x{:x}", "0X{:X}", "0{:o}"]))
def test_every_notation_of_an_ipv4_address_is_that_address(number: int, notation: str) -> None:
    usual = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
    found = parse_url(f"http://{notation.format(number)}/x")
    assert (found.text, found.host, address_of(found.host), site_of(found.host)) == (f"http://{usual}/x", *[usual] * 3)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("2001:DB8::7", "2001:db8::7"),
        ("::ffff:192.0.2.1", "::ffff:c000:201"),
        ("::ffff:c000:201", "::ffff:c000:201"),
        ("0300.0.2.1", None),
        ("fe80::1%eth0", "fe80::1"),  # a zone is a link of the sender's machine
        ("2001:db8::7%a.example", "2001:db8::7"),
        ("192.0.2.7%1", None),
        ("a.example", None),
        ("1" * 300, None),
    ],
)
def test_what_is_an_address_in_a_column_of_addresses(text: str, address: str | None) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", (False, "a.example", 80, True, "/")),
        ("https://u:p@a.example:8443/a b?q=é#x", (True, "a.example", 8443, False, "/a%20b?q=%C3%A9")),
        ("https://[2001:db8::7]/", (True, "2001:db8::7", 443, True, "/")),
        ("ftp://a.example/x", None),
    ],
)
def test_how_a_url_is_asked_for(url: str, target: tuple[object, ...] | None) -> None:
    assert http_target(url) == target


@pytest.mark.parametrize("sign", ["\u200b", "\u200e", "\u202a", "\u2060", "\ufeff", "\u00a0", "\u2003", "\t", "\u00ad"])
def test_what_cannot_be_seen_is_no_part_of_a_text_at_its_ends_only(sign: str) -> None:
    assert trimmed(f"{sign}a{sign}{sign}") == "a"
    assert trimmed(f"a{sign}b") == f"a{sign}b"
    assert parse_url(f"{sign}https://a.example/x{sign}") == Url("https://a.example/x", "a.example")


def test_the_list_of_suffixes_is_dated() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d_\S+", suffixes_version())


@pytest.mark.parametrize(
    "text", ["hxxp://" + "[.]" * 4 + "(", "hxxp://[.][a[.", "hxxp://a[.]b(:)8(.", "hxxp://" + "[.]a" * 50]
)
def test_marks_that_are_left_open_are_no_error_of_the_program(text: str) -> None:
    canonical(text)
