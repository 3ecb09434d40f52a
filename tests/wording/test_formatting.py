"""Numbers and times in both languages: literal input, literal output."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.wording import formatting
from monitor.wording.words import Language


@pytest.mark.parametrize(
    ("written", "dutch", "english"),
    [
        (lambda lang: formatting.count(1234567, lang), "1.234.567", "1,234,567"),
        (lambda lang: formatting.count(None, lang), "–", "–"),
        (lambda lang: formatting.share(0.8416, lang), "84,2%", "84.2%"),
        (lambda lang: formatting.share(0.99999, lang), "99,9%", "99.9%"),
        (lambda lang: formatting.share(0.00001, lang), "0,1%", "0.1%"),
        (lambda lang: formatting.share(1, lang), "100%", "100%"),
        (lambda lang: formatting.share(0.0, lang), "0%", "0%"),
        (lambda lang: formatting.share(None, lang), "–", "–"),
        (lambda lang: formatting.percent(0.9, lang), "90%", "90%"),
        (lambda lang: formatting.percent(0.925, lang), "92,5%", "92.5%"),
        (lambda lang: formatting.share_range(0.5, 0.75, lang), "50,0% – 75,0%", "50.0% – 75.0%"),
        (lambda lang: formatting.share_range(0.5, 0.5, lang), "50,0%", "50.0%"),
        (lambda lang: formatting.share_range(None, 0.5, lang), "–", "–"),
        (lambda lang: formatting.hours(1234.56, lang), "1.235 uur", "1,235 hours"),
        (lambda lang: formatting.reached(None, lang), "niet bereikt", "not reached"),
        (lambda lang: formatting.hours_range(1.25, None, lang), "meer dan 1,2 uur", "more than 1.2 hours"),
        (lambda lang: formatting.hours_range(None, 3, lang), "minder dan 3,0 uur", "less than 3.0 hours"),
        (lambda lang: formatting.hours_range(1, 3, lang), "1,0–3,0 uur", "1.0–3.0 hours"),
        (lambda lang: formatting.hours_range(None, None, lang), "–", "–"),
        (lambda lang: formatting.age(95.9, lang), "95,9 uur", "95.9 hours"),
        (lambda lang: formatting.age(912, lang), "38 dagen", "38 days"),
        (lambda lang: formatting.instant("2026-07-01T02:00:00+02:00", lang), "1 juli 2026, 00:00 UTC", None),
        (lambda lang: formatting.instant(datetime(2026, 3, 9, tzinfo=UTC), lang), "9 maart 2026, 00:00 UTC", None),
        (lambda lang: formatting.period("2022Q2", lang), "2e kwartaal 2022", "second quarter of 2022"),
        (lambda lang: formatting.period("2026-03-11..2026-04-11", lang), "11 maart 2026 tot 11 april 2026", None),
        (lambda lang: formatting.period("2026", lang), "2026", "2026"),
        (lambda lang: formatting.short_period("2022Q2", lang), "2022-Q2", "2022-Q2"),
    ],
)  # fmt: skip
def test_figures_read_as_they_should(written: object, dutch: str, english: str | None) -> None:
    assert callable(written)
    assert written("nl").replace("\u00a0", " ") == dutch
    assert english is None or written("en").replace("\u00a0", " ") == english


@given(st.floats(0, 1), st.sampled_from(["nl", "en"]))
def test_only_exact_shares_read_as_none_or_all(value: float, language: Language) -> None:
    text = formatting.share(value, language)
    assert (text == "100%") == (value == 1)
    assert (text == "0%") == (value == 0)
