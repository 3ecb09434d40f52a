"""How the network moved, in sentences made from a decomposition: they say what was measured and never more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from monitor.comparison.decomposition import Decomposition, Late, Obstacle
from monitor.comparison.share_change import points
from monitor.comparison.trend import TrendPoint
from monitor.wording.language import Language, Message
from monitor.wording.words import Words

PARTS = {
    "behaviour": Words(
        Message("Behaviour"),
        Message("Companies with figures in both releases removed a larger or smaller part on time."),
    ),
    "mix": Words(
        Message("Mix"),
        Message("More or less of the reported material stood at companies that are less often on time than average."),
    ),
    "arrivals": Words(
        Message("Arrivals"),
        Message("Companies with figures in the later of the two releases only."),
    ),
    "departures": Words(
        Message("Departures"),
        Message("Companies with figures in the earlier of the two releases only."),
    ),
    "unnamed": Words(
        Message("Without a name"),
        Message(
            "Companies with so few episodes that they get no figures, and what could not be attributed to"
            " any company. Behaviour and mix cannot be told apart here."
        ),
    ),
}
OBSTACLES: dict[Obstacle, Message] = {
    "method": Message(
        "Cannot be split: the method or the deadline changed. The share can then change although no"
        " company does anything different."
    ),
    "overlap": Message("Cannot be split: the two periods overlap."),
    "empty": Message("Cannot be split: in one of the two no deadline has passed yet."),
}
_NETWORK = Message(
    "The share on time (lenient reading) of all companies together went from {before} to {after}:"
    " {change} percentage points."
)
_NAMED = Message(
    "The share on time (lenient reading) of the companies with figures went from {before} to {after}: {change}"
    " percentage points. This is not the total: in one of the two releases that leaves out the smallest companies."
)
_PROOF = {
    "better": Message("The measurements show that together they were on time more often."),
    "worse": Message("The measurements show that together they were on time less often."),
    "open": Message("That may be due to chance."),
}
_FROM = {
    "mix": Message("how the material was divided over companies ({n})"),
    "arrivals": Message("new companies ({n})"),
    "departures": Message("companies that left ({n})"),
    "unnamed": Message("what has no name ({n})"),
}
_VOLUME = {
    True: Message("{n} more because there were more episodes"),
    False: Message("{n} fewer because there were fewer episodes"),
}
_RATE = {
    True: Message("{n} more because a larger part was late"),
    False: Message("{n} fewer because a smaller part was late"),
}


def what_moved(found: Decomposition, language: Language) -> tuple[str, ...]:
    """The change of the network's share, its parts, and the number of late episodes, one sentence or two each."""
    return (*share_moved(found, language), _late(found.late, language))


def share_moved(found: Decomposition, language: Language) -> tuple[str, ...]:
    """The change of the network's share and its parts: behaviour with its proof, then the mix and the rest."""
    shares = {name: language.share(getattr(found, name)) for name in ("before", "after")}
    network = _NETWORK if found.basis == "network" else _NAMED
    change = points(found.change, language)
    said = (
        language.gettext(network, **shares, change=change),
        _behaviour(found, language),
        _others(found, language),
    )
    return tuple(filter(None, said))


def _others(found: Decomposition, language: Language) -> str:
    """The other parts, those left out that read as 0.0."""
    nothing = points(0.0, language)
    numbers = {name: points(getattr(found, name), language) for name in _FROM}
    parts = [language.gettext(_FROM[name], n=number) for name, number in numbers.items() if number != nothing]
    return language.gettext("The rest came from {parts}.", parts=language.listed(parts)) if parts else ""


def _behaviour(found: Decomposition, language: Language) -> str:
    behaviour = points(found.behaviour, language)
    if found.low is None or found.high is None:
        return language.gettext(
            "The behaviour of the companies themselves contributed {behaviour} percentage points to this."
            " How certain that is cannot be told.",
            behaviour=behaviour,
        )
    limits = {"low": points(found.low, language), "high": points(found.high, language)}
    return language.gettext(
        "The behaviour of the companies themselves contributed {behaviour} percentage points to this"
        " (95% confidence interval {low} to {high}). {proof}",
        behaviour=behaviour,
        proof=language.gettext(_PROOF[found.behaviour_direction]),
        **limits,
    )


def _late(late: Late, language: Language) -> str:
    before, after = (language.count(number) for number in (late.before, late.after))
    why = [
        language.gettext(words[number > 0], n=language.count(abs(number)))
        for words, number in zip((_VOLUME, _RATE), _whole(late), strict=True)
        if number
    ]
    return language.gettext(
        "The number of late episodes went from {before} to {after}{why}.",
        before=before,
        after=after,
        why=f": {language.listed(why)}" if why else "",
    )


def in_whole(late: Late, language: Language) -> tuple[str, str]:
    """The two parts in whole episodes with their sign, so rounded that they still add up."""
    volume, rate = _whole(late)
    return _signed(volume, language), _signed(rate, language)


def _whole(late: Late) -> tuple[int, int]:
    volume = round(late.by_volume)
    return volume, late.after - late.before - volume


def _signed(number: int, language: Language) -> str:
    sign = "+" if number > 0 else "−" if number < 0 else ""
    return sign + language.count(abs(number))


def remarks(trend: Sequence[TrendPoint], language: Language) -> tuple[str, ...]:
    """What the reader of a trend must know: quarters without a release, other methods, totals that leave some out."""
    released = [point for point in trend if point.method is not None]
    missing = [language.period(point.period) for point in trend if point.method is None]
    partial = sum(point.partial for point in released)
    said = [language.gettext("No release: {periods}.", periods=", ".join(missing))] if missing else []
    if partial:
        counts = {name: language.count(n) for name, n in (("n", partial), ("all", len(released)))}
        said.append(
            language.gettext(
                "In {n} of {all} quarters the total leaves out the smallest companies. Otherwise their figures"
                " would follow from the total. The table says which quarters these are.",
                **counts,
            )
        )
    return (*said, *_method_changes(released, language))


def _method_changes(released: Sequence[TrendPoint], language: Language) -> Iterator[str]:
    for old, new in pairwise(released):
        if old.method != new.method:
            period = language.period(new.period)
            yield language.gettext(
                "From the {period} on, method {new} was used; before that, method {old}. The figures before and"
                " after that change cannot simply be compared.",
                period=period,
                old=old.method,
                new=new.method,
            )
