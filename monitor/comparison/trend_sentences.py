"""How the network moved, in sentences made from a decomposition: they say what was measured and never more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from monitor.comparison.decomposition import Decomposition, Late, Obstacle
from monitor.comparison.share_change import points
from monitor.comparison.trend import TrendPoint
from monitor.wording import formatting
from monitor.wording.words import Language, Text, Words

PARTS = {
    "behaviour": Words(
        Text("Gedrag", "Behaviour"),
        Text(
            "Bedrijven die in beide publicaties cijfers hebben, haalden een groter of kleiner deel op tijd weg.",
            "Companies with figures in both releases removed a larger or smaller part on time.",
        ),
    ),
    "mix": Words(
        Text("Verdeling", "Mix"),
        Text(
            "Er stond meer of minder van het gemelde materiaal bij bedrijven die minder op tijd zijn dan gemiddeld.",
            "More or less of the reported material stood at companies that are less often on time than average.",
        ),
    ),
    "arrivals": Words(
        Text("Nieuw", "Arrivals"),
        Text(
            "Bedrijven die alleen in de laatste van de twee publicaties cijfers hebben.",
            "Companies with figures in the later of the two releases only.",
        ),
    ),
    "departures": Words(
        Text("Vertrokken", "Departures"),
        Text(
            "Bedrijven die alleen in de eerste van de twee publicaties cijfers hebben.",
            "Companies with figures in the earlier of the two releases only.",
        ),
    ),
    "unnamed": Words(
        Text("Zonder naam", "Without a name"),
        Text(
            "Bedrijven met zo weinig episodes dat zij geen cijfers krijgen, en wat aan geen bedrijf kon worden"
            " toegerekend. Gedrag en verdeling zijn hier niet te scheiden.",
            "Companies with so few episodes that they get no figures, and what could not be attributed to any company."
            " Behaviour and mix cannot be told apart here.",
        ),
    ),
}
OBSTACLES: dict[Obstacle, Text] = {
    "method": Text(
        "Niet te splitsen: de werkwijze of de termijn is veranderd. Het aandeel kan dan ook veranderen zonder dat een"
        " bedrijf iets anders doet.",
        "Cannot be split: the method or the deadline changed. The share can then change although no company does"
        " anything different.",
    ),
    "overlap": Text(
        "Niet te splitsen: de twee perioden overlappen elkaar.", "Cannot be split: the two periods overlap."
    ),
    "empty": Text(
        "Niet te splitsen: in een van de twee is nog van geen episode de termijn voorbij.",
        "Cannot be split: in one of the two no deadline has passed yet.",
    ),
}
_NETWORK = Text(
    "Het aandeel op tijd (gunstige lezing) van alle bedrijven samen ging van {before} naar {after}: {change}"
    " procentpunt.",
    "The share on time (lenient reading) of all companies together went from {before} to {after}: {change} percentage"
    " points.",
)
_NAMED = Text(
    "Het aandeel op tijd (gunstige lezing) van de bedrijven met cijfers ging van {before} naar {after}: {change}"
    " procentpunt. Dit is niet het totaal: dat is in een van de twee publicaties zonder de kleinste bedrijven.",
    "The share on time (lenient reading) of the companies with figures went from {before} to {after}: {change}"
    " percentage points. This is not the total: in one of the two releases that leaves out the smallest companies.",
)
_BEHAVIOUR = Text(
    "Het gedrag van de bedrijven zelf droeg daaraan {behaviour} procentpunt bij (95%-betrouwbaarheidsinterval {low} tot"
    " {high}). {proof}",
    "The behaviour of the companies themselves contributed {behaviour} percentage points to this (95% confidence"
    " interval {low} to {high}). {proof}",
)
_BEHAVIOUR_ONLY = Text(
    "Het gedrag van de bedrijven zelf droeg daaraan {behaviour} procentpunt bij. Hoe zeker dat is, is niet te zeggen.",
    "The behaviour of the companies themselves contributed {behaviour} percentage points to this. How sure that is"
    " cannot be told.",
)
_PROOF = {
    "faster": Text(
        "De metingen tonen aan dat zij samen vaker op tijd waren.",
        "The measurements prove that together they were on time more often.",
    ),
    "slower": Text(
        "De metingen tonen aan dat zij samen minder vaak op tijd waren.",
        "The measurements prove that together they were on time less often.",
    ),
    "open": Text("Dat kan toeval zijn.", "That can be chance."),
}
_OTHERS = Text("De rest kwam door {parts}.", "The rest came from {parts}.")
_AND = Text("en", "and")
_FROM = {
    "mix": Text(
        "de verdeling van het materiaal over de bedrijven ({n})", "how the material was divided over companies ({n})"
    ),
    "arrivals": Text("nieuwe bedrijven ({n})", "new companies ({n})"),
    "departures": Text("vertrokken bedrijven ({n})", "companies that left ({n})"),
    "unnamed": Text("wat geen naam heeft ({n})", "what has no name ({n})"),
}
_LATE = Text(
    "Het aantal episodes dat te laat was, ging van {before} naar {after}{why}.",
    "The number of late episodes went from {before} to {after}{why}.",
)
_VOLUME = {
    True: Text("{n} meer doordat er meer episodes waren", "{n} more because there were more episodes"),
    False: Text("{n} minder doordat er minder episodes waren", "{n} fewer because there were fewer episodes"),
}
_RATE = {
    True: Text("{n} meer doordat een groter deel te laat was", "{n} more because a larger part was late"),
    False: Text("{n} minder doordat een kleiner deel te laat was", "{n} fewer because a smaller part was late"),
}
_MISSING = Text("Geen publicatie: {periods}.", "No release: {periods}.")
_METHOD = Text(
    "Vanaf het {period} is werkwijze {new} gebruikt, daarvoor werkwijze {old}. De cijfers van voor en na die wisseling"
    " zijn niet zonder meer te vergelijken.",
    "From the {period} on, method {new} was used; before that, method {old}. The figures before and after that change"
    " cannot simply be compared.",
)
_PARTIAL = Text(
    "In {n} van de {all} kwartalen is het totaal zonder de kleinste bedrijven. Anders zouden hun cijfers uit het totaal"
    " volgen. In de tabel staat bij welke kwartalen dat zo is.",
    "In {n} of {all} quarters the total leaves out the smallest companies. Otherwise their figures would follow from"
    " the total. The table says which quarters these are.",
)


def what_moved(found: Decomposition, language: Language) -> tuple[str, ...]:
    """The change of the network's share, its parts, and the number of late episodes, one sentence or two each."""
    shares = {name: formatting.share(getattr(found, name), language) for name in ("before", "after")}
    network = _NETWORK if found.basis == "network" else _NAMED
    change = points(found.change, language)
    said = (
        network[language].format(**shares, change=change),
        _behaviour(found, language),
        _others(found, language),
        _late(found.late, language),
    )
    return tuple(filter(None, said))


def _others(found: Decomposition, language: Language) -> str:
    """The other parts, those left out that read as 0.0."""
    nothing = points(0.0, language)
    numbers = {name: points(getattr(found, name), language) for name in _FROM}
    parts = [_FROM[name][language].format(n=number) for name, number in numbers.items() if number != nothing]
    return _OTHERS[language].format(parts=_joined(parts, language)) if parts else ""


def _joined(parts: Sequence[str], language: Language) -> str:
    return f" {_AND[language]} ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _behaviour(found: Decomposition, language: Language) -> str:
    behaviour = points(found.behaviour, language)
    if found.low is None or found.high is None:
        return _BEHAVIOUR_ONLY[language].format(behaviour=behaviour)
    proof = "faster" if found.low > 0 else "slower" if found.high < 0 else "open"
    limits = {"low": points(found.low, language), "high": points(found.high, language)}
    return _BEHAVIOUR[language].format(behaviour=behaviour, proof=_PROOF[proof][language], **limits)


def _late(late: Late, language: Language) -> str:
    before, after = (formatting.count(number, language) for number in (late.before, late.after))
    why = [
        words[number > 0][language].format(n=formatting.count(abs(number), language))
        for words, number in zip((_VOLUME, _RATE), _whole(late), strict=True)
        if number
    ]
    return _LATE[language].format(before=before, after=after, why=f": {_joined(why, language)}" if why else "")


def in_whole(late: Late, language: Language) -> tuple[str, str]:
    """The two parts in whole episodes with their sign, so rounded that they still add up."""
    volume, rate = _whole(late)
    return _signed(volume, language), _signed(rate, language)


def _whole(late: Late) -> tuple[int, int]:
    volume = round(late.by_volume)
    return volume, late.after - late.before - volume


def _signed(number: int, language: Language) -> str:
    sign = "+" if number > 0 else "−" if number < 0 else ""
    return sign + formatting.count(abs(number), language)


def remarks(trend: Sequence[TrendPoint], language: Language) -> tuple[str, ...]:
    """What the reader of a trend must know: quarters without a release, other methods, totals that leave some out."""
    released = [point for point in trend if point.method is not None]
    missing = [formatting.period(point.period, language) for point in trend if point.method is None]
    partial = sum(point.partial for point in released)
    said = [_MISSING[language].format(periods=", ".join(missing))] if missing else []
    if partial:
        counts = {name: formatting.count(n, language) for name, n in (("n", partial), ("all", len(released)))}
        said.append(_PARTIAL[language].format(**counts))
    return (*said, *_method_changes(released, language))


def _method_changes(released: Sequence[TrendPoint], language: Language) -> Iterator[str]:
    for old, new in pairwise(released):
        if old.method != new.method:
            period = formatting.period(new.period, language)
            yield _METHOD[language].format(period=period, old=old.method, new=new.method)
