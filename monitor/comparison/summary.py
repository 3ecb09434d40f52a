"""A release in three answers: who is slow, how sure is that, and is it getting better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.comparison.share_change import Movement, comparable, movements, network_movement
from monitor.disclosure.rows import PublicTable, Row
from monitor.wording import formatting
from monitor.wording.words import Language, Text

_NAMED = 3  # more names than this no one reads
_COUNTED = {"below": "below", "meets": "meets", "open": "not_proven"}

_QUESTIONS = (
    Text("Wie is traag?", "Who is slow?"),
    Text("Hoe zeker is dat?", "How sure is that?"),
    Text("Wordt het beter?", "Is it getting better?"),
)
_BELOW = Text("{below} van de {ranked} onder de norm", "{below} of {ranked} below the norm")
_OPEN_HEAD = Text("Bij {open} van de {ranked} niet aangetoond", "For {open} of {ranked} not proven")
_MEETS = (
    Text(
        "{meets} bedrijf voldoet aan de norm: {target} op tijd weg.",
        "{meets} company meets the norm: {target} gone in time.",
    ),
    Text(
        "{meets} bedrijven voldoen aan de norm: {target} op tijd weg.",
        "{meets} companies meet the norm: {target} gone in time.",
    ),
)
_DASH = Text("Nog niet te zeggen", "Cannot be told yet")
_DIRECTION = {
    "better": Text("Ja, beter", "Yes, better"),
    "worse": Text("Nee, slechter", "No, worse"),
    "open": Text("Niet aangetoond", "Not proven"),
}
_NOBODY = Text(
    "Geen enkel bedrijf heeft genoeg episodes voor een plaats in de ranglijst.",
    "No company has enough episodes for a place in the ranking.",
)
_UNJUDGED = Text(
    "In deze publicatie is geen oordeel over de norm gegeven.", "This release gives no judgement about the norm."
)
_SLOWEST = Text(
    "Zeker het laagste aandeel op tijd heeft {names}.",
    "For certain, the lowest share on time is that of {names}.",
)
_AMONG = Text(
    "Het laagste aandeel op tijd heeft een van deze: {names}. Wie van hen, is niet zeker.",
    "The lowest share on time is that of one of these: {names}. Which of them is not certain.",
)
_OTHERS = Text("nog {n} andere", "{n} others")
_AND = Text("en", "and")
_SURE = Text(
    "‘Onder de norm’ staat er alleen als ook de bovengrens van het aandeel, met {confidence} zekerheid, te laag is."
    " Twijfel telt in het voordeel van het bedrijf.",
    "“Below the norm” is only said where even the upper bound of the share, with {confidence} confidence, is too low."
    " Doubt counts in favour of the company.",
)
_OPEN = Text(
    "Bij {share} van alle episodes is niet te zien of het materiaal op tijd weg was. Die tellen nooit als te laat.",
    "For {share} of all episodes the checks do not show whether the material was gone in time. These never count as"
    " late.",
)
_NETWORK = Text(
    "Bij alle bedrijven samen was {now} op tijd, tegen {then} in het {before}.",
    "At all companies together {now} was on time, against {then} in the {before}.",
)
_CERTAIN = {
    True: Text("Dat is meer dan toeval verklaart.", "That is more than chance explains."),
    False: Text("Dat verschil kan toeval zijn.", "That difference can be chance."),
}
_MOVED = Text(
    "Zo veel beter dat toeval het niet verklaart: {better} van de bedrijven; zo veel slechter: {worse}.",
    "Better by more than chance explains: {better} of the companies; worse: {worse}.",
)
_FIRST = Text(
    "Er is nog geen eerdere publicatie om mee te vergelijken.", "There is no earlier release to compare with yet."
)
_OTHER_METHOD = Text(
    "De vorige publicatie is met een andere werkwijze gemeten. Een vergelijking zegt daarom niets.",
    "The release before was measured by another method. A comparison would therefore say nothing.",
)
_NOT_TOLD = Text(
    "Voor alle bedrijven samen zijn er te weinig cijfers om te vergelijken.",
    "For all companies together there are too few figures to compare.",
)
_NOT_ALIKE = Text(
    "In een van beide publicaties telt het totaal de kleinste bedrijven niet mee. De totalen zijn daarom niet te"
    " vergelijken.",
    "In one of the two releases the total leaves out the smallest companies. The totals can therefore not be compared.",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of the reader: the answer in a few words, and the sentences that go with it."""

    question: str
    short: str
    sentences: str


def summary(
    table: PublicTable, before: PublicTable | None, language: Language, moved: Mapping[str, Movement] | None = None
) -> tuple[Answer, ...]:
    """The three answers, made from the published figures alone; `before` is the release before, where there is one.

    `moved`: the movements between the two, where the caller has them already.
    """
    moved = movements(table, before) if moved is None else moved
    answers = (who_is_slow(table, language), how_sure(table, language), is_it_better(table, before, moved, language))
    return tuple(Answer(asked[language], *answer) for asked, answer in zip(_QUESTIONS, answers, strict=True))


def _judged(table: PublicTable) -> bool:
    return any(row.ranked and row.standing for row in table.rows)


def _counts(table: PublicTable, language: Language) -> dict[str, str]:
    ranked = [row for row in table.rows if row.ranked]
    counts = {name: sum(row.standing == key for row in ranked) for name, key in _COUNTED.items()}
    said = {name: formatting.count(n, language) for name, n in (counts | {"ranked": len(ranked)}).items()}
    return said | {"target": formatting.percent(table.method.target, language)}


def who_is_slow(table: PublicTable, language: Language) -> tuple[str, str]:
    """How many stay below the norm and meet it, and who could have the lowest share."""
    ranked = [row for row in table.rows if row.ranked]
    if not ranked:
        return _DASH[language], _NOBODY[language]
    if not _judged(table):
        return _DASH[language], _UNJUDGED[language]
    one = sum(row.standing == "meets" for row in ranked) == 1
    counts = _counts(table, language)
    meets = _MEETS[0 if one else 1][language].format(**counts)
    return _BELOW[language].format(**counts), " ".join(filter(None, (meets, _lowest(ranked, language))))


def _lowest(ranked: Sequence[Row], language: Language) -> str:
    """Those whose rank interval begins at 1: one of them is the slowest."""
    first = [row.name for row in ranked if row.figures is not None and row.figures.rank_low == 1]
    if not first or len(first) == len(ranked):
        return ""
    return (_SLOWEST if len(first) == 1 else _AMONG)[language].format(names=named(first, language))


def named(names: Sequence[str], language: Language) -> str:
    """Names as a list in words, the first few of many."""
    shown = list(names) if len(names) <= _NAMED + 1 else list(names[:_NAMED])
    if len(shown) < len(names):
        shown.append(_OTHERS[language].format(n=formatting.count(len(names) - len(shown), language)))
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {_AND[language]} {shown[-1]}"


def how_sure(table: PublicTable, language: Language) -> tuple[str, str]:
    """For how many nothing is proven, what a standing rests on, and how much the checks leave open."""
    head = _OPEN_HEAD[language].format(**_counts(table, language)) if _judged(table) else _DASH[language]
    said = [_SURE[language].format(confidence=formatting.percent(table.method.confidence, language))]
    strict, lenient = table.network.strict.p, table.network.lenient.p
    if strict is not None and lenient is not None and lenient > strict:
        said.append(_OPEN[language].format(share=formatting.share(lenient - strict, language)))
    return head, " ".join(said)


def is_it_better(
    table: PublicTable, before: PublicTable | None, moved: Mapping[str, Movement], language: Language
) -> tuple[str, str]:
    """All companies together against the release before, and how many companies moved by more than chance."""
    if before is None:
        return _DASH[language], _FIRST[language]
    if not comparable(table, before):
        return _DASH[language], _OTHER_METHOD[language]
    head, said = _network(table, before, language)
    directions = [each.direction for each in moved.values()]
    better, worse = (formatting.count(directions.count(name), language) for name in ("better", "worse"))
    companies = _MOVED[language].format(better=better, worse=worse) if directions else ""
    return head, " ".join(filter(None, (said, companies)))


def _network(table: PublicTable, before: PublicTable, language: Language) -> tuple[str, str]:
    moved = network_movement(table, before)
    if moved is None:
        alike = table.network.gives_way == before.network.gives_way
        return _DASH[language], (_NOT_TOLD if alike else _NOT_ALIKE)[language]
    now, then = (formatting.share_range(each.network.strict.p, each.network.lenient.p, language)
                 for each in (table, before))  # fmt: skip
    said = _NETWORK[language].format(now=now, then=then, before=formatting.period(before.period, language))
    return _DIRECTION[moved.direction][language], f"{said} {_CERTAIN[moved.direction != 'open'][language]}"
