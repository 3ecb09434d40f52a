"""A release in three answers: who is slow, how certain is that, and is it getting better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.comparison.decomposition import step
from monitor.comparison.share_change import Movement, comparable, movements
from monitor.comparison.trend_sentences import share_moved
from monitor.disclosure.rows import PublicTable, Row
from monitor.instants import quarters_between
from monitor.wording.language import Language, Message

_NAMED = 3  # more names than this no one reads
_COUNTED = {"below": "below", "meets": "meets", "open": "not_proven"}

_QUESTIONS = (
    Message("Who is slow?"),
    Message("How certain is that?"),
    Message("Is it getting better?"),
)
_DASH = Message("Cannot be said yet")
_DIRECTION = {
    "better": Message("Yes, better"),
    "worse": Message("No, worse"),
    "open": Message("Not proven"),
}

_SAID_WHERE = {  # by whether it is method 2026.2 or later
    False: Message(
        "“Below the norm” is only said where even the upper bound of the share, with {confidence}"
        " confidence, is too low. Doubt counts in favour of the company."
    ),
    True: Message(
        "“Below the norm” is only said where it holds with all doubt in favour of the company. “Meets the norm” is only"
        " said where it holds with all doubt against it. Both with {confidence} confidence."
    ),
}
_LEFT_OPEN = {
    False: Message(
        "For {share} of all episodes the checks do not show whether the material was gone in time."
        " These never count as late."
    ),
    True: Message(
        "For {share} of all episodes the checks do not show whether the material was gone in time. These never count as"
        " late, and never as proof that a company was on time."
    ),
}


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
    return tuple(Answer(language.gettext(asked), *answer) for asked, answer in zip(_QUESTIONS, answers, strict=True))


def _judged(table: PublicTable) -> bool:
    return any(row.ranked and row.standing for row in table.rows)


def _counts(table: PublicTable, language: Language) -> dict[str, str]:
    ranked = [row for row in table.rows if row.ranked]
    counts = {name: sum(row.standing == key for row in ranked) for name, key in _COUNTED.items()}
    said = {name: language.count(n) for name, n in (counts | {"ranked": len(ranked)}).items()}
    return said | {"target": language.percent(table.method.target)}


def who_is_slow(table: PublicTable, language: Language) -> tuple[str, str]:
    """How many stay below the norm and meet it, and who could have the lowest score."""
    ranked = [row for row in table.rows if row.ranked]
    if not ranked:
        return language.gettext(_DASH), language.gettext("No company has enough episodes for a place in the ranking.")
    if not _judged(table):
        return language.gettext(_DASH), language.gettext("This release gives no judgement about the norm.")
    counts = _counts(table, language)
    met = sum(row.standing == "meets" for row in ranked)
    meets = (
        language.ngettext(
            "{n} company meets the norm: {target} gone in time.",
            "{n} companies meet the norm: {target} gone in time.",
            met,
            target=counts["target"],
        )
        if met
        else language.gettext("No company meets the norm: {target} gone in time.", target=counts["target"])
    )
    return language.gettext("{below} of {ranked} below the norm", **counts), " ".join(
        filter(None, (meets, _unreachable(table, language), _lowest(ranked, language)))
    )


def _unreachable(table: PublicTable, language: Language) -> str:
    """The companies that notices do not reach, whether they have a rank or not."""
    names = [row.name for row in table.rows if row.standing == "unreachable"]
    if not names:
        return ""
    return language.ngettext(
        "{n} company is unreachable: {names}.",
        "{n} companies are unreachable: {names}.",
        len(names),
        names=named(names, language),
    )


def _lowest(ranked: Sequence[Row], language: Language) -> str:
    """Those whose rank interval begins at 1: one of them has the lowest score."""
    first = [row.name for row in ranked if row.figures is not None and row.figures.rank_low == 1]
    if not first or len(first) == len(ranked):
        return ""
    if len(first) == 1:
        return language.gettext("The lowest score is certainly that of {names}.", names=first[0])
    return language.gettext(
        "Which of these {n} companies scores lowest is not certain: {names}.",
        n=language.count(len(first)),
        names=named(first, language),
    )


def named(names: Sequence[str], language: Language) -> str:
    """Names as a list in words, the first few of many."""
    shown = list(names) if len(names) <= _NAMED + 1 else list(names[:_NAMED])
    if len(shown) < len(names):
        shown.append(language.gettext("{n} others", n=language.count(len(names) - len(shown))))
    return language.listed(shown)


def how_sure(table: PublicTable, language: Language) -> tuple[str, str]:
    """For how many nothing is proven, what a standing rests on, and how much the checks leave open."""
    head = (
        language.gettext("For {open} of {ranked} not proven", **_counts(table, language))
        if _judged(table)
        else language.gettext(_DASH)
    )
    competing = bool(table.method.competing_risks)
    said = [language.gettext(_SAID_WHERE[competing], confidence=language.percent(table.method.confidence))]
    strict, lenient = table.network.strict.p, table.network.lenient.p
    if strict is not None and lenient is not None and lenient > strict:
        said.append(language.gettext(_LEFT_OPEN[competing], share=language.share(lenient - strict)))
    return head, " ".join(said)


def is_it_better(
    table: PublicTable, before: PublicTable | None, moved: Mapping[str, Movement], language: Language
) -> tuple[str, str]:
    """What the companies did since the release before, apart from how the material is divided over them.

    The verdict is that of their behaviour, and none is given across a quarter without a release.
    """
    if before is None:
        return language.gettext(_DASH), language.gettext("There is no earlier release to compare with yet.")
    if missing := quarters_between(before.period, table.period):
        periods = language.listed([language.period(period) for period in missing])
        return language.gettext(_DASH), language.gettext(
            "There is no release of the {periods}. Across a gap we give no verdict.", periods=periods
        )
    if not comparable(table, before):
        return language.gettext(_DASH), language.gettext(
            "The release before was measured by another method. A comparison would therefore say nothing."
        )
    found = step(before, table).found
    if found is None:
        return language.gettext(_DASH), language.gettext(
            "For all companies together there are too few figures to compare."
        )
    return language.gettext(_DIRECTION[found.behaviour_direction]), " ".join(
        filter(None, (*share_moved(found, language), _companies_moved(moved, language)))
    )


def _companies_moved(moved: Mapping[str, Movement], language: Language) -> str:
    directions = [each.direction for each in moved.values()]
    if not directions:
        return ""
    better, worse = (directions.count(name) for name in ("better", "worse"))
    if not better and not worse:
        return language.gettext("No company changed measurably.")
    return language.gettext(
        "Companies that measurably did better: {better}; worse: {worse}.",
        better=language.count(better),
        worse=language.count(worse),
    )
