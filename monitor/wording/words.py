"""The wording that site and report share: standings and kinds of notice.

The figures are in `monitor.figures`, the parameters of the method in `monitor.wording.parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from monitor.score.methods import Method
from monitor.score.table import Direction, Reason, Standing
from monitor.wording.language import Language, Message, Plural


@dataclass(frozen=True, slots=True)
class StandingWords:
    """How a standing is shown: its icon (a name in charts.ICONS), label and meaning."""

    icon: str
    label: Message
    meaning: Message


@dataclass(frozen=True, slots=True)
class Words:
    """The name of a figure or parameter, and one or two sentences on what it says."""

    name: Message
    help: Message


STANDINGS: Mapping[Standing, StandingWords] = MappingProxyType(
    {
        "meets": StandingWords(
            "check",
            Message("Meets the norm"),
            Message("Even the lower bound of the confidence interval reaches the norm."),
        ),
        "below": StandingWords(
            "cross",
            Message("Below the norm"),
            Message("Even the upper bound of the confidence interval stays below the norm."),
        ),
        "not_proven": StandingWords(
            "tilde",
            Message("Not proven"),
            Message("The norm lies inside the confidence interval: the measurements leave both sides open."),
        ),
        "too_few": StandingWords(
            "dash",
            Message("Too few to judge"),
            Message("There are too few episodes or too few sites for a judgement."),
        ),
    }
)

# What the reported material is, by the setting `material`.
MATERIAL_WORDS: Mapping[str, Message] = MappingProxyType(
    {
        "child-sexual-abuse": Message("illegal material, above all images of sexual abuse of children"),
        "illegal": Message("illegal material"),
    }
)
KINDS: Mapping[str, Message] = MappingProxyType(
    {
        "hotline_notice": Message("hotline notice"),
        "binding_instruction": Message("binding instruction"),
        "removal_order": Message("removal order"),
        "hash_hit": Message("follow-up of the hash service"),
    }
)
_UNREACHABLE = StandingWords(
    "cross",
    Message("Unreachable"),
    Message("Too many notices are refused or undeliverable, or no contact is known while something is outstanding."),
)
# Every standing there can be, for its icon and label: these are the same whatever the method.
STANDING_WORDS: Mapping[Standing, StandingWords] = MappingProxyType({**STANDINGS, "unreachable": _UNREACHABLE})
_SINCE_2026_2: Mapping[Standing, Message] = {
    "below": Message(
        "Even where all doubt counts in favour of the company, the upper bound of the 95% confidence interval stays"
        " below the norm."
    ),
    "not_proven": Message("Neither is proven. With each company it says on which side of the norm it is, and why."),
    "meets": Message(
        "Even where all doubt counts against the company, the lower bound of the 95% confidence interval reaches the"
        " norm, and nearly all episodes could be followed."
    ),
}


def _since_2026_2(standing: Standing) -> StandingWords:
    words = STANDING_WORDS[standing]
    return StandingWords(words.icon, words.label, _SINCE_2026_2.get(standing, words.meaning))


_IN_ORDER: tuple[Standing, ...] = ("unreachable", "below", "not_proven", "meets", "too_few")
# What a standing can be since method 2026.2, in the order in which pages list them.
COMPETING_STANDINGS: Mapping[Standing, StandingWords] = MappingProxyType(
    {standing: _since_2026_2(standing) for standing in _IN_ORDER}
)


def standings_of(rules: Method) -> Mapping[Standing, StandingWords]:
    """The standings that a method knows, with what each means under it."""
    return COMPETING_STANDINGS if rules.competing_risks else STANDINGS


DIRECTIONS: Mapping[Direction, Message] = MappingProxyType(
    {
        "above": Message("At or above the norm, even where all doubt counts against the company."),
        "below": Message("Below the norm, even where all doubt counts in favour of the company."),
        "open": Message("The checks leave open on which side of the norm the company is."),
    }
)
# By the code of a reason: `n` is its number, `of` what it is of or against.
_REASONS: Mapping[str, Message | Plural] = {
    "notices_refused": Plural(
        "{n} of {of} notices was refused or undeliverable, each item counted once a day.",
        "{n} of {of} notices were refused or undeliverable, each item counted once a day.",
    ),
    "no_contact": Plural(
        "No contact of the company is known, and {n} episode is outstanding.",
        "No contact of the company is known, and {n} episodes are outstanding.",
    ),
    "too_few_episodes": Plural(
        "{n} episode is too few: a judgement needs at least {of}.",
        "{n} episodes are too few: a judgement needs at least {of}.",
    ),
    "too_few_sites_to_judge": Plural(
        "{n} site is too few: a judgement needs at least {of}.",
        "{n} sites are too few: a judgement needs at least {of}.",
    ),
    "none_mature": Message("The deadline of none of the episodes has passed yet."),
    "not_followed": Plural(
        "{n} of {of} episodes could not be followed up to its deadline.",
        "{n} of {of} episodes could not be followed up to their deadline.",
    ),
    "checks_open": Plural(
        "Of {n} of {of} episodes it is open whether the material was gone in time: the checks do not show it, or it"
        " moved.",
        "Of {n} of {of} episodes it is open whether the material was gone in time: the checks do not show it, or it"
        " moved.",
    ),
    "too_few_sites_to_prove": Plural(
        "The share reaches the norm, but {n} site is too few to prove it: that takes at least {of}.",
        "The share reaches the norm, but {n} sites are too few to prove it: that takes at least {of}.",
    ),
    "interval_too_wide": Plural(
        "With {n} site the confidence interval is too wide to prove it.",
        "With {n} sites the confidence interval is too wide to prove it.",
    ),
    "all_relocated": Plural(
        "{n} of {of} episodes moved to another company. What moved in time counts neither way and left nothing to"
        " estimate, so there is no rank.",
        "{n} of {of} episodes moved to another company. What moved in time counts neither way and left nothing to"
        " estimate, so there is no rank.",
    ),
    "order_not_known": Message(
        "Of no episode is it certain whether it was on time or late, so the place of the company in the order is not"
        " known."
    ),
}


def reason_words(reasons: Sequence[Reason], language: Language) -> tuple[str, ...]:
    """Why a standing is what it is, a sentence a reason."""
    codes = {reason.code for reason in reasons}
    covered = {"checks_open"} & codes if "all_relocated" in codes else set()  # what moved is all that is open then
    return tuple(_reason(reason, language) for reason in reasons if reason.code not in covered)


def _reason(reason: Reason, language: Language) -> str:
    words, of = _REASONS[reason.code], language.count(None if reason.of is None else round(reason.of))
    if isinstance(words, Plural):
        return language.ngettext(*words.forms, round(reason.count or 0), of=of)
    return language.gettext(words, of=of)
