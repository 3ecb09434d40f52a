"""The figures of one company in words, as lines and as sentences that say what was measured and never more."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.disclosure.rows import Row, Unattributed
from monitor.figures import LINES
from monitor.score.methods import Method
from monitor.score.table import Estimate
from monitor.wording import formatting
from monitor.wording.formatting import deadline
from monitor.wording.words import Language, Text


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
    lines = ((place.figure, place.figure.read(item, language)) for place in LINES if place.holds(item))
    return tuple(
        FigureLine(figure.key, figure.name[language], said.value, said.interval, figure.help[language])
        for figure, said in lines
    )


_COUNTED = Text(
    "Bij {name} zijn in deze periode {episodes} episodes gemeten op {sites} sites.",
    "At {name}, {episodes} episodes were measured in this period, on {sites} sites.",
)
_ON_TIME = Text(
    "Bij {mature} daarvan is de termijn van {deadline} voorbij: {on_time} op tijd, {late} te laat en"
    " {undetermined} onbepaald.",
    "For {mature} of these the deadline of {deadline} has passed: {on_time} on time, {late} late and"
    " {undetermined} undetermined.",
)
_NO_DEADLINE = Text(
    "Bij geen daarvan is de termijn al voorbij; over op tijd of te laat valt nog niets te zeggen.",
    "For none of these has the deadline passed; nothing can be said yet about on time or late.",
)
_RANGE = Text(
    "Het aandeel op tijd ligt daarmee tussen {strict} (strenge lezing) en {lenient} (gunstige lezing).",
    "The share on time therefore lies between {strict} (strict reading) and {lenient} (lenient reading).",
)
_EXACT = Text("Het aandeel op tijd is daarmee {lenient}.", "The share on time is therefore {lenient}.")
_MEETS = Text(
    "De ondergrens van het 95%-betrouwbaarheidsinterval is {low}. Dat is niet lager dan de norm van {target}:"
    " de metingen tonen aan dat het bedrijf in deze periode aan de norm voldeed.",
    "The lower bound of the 95% confidence interval is {low}. That is not under the norm of {target}:"
    " the measurements prove that the company met the norm in this period.",
)
_BELOW = Text(
    "De bovengrens van het 95%-betrouwbaarheidsinterval is {high}. Dat is lager dan de norm van {target}:"
    " de metingen tonen aan dat het bedrijf in deze periode onder de norm bleef.",
    "The upper bound of the 95% confidence interval is {high}. That is under the norm of {target}:"
    " the measurements prove that the company stayed below the norm in this period.",
)
_NOT_PROVEN = Text(
    "De norm van {target} ligt binnen het 95%-betrouwbaarheidsinterval van {low} tot {high}. De metingen tonen niet"
    " aan dat het bedrijf aan de norm voldeed, en ook niet dat het eronder bleef.",
    "The norm of {target} lies inside the 95% confidence interval from {low} to {high}. The measurements do not"
    " prove that the company met the norm, nor that it stayed below it.",
)
_TOO_FEW = Text(
    "Voor een oordeel zijn ten minste {minimum_episodes} episodes en {minimum_sites} sites nodig. Dit bedrijf heeft"
    " er minder en krijgt daarom geen plaats in de ranglijst.",
    "A judgement needs at least {minimum_episodes} episodes and {minimum_sites} sites. This company has fewer and"
    " therefore gets no rank.",
)
_NONE = Text(
    "In deze publicatie is geen oordeel over de norm gegeven.", "This release gives no judgement about the norm."
)
_WITHHELD = Text(
    "Bij {name} zijn in deze periode minder dan {below} episodes gemeten. Dat is te weinig om er iets over te zeggen."
    " Daarom staan hier geen cijfers.",
    "At {name}, fewer than {below} episodes were measured in this period. That is too few to say anything about it."
    " That is why there are no figures here.",
)
_RANKED = Text("Plaats {rank} van {ranked}; met 95% zekerheid {low} tot en met {high}.",
               "Rank {rank} of {ranked}; with 95% confidence {low} to {high}.")  # fmt: skip
_RANKED_ONLY = Text("Plaats {rank} van {ranked}.", "Rank {rank} of {ranked}.")

_REASONS = {
    "withheld": Text("minder dan {below} episodes: geen cijfers", "fewer than {below} episodes: no figures"),
    "episodes": Text("minder dan {minimum_episodes} episodes", "fewer than {minimum_episodes} episodes"),
    "sites": Text("minder dan {minimum_sites} sites", "fewer than {minimum_sites} sites"),
    "mature": Text("te weinig episodes waarvan de termijn voorbij is", "too few episodes whose deadline has passed"),
}


def what_was_measured(row: Row, language: Language) -> str:
    """The counts in words: episodes, and how many were on time, late or undetermined."""
    if row.figures is None:
        return _WITHHELD[language].format(name=row.name, below=row.below)
    item, timing = row.figures, row.figures.on_time
    parts = [_COUNTED[language].format(name=row.name, **_counts(language, episodes=item.episodes, sites=item.sites))]
    if not timing.mature:
        return " ".join([*parts, _NO_DEADLINE[language]])
    counts = _counts(
        language, mature=timing.mature, on_time=timing.on_time, late=timing.late, undetermined=timing.undetermined
    )
    parts.append(_ON_TIME[language].format(deadline=deadline(timing.deadline_hours, language), **counts))
    strict, lenient = (formatting.share(reading.p, language) for reading in (timing.strict, timing.lenient))
    parts.append((_EXACT if strict == lenient else _RANGE)[language].format(strict=strict, lenient=lenient))
    return " ".join(parts)


def what_it_proves(row: Row, rules: Method, language: Language) -> str:
    """The standing in words, only where the interval itself supports it."""
    if row.figures is None or row.standing == "too_few":
        return _TOO_FEW[language].format(**_minimums(rules))
    interval, target = row.figures.on_time.lenient, rules.target
    low, high = interval.low, interval.high
    said = {
        "meets": _MEETS if low is not None and low >= target else None,
        "below": _BELOW if high is not None and high < target else None,
        "not_proven": _NOT_PROVEN if low is not None and high is not None and low < target <= high else None,
    }.get(row.standing or "")
    bounds = {"low": formatting.share(low, language), "high": formatting.share(high, language)}
    return (said or _NONE)[language].format(target=formatting.percent(target, language), **bounds)


def place(item: Estimate, ranked: int, language: Language) -> str:
    """The rank with its interval in words; empty where there is no rank."""
    if item.rank is None:
        return ""
    if item.rank_low is None or item.rank_high is None:
        return _RANKED_ONLY[language].format(rank=item.rank, ranked=ranked)
    return _RANKED[language].format(rank=item.rank, ranked=ranked, low=item.rank_low, high=item.rank_high)


def why_unranked(row: Row, rules: Method, language: Language) -> str:
    """Why a company has no rank."""
    item = row.figures
    if item is None:
        reason = "withheld"
    elif item.episodes < rules.minimum_episodes:
        reason = "episodes"
    else:
        reason = "sites" if item.sites < rules.minimum_sites else "mature"
    return _REASONS[reason][language].format(below=row.below, **_minimums(rules))


def _minimums(rules: Method) -> dict[str, int]:
    return {"minimum_episodes": rules.minimum_episodes, "minimum_sites": rules.minimum_sites}


def _counts(language: Language, **values: int) -> dict[str, str]:
    return {name: formatting.count(value, language) for name, value in values.items()}


_ALWAYS = Text(
    "Zeker is: wanneer een melding is verstuurd en wanneer het materiaal bij een controle nog online was. Wanneer het"
    " precies verdween, is alleen bekend tussen twee controles in.",
    "Certain is: when a notice was sent, and when the material was still online at a check. When exactly it went is"
    " known only to lie between two checks.",
)
_OPEN = Text(
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
_NO_FIGURE = Text(
    "Bij zo weinig episodes kan toeval alles bepalen. Daarom publiceren wij geen enkel cijfer.",
    "With so few episodes chance can decide everything. That is why we publish no figure at all.",
)


def certainty(row: Row, unattributed: Unattributed, language: Language) -> tuple[str, ...]:
    """Sentences on what the figures of a company leave open, only those that apply."""
    item = row.figures
    if item is None:
        return (_NO_FIGURE[language],)
    lines = (
        (_OPEN, item.on_time.undetermined),
        (_UNVERIFIED, item.unverified),
        (_REAPPEARED, item.reappeared),
        (_RELOCATED, item.relocated),
        (_REFUSED, item.refused),
        (_UNATTRIBUTED, unattributed.episodes),
    )
    mature = formatting.count(item.on_time.mature, language)
    said = [text[language].format(n=formatting.count(n, language), mature=mature) for text, n in lines if n]
    return (_ALWAYS[language], *said)
