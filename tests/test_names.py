"""Names: which texts name nobody, and which names are alike; countries however they are written."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.countries import country_code, home_country, own_spellings
from monitor.errors import ConfigurationError
from monitor.names import alias_form, matching_form, named, names_nobody, without_legal_form

NOBODY = (
    "", "-", "--", "?", "unknown", "UNKNOWN", "(UNKNOWN)", "(unknown)", "(not set)", "(not set))", "(OWNER EMPTY?!)",
    "(UNKNOWN?! - CHECK RAW DATA)", "n/a", "N.A.", "NA", "none", "<none>", "NULL", "nil", "onbekend", "n.v.t.",
    "unbekannt",
    "inconnu", "REDACTED FOR PRIVACY", "Redacted for GDPR privacy", "Data Protected", "Not Disclosed", "GDPR Masked",
    "Statutory Masking Enabled", "Withheld for Privacy", "Registrant of Record", "Private Person", "not_available",
    "Please query the RDDS service of the Registrar of Record identified in this output for information",
)  # fmt: skip
SOMEBODY = (
    "Golf Hosting", "Unknown Worlds Hosting", "None Hosting B.V.", "Private Layer", "Privacy Hosting",
    "Protected Hosting", "Nil Networks", "Data Protection Hosting", "AG", "1", "Ö", "Не Хостинг",
)  # fmt: skip


@pytest.mark.parametrize("text", NOBODY)
def test_texts_that_name_nobody(text: str) -> None:
    assert names_nobody(text)
    assert named(text) is None


@pytest.mark.parametrize("text", SOMEBODY)
def test_names_that_only_look_like_them(text: str) -> None:
    assert named(text) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Golf Hosting B.V.", "golf hosting"),
        ("Golf Hosting BV", "GOLF-HOSTING b.v."),
        ("GolfHosting", "Golf  Hosting, Inc."),
        ("Müller-Net GmbH & Co. KG", "Muller Net"),
        ("Søndre Fjord A/S", "sondre fjord as"),
        ("Hébergement Océan S.à r.l.", "SARL Hebergement Ocean"),
        ("Łąka Sp. z o.o.", "LAKA"),
        ("Golf Pty Ltd", "Golf Limited"),
        ("Golf UG (haftungsbeschränkt)", "Golf"),
        ("L'Orage SAS", "LOrage"),
        ("OOO Golf", "Golf"),
    ],
)
def test_names_that_are_alike(one: str, other: str) -> None:
    assert matching_form(one) == matching_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Golf Hosting", "Golf Cloud"),
        ("Golf 1", "Golf 2"),
        ("Müller", "Mueller"),
        ("Golf Hosting", "Golf"),
        ("BV Hosting", "Hosting"),
        ("AG", "SE"),
        ("Drop & Duin", "Drop en Duin"),
    ],
)
def test_names_that_are_not(one: str, other: str) -> None:
    assert matching_form(one) != matching_form(other)


@given(st.text())
def test_a_form_has_itself_for_its_form_and_no_name_is_emptied(text: str) -> None:
    assert alias_form(alias_form(text)) == alias_form(text)
    words = without_legal_form(text)
    assert without_legal_form(words) == words or matching_form(words)
    assert bool(matching_form(text)) == any(sign.isalnum() for sign in words)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_names_that_are_the_same_to_the_registry_are_alike(text: str) -> None:
    assert matching_form(text.upper()) == matching_form(text.upper().casefold())
    assert names_nobody(text) == names_nobody(f" {text} ")


_ISO_NETHERLANDS = ("Netherlands (Kingdom of the)", "Netherlands, Kingdom of the")  # as ISO 3166 has it since 2022
COUNTRIES = {
    "MD": ("Moldova (the Republic of)", "Moldova, Republic of"),
    "TT": ("Trinidad & Tobago", "Trinidad and Tobago"),
    "NL": (
        "NL",
        "nl",
        "NLD",
        "Netherlands",
        "the Netherlands",
        "NETHERLANDS",
        "Nederland",
        "Holland",
        *_ISO_NETHERLANDS,
    ),
    "IE": ("IE", "ie", "IRL", "Ireland", "ireland", "Ierland", "Republic of Ireland"),
    "GB": ("GB", "UK", "United Kingdom", "Great Britain"),
    "KR": ("South Korea", "Korea, Republic of", "Republic of Korea"),
    "US": (
        "USA",
        "US",
        "United States",
        "The United States of America",
        "Verenigde Staten",
        "U.S.A.",
        "United States (the)",
    ),
    "CI": ("Côte d’Ivoire", "cote d'ivoire", "Ivory Coast"),
    "TR": ("Türkiye", "Turkey", "Turkije"),
    "CZ": ("Czechia", "Czech Republic", "Tsjechië"),
    "NA": ("NA", "Namibia"),
}
NO_COUNTRY = ("", "unknown", "(unknown)", "EU", "AP", "ZZ", "XX", "Europe", "-", "?", "AN", "ABC", "n/a")


@pytest.mark.parametrize("code", COUNTRIES)
def test_a_country_however_it_is_written(code: str) -> None:
    assert {country_code(text) for text in COUNTRIES[code]} == {code}


def test_what_is_no_country() -> None:
    assert [country_code(text) for text in NO_COUNTRY] == [None] * len(NO_COUNTRY)


def test_a_sources_own_spellings_go_first() -> None:
    own = own_spellings({"An tSaoirse": "IE", "EU": "nl"}, "here")
    assert [country_code(text, own) for text in ("an tsaoirse", "EU", "Ireland")] == ["IE", "NL", "IE"]
    with pytest.raises(ConfigurationError, match="here: countries: 'nowhere' is no country; write two letters"):
        own_spellings({"x": "nowhere"}, "here")
    assert home_country("Ireland", "here") == "IE"
    with pytest.raises(ConfigurationError, match="here: home_country 'Europe' is no country"):
        home_country("Europe", "here")


def test_nothing_is_loaded_before_a_country_is_asked_for() -> None:
    code = "import monitor.countries, monitor.names, sys; print({'iso3166', 'babel'} & sys.modules.keys())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
