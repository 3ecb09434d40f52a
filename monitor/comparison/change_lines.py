"""What differs between two rows of a company, in words: each figure of its page as it was and as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Estimate
from monitor.tables.figure_lines import figure_lines
from monitor.wording import formatting
from monitor.wording.sentences import age_words
from monitor.wording.words import FIGURES, LATENESS, STANDINGS, Language, Text

_NAME = Text("Naam", "Name")
_COUNTRY = Text("Land", "Country")
_PROXY = Text("Via proxy", "Via proxy")
_YES_NO = {True: Text("ja", "yes"), False: Text("nee", "no")}
_BAND = Text("Groep", "Band")
_FEWER = Text("minder dan {below}", "fewer than {below}")
_LEFT = Text("Nog niet verwijderd na {hours}", "Not yet removed after {hours}")
_AGE = Text("Openstaand: {age}", "Outstanding: {age}")
_INTERVAL = Text("95%-BI", "95% CI")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure that reads otherwise: its name, and its words in the older and in the newer row."""

    name: str
    before: str
    after: str


def lines(old: Row, new: Row, language: Language, only: tuple[str, ...] = ()) -> tuple[Line, ...]:
    """Each figure that reads otherwise in the newer row; `only` those of these keys, where some are given.

    Where the figures are withheld in either row, only what both say is compared.
    """
    before, after = told(old, language), told(new, language)
    keys = [key for key in after if key in before and (not only or key in only)]
    if old.figures is not None and new.figures is not None:
        keys += [key for key in before if key not in after and not only]
    nothing = ("", formatting.MISSING)
    return tuple(
        Line((after.get(key) or before[key])[0], before.get(key, nothing)[1], after.get(key, nothing)[1])
        for key in keys
        if before.get(key, nothing)[1] != after.get(key, nothing)[1]
    )


def told(row: Row, language: Language) -> Mapping[str, tuple[str, str]]:
    """Name and words of every figure of a row, by key, in the order of its page; few of a withheld one."""
    item = row.figures
    standing = STANDINGS[row.standing].label[language] if row.standing else formatting.MISSING
    said = {
        "name": (_NAME[language], row.name),
        "country": (_COUNTRY[language], row.country or formatting.MISSING),
        "via_proxy": (_PROXY[language], _YES_NO[row.via_proxy][language]),
        "rank": (FIGURES["rank"].name[language], rank_words(item)),
        "standing": (FIGURES["standing"].name[language], standing),
    }
    if item is None:
        fewer = _FEWER[language].format(below=row.below)
        return said | {"episodes": (FIGURES["episodes"].name[language], fewer)}
    return said | {"band": (_BAND[language], item.band or formatting.MISSING)} | _figures(item, language)


def network_lines(old: PublicTable, new: PublicTable, language: Language) -> tuple[Line, ...]:
    """The main figures of all companies together that either table tells, also where they are the same."""
    before, after = (_network(table, language) for table in (old, new))
    told = (Line(name, said, after[name]) for name, said in before.items())
    return tuple(line for line in told if {line.before, line.after} != {formatting.MISSING})


def _network(table: PublicTable, language: Language) -> dict[str, str]:
    network = table.network
    times = {
        "on_time": formatting.share_range(network.strict.p, network.lenient.p, language),
        "median": formatting.reached(network.median_hours.value, language),
    }
    said = {FIGURES[key].name[language]: words for key, words in times.items()}
    names = {key: words.name[language] for key, words in {**FIGURES, **LATENESS}.items()}
    return said | {names[key]: formatting.count(count, language) for key, count in network.counts.items()}


def rank_words(item: Estimate | None) -> str:
    """`4 (3–6)`: the rank with its interval; a dash where there is none."""
    if item is None or item.rank is None:
        return formatting.MISSING
    if item.rank_low is None or item.rank_high is None:
        return str(item.rank)
    return f"{item.rank} ({item.rank_low}{formatting.MISSING}{item.rank_high})"


def _figures(item: Estimate, language: Language) -> dict[str, tuple[str, str]]:
    counts = {
        f"count_{key}": (words.name[language], formatting.count(getattr(item.on_time, key), language))
        for key, words in LATENESS.items()
    }
    plain = {
        line.key: (line.name, _with_interval(line.value, line.interval, language))
        for line in figure_lines(item, language)
    }
    return counts | plain | _curve(item, language) | _ages(item, language)


def _with_interval(value: str, interval: str, language: Language) -> str:
    return value if interval == formatting.MISSING else f"{value} ({_INTERVAL[language]} {interval})"


def _curve(item: Estimate, language: Language) -> dict[str, tuple[str, str]]:
    return {
        f"left_{point.t:g}": (
            _LEFT[language].format(hours=f"{point.t:g}{formatting.NARROW}{formatting.hour_word(point.t, language)}"),
            formatting.share(point.npmle, language),
        )
        for point in item.survival
    }


def _ages(item: Estimate, language: Language) -> dict[str, tuple[str, str]]:
    return {
        f"age_{age.from_hours:g}": (
            _AGE[language].format(age=age_words(age, language)),
            formatting.count(age.episodes, language),
        )
        for age in item.outstanding_by_age
    }
