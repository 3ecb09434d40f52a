"""Countries by their ISO 3166 code, however a source writes them. The libraries are loaded when first asked for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from monitor.errors import ConfigurationError

# Codes and names in use that the lists below do not have: reserved codes, former names, common short ones.
_ALSO = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "el": "GR", "holland": "NL", "turkey": "TR", "turkiye": "TR", "czech republic": "CZ", "ivory coast": "CI",
    "russian federation": "RU", "viet nam": "VN", "hong kong": "HK", "macau": "MO", "macao": "MO", "burma": "MM",
    "swaziland": "SZ", "macedonia": "MK", "republic of ireland": "IE", "eire": "IE", "usa": "US", "uae": "AE",
    "slovak republic": "SK", "taiwan": "TW", "syria": "SY", "laos": "LA", "brunei darussalam": "BN", "vatican": "VA",
    "u s a": "US", "u s": "US", "u k": "GB", "great britain uk": "GB", "kingdom of netherlands": "NL",
    "netherlands kingdom of": "NL", "hong kong s a r": "HK", "macedonia fyrom": "MK",
    "former yugoslav republic of macedonia": "MK",
}  # fmt: skip
_LANGUAGES = ("en", "nl")  # of CLDR
_NO_WORD = re.compile(r"[^\w]+")
_NOT_COUNTED = frozenset({"the", "and"})  # `Bahamas (the)`, `Trinidad & Tobago`
_KEPT = 16384

Spellings = tuple[tuple[str, str], ...]  # a source's own, and the code of each


def country_code(text: str, spellings: Spellings = ()) -> str | None:
    """The two letters of a country; None where the text is empty or no country that is known.

    A source's own spellings go first; then a code of two or three letters, then a name in English or Dutch: that of
    ISO 3166, that of CLDR, or one of a few more. Case, accents, punctuation, `the` and `and` do not count.
    """
    return _code(text, spellings) if text else None


def own_spellings(given: Mapping[str, str], where: str) -> Spellings:
    """A source's own spellings as they are compared; ConfigurationError where one stands for no country."""
    found = {}
    for text, country in given.items():
        code = country_code(country)
        if code is None or not _form(text):
            raise ConfigurationError(f"{where}: countries: {country!r} is no country; write two letters such as IE")
        found[_form(text)] = code
    return tuple(sorted(found.items()))


def home_country(text: str, where: str) -> str:
    """The code of a source's own country; ConfigurationError where it is none."""
    code = country_code(text)
    if code is None:
        raise ConfigurationError(f"{where}: home_country {text!r} is no country; write two letters such as NL")
    return code


@lru_cache(maxsize=_KEPT)
def _code(text: str, spellings: Spellings) -> str | None:
    form = _form(text)
    own = dict(spellings)
    return own.get(form) or _codes().get(form) or _names().get(form)


@lru_cache(maxsize=_KEPT)
def _form(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return " ".join(word for word in _NO_WORD.sub(" ", plain).split() if word not in _NOT_COUNTED)


@cache
def _codes() -> dict[str, str]:
    """The codes of two and of three letters."""
    from iso3166 import countries

    return {code.casefold(): country.alpha2 for country in countries for code in (country.alpha2, country.alpha3)}


@cache
def _names() -> dict[str, str]:
    """Every name and its code: only texts that are no code need them, and they take a tenth of a second to load."""
    return {_form(name): code for name, code in _spelt_out(set(_codes().values()))} | _ALSO


def _spelt_out(codes: set[str]) -> Iterator[tuple[str, str]]:
    from babel import Locale
    from iso3166 import countries

    for language in _LANGUAGES:
        yield from ((name, code) for code, name in Locale(language).territories.items() if code in codes)
    for country in countries:
        for name in {country.name, country.apolitical_name}:
            yield name, country.alpha2
            first, comma, rest = name.partition(", ")
            if comma:  # `Korea, Republic of`
                yield f"{rest} {first}", country.alpha2
