"""Sentences, numbers and times in both languages: literal input, literal output."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from monitor.wording.language import EN, LANGUAGES, NL, Language, Message


@pytest.mark.parametrize(
    ("written", "dutch", "english"),
    [
        (lambda lang: lang.count(1234567), "1.234.567", "1,234,567"),
        (lambda lang: lang.count(None), "–", "–"),
        (lambda lang: lang.share(0.8416), "84,2%", "84.2%"),
        (lambda lang: lang.share(0.99999), "99,9%", "99.9%"),
        (lambda lang: lang.share(0.00001), "0,1%", "0.1%"),
        (lambda lang: lang.share(1), "100%", "100%"),
        (lambda lang: lang.share(0.0), "0%", "0%"),
        (lambda lang: lang.share(None), "–", "–"),
        (lambda lang: lang.percent(0.9), "90%", "90%"),
        (lambda lang: lang.percent(0.925), "92,5%", "92.5%"),
        (lambda lang: lang.share_range(0.5, 0.75), "50,0% – 75,0%", "50.0% – 75.0%"),
        (lambda lang: lang.share_range(0.5, 0.5), "50,0%", "50.0%"),
        (lambda lang: lang.share_range(None, 0.5), "–", "–"),
        (lambda lang: lang.hours(1234.56), "1.235 uur", "1,235 hours"),
        (lambda lang: lang.reached(None), "niet bereikt", "not reached"),
        (lambda lang: lang.hours_range(1.25, None), "meer dan 1,2 uur", "more than 1.2 hours"),
        (lambda lang: lang.hours_range(None, 3), "minder dan 3,0 uur", "less than 3.0 hours"),
        (lambda lang: lang.hours_range(1, 3), "1,0–3,0 uur", "1.0–3.0 hours"),
        (lambda lang: lang.hours_range(None, None), "–", "–"),
        (lambda lang: lang.age(95.9), "95,9 uur", "95.9 hours"),
        (lambda lang: lang.age(912), "38 dagen", "38 days"),
        (lambda lang: lang.instant("2026-07-01T02:00:00+02:00"), "1 juli 2026, 00:00 UTC", None),
        (lambda lang: lang.instant(datetime(2026, 3, 9, tzinfo=UTC)), "9 maart 2026, 00:00 UTC", None),
        (lambda lang: lang.period("2022Q2"), "2e kwartaal 2022", "second quarter of 2022"),
        (lambda lang: lang.period("2026-03-11..2026-04-11"), "11 maart 2026 tot 11 april 2026", None),
        (lambda lang: lang.period("2026"), "2026", "2026"),
        (lambda lang: lang.short_period("2022Q2"), "2022-Q2", "2022-Q2"),
    ],
)  # fmt: skip
def test_figures_read_as_they_should(written: object, dutch: str, english: str | None) -> None:
    assert callable(written)
    assert written(NL).replace("\u00a0", " ") == dutch
    assert english is None or written(EN).replace("\u00a0", " ") == english


@given(st.floats(0, 1), st.sampled_from(LANGUAGES))
def test_only_exact_shares_read_as_none_or_all(value: float, language: Language) -> None:
    """Exact up to what a sum of floats leaves."""
    text = language.share(value)
    assert (text == "100%") == (value > 1 - 1e-9)
    assert (text == "0%") == (value < 1e-9)


def numbers(text: str) -> list[float]:
    """The numbers in an English text, in their order."""
    return [float(number.replace(",", "")) for number in re.findall(r"[-−]?[\d,]*\.?\d+", text)]


@given(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))
def test_a_range_of_shares_is_ordered_and_within_0_and_100(one: float, other: float) -> None:
    said = numbers(EN.share_range(one, other))
    assert len(said) in (1, 2)
    assert said == sorted(said)
    assert all(0 <= number <= 100 for number in said)


@given(st.none() | st.floats(-10, 1e6), st.none() | st.floats(-10, 1e6))
def test_a_range_of_hours_is_ordered_and_never_below_0(one: float | None, other: float | None) -> None:
    said = numbers(EN.hours_range(one, other))
    assert said == sorted(said)
    assert all(number >= 0 for number in said)


def test_what_floats_leave_of_nothing_reads_as_nothing() -> None:
    assert EN.share(2.8e-17) == "0%"
    assert EN.share(-2.8e-17) == "0%"
    assert EN.share(1 + 2e-16) == "100%"
    assert EN.share_range(0.625, 0.598).replace("\u00a0", " ") == "59.8% – 62.5%"


@given(st.floats(-1e15, 1e15) | st.floats(0, 1000), st.integers(0, 4))
def test_a_number_is_rounded_as_the_binary_number_that_it_is(value: float, digits: int) -> None:
    """Babel rounds the decimal form that a number is written in, which for 0.35 is another tenth."""
    assert EN.decimal(value, digits) == f"{value:,.{digits}f}"
    assert NL.decimal(value, digits).translate(str.maketrans(".,", ",.")) == f"{value:,.{digits}f}"


@given(st.integers(-(10**18), 10**18))
def test_a_count_has_every_digit(value: int) -> None:
    assert EN.count(value) == f"{value:,}"
    assert NL.count(value) == f"{value:,}".replace(",", ".")


def test_a_sentence_is_translated_with_its_values() -> None:
    below = Message("fewer than {below}")
    assert [language.gettext(below, below=10) for language in LANGUAGES] == ["minder dan 10", "fewer than 10"]
    assert EN.gettext("a sentence {with} braces and no value") == "a sentence {with} braces and no value"
    assert NL.gettext("a sentence that nobody translated: {n}", n=1) == "a sentence that nobody translated: 1"


def test_a_text_with_two_meanings_has_a_context() -> None:
    assert NL.gettext("hours") == "uur"
    assert NL.gettext(Message("hours", "unit of a figure")) == "uren"
    assert EN.gettext(Message("hours", "unit of a figure")) == "hours"


@pytest.mark.parametrize(
    ("n", "dutch", "english"), [(0, "0 bedrijven", "0 companies"), (1, "1 bedrijf", "1 company"),
                                (1234, "1.234 bedrijven", "1,234 companies")],
)  # fmt: skip
def test_a_number_of_things_has_the_form_of_its_number(n: int, dutch: str, english: str) -> None:
    assert NL.ngettext("{n} company", "{n} companies", n) == dutch
    assert EN.ngettext("{n} company", "{n} companies", n) == english


def test_wording_and_values_are_escaped_for_html_but_markup_is_not() -> None:
    link = Markup('<a href="#x">x</a>')
    assert EN.markup("{a} < {b}", a="<b>", b=link) == '&lt;b&gt; &lt; <a href="#x">x</a>'
    assert EN.nmarkup("{n} & {x}", "{n} && {x}", 2, x="'") == "2 &amp;&amp; &#39;"


def test_a_list_reads_as_a_list() -> None:
    assert [NL.listed(list("abc")[:n]) for n in (1, 2, 3)] == ["a", "a en b", "a, b en c"]
    assert EN.listed(list("abc")) == "a, b and c"


def test_hours_of_several_numbers_keep_their_unit() -> None:
    assert NL.in_hours("1, 4, 12") == "1, 4, 12\u00a0uur"
    assert EN.in_hours("1", one=True) == "1\u00a0hour"
    assert EN.deadline(24.0) == "24\u00a0hours"


def test_a_language_reads_as_its_code() -> None:
    assert [f"{language}" for language in LANGUAGES] == ["nl", "en"]
