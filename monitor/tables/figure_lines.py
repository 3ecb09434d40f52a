"""Every figure of one company as lines of a table, and what is certain about them and what is not."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.disclosure.rows import Row, Unattributed, volume
from monitor.score.table import Bounds, Estimate, Quantile
from monitor.wording import formatting
from monitor.wording.words import FIGURES, Language, Text


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure in words: its name, value, interval (or a dash) and meaning."""

    key: str
    name: str
    value: str
    interval: str
    help: str


def figure_lines(item: Estimate, language: Language) -> tuple[FigureLine, ...]:
    """All figures of a company, in the order of the page and the report."""
    timing = item.on_time
    values: dict[str, tuple[str, str]] = {
        "on_time": (
            formatting.share_range(timing.strict.p, timing.lenient.p, language),
            formatting.share_range(timing.lenient.low, timing.lenient.high, language),
        ),
        "median": quantile_words(item.median_hours, language),
        "p90": quantile_words(item.p90_hours, language),
        "mean_online": (bounds_words(item.mean_online_hours_7d, language), formatting.MISSING),
        "oldest": (formatting.age(item.oldest_hours, language), formatting.MISSING),
        "exposure": (formatting.hours(item.exposure_hours, language), formatting.MISSING),
    }
    if item.score is not None:
        values["score"] = (formatting.decimal(item.score, language), formatting.MISSING)
    counts = {name: (formatting.count(value, language), formatting.MISSING) for name, value in _counts(item).items()}
    counts["volume"] = (formatting.ratio(volume(item), language), formatting.MISSING)
    return tuple(_line(key, *pair, language) for key, pair in (values | counts).items())


def _counts(item: Estimate) -> dict[str, int]:
    names = (
        "episodes sites notices renotices outstanding overdue unverified relocated reappeared refused".split()  # noqa: SIM905
    )
    return {name: getattr(item, name) for name in names}


def _line(key: str, value: str, interval: str, language: Language) -> FigureLine:
    return FigureLine(key, FIGURES[key].name[language], value, interval, FIGURES[key].help[language])


def quantile_words(quantile: Quantile, language: Language) -> tuple[str, str]:
    """A quantile of the time to removal, and its interval."""
    return (
        formatting.reached(quantile.value, language),
        formatting.hours_range(quantile.low, quantile.high, language),
    )


def bounds_words(bounds: Bounds, language: Language) -> str:
    """A figure from the one reading to the other, as one number where they read the same."""
    if bounds.lenient is None or bounds.strict is None:
        return formatting.MISSING
    low, high = sorted((bounds.lenient, bounds.strict))
    if formatting.decimal(low, language) == formatting.decimal(high, language):
        return formatting.hours(low, language)
    return f"{formatting.decimal(low, language)}{formatting.MISSING}{formatting.hours(high, language)}"


_ALWAYS = Text(
    "Zeker is: wanneer een melding is verstuurd en wanneer het materiaal bij een controle nog online was. Wanneer het"
    " precies verdween, is alleen bekend tussen twee controles in.",
    "Certain is: when a notice was sent, and when the material was still online at a check. When exactly it went is"
    " known only to lie between two checks.",
)
_UNDETERMINED = Text(
    "Bij {n} van de {mature} episodes laten de controles open of het voor of na de termijn weg was. Die tellen nooit"
    " als te laat.",
    "For {n} of the {mature} episodes the checks leave open whether it was gone before or after the deadline. These"
    " never count as late.",
)
_UNVERIFIED = Text(
    "Bij {n} episodes is geen verwijdering bevestigd, maar is het materiaal ook al lang niet meer online gezien. Die"
    " tellen niet mee als openstaand.",
    "For {n} episodes no removal is confirmed, but nobody has seen the material online for long either. These do not"
    " count as outstanding.",
)
_REAPPEARED = Text(
    "Bij {n} episodes leek het materiaal weg en stond het kort daarna weer online.",
    "For {n} episodes the material seemed gone and was soon online again.",
)
_RELOCATED = Text(
    "Bij {n} episodes verhuisde het materiaal naar een ander bedrijf. Dat telt hier niet als verwijderd.",
    "For {n} episodes the material moved to another company. That does not count as removed here.",
)
_REFUSED = Text(
    "{n} meldingen zijn geweigerd of waren onbestelbaar. Daarvoor loopt geen termijn.",
    "{n} notices were refused or undeliverable. No deadline runs for these.",
)
_UNATTRIBUTED = Text(
    "{n} episodes in deze periode konden aan geen enkel bedrijf worden toegerekend. Die tellen bij geen bedrijf mee.",
    "{n} episodes in this period could not be attributed to any company. They count for no company.",
)
_WITHHELD = Text(
    "Bij zo weinig episodes kan toeval alles bepalen. Daarom publiceren wij geen enkel cijfer.",
    "With so few episodes chance can decide everything. That is why we publish no figure at all.",
)


def certainty(row: Row, unattributed: Unattributed, language: Language) -> tuple[str, ...]:
    """Sentences on what the figures of a company leave open, only those that apply."""
    item = row.figures
    if item is None:
        return (_WITHHELD[language],)
    lines = (
        (_UNDETERMINED, item.on_time.undetermined),
        (_UNVERIFIED, item.unverified),
        (_REAPPEARED, item.reappeared),
        (_RELOCATED, item.relocated),
        (_REFUSED, item.refused),
        (_UNATTRIBUTED, unattributed.episodes),
    )
    mature = formatting.count(item.on_time.mature, language)
    said = [text[language].format(n=formatting.count(n, language), mature=mature) for text, n in lines if n]
    return (_ALWAYS[language], *said)
