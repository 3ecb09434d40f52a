"""What a release under method 2026.2 says of a company in words, and what changed with that method."""

from __future__ import annotations

from monitor.disclosure.rows import PublicTable, Row
from monitor.score.methods import Method
from monitor.score.table import CompetingEstimate, Group, Proof, Standing
from monitor.wording.language import MISSING, Language, Message, Plural
from monitor.wording.words import DIRECTIONS, STANDING_WORDS, reason_words

_PROOFS: dict[Proof, Message] = {
    "meets": Message(
        "Even where all doubt counts against the company, the lower bound of the 95% confidence interval is {low}. That"
        " is not under the norm of {target}: the measurements show that the company met the norm in this period."
    ),
    "below": Message(
        "Even where all doubt counts in favour of the company, the upper bound of the 95% confidence interval is"
        " {high}. That is under the norm of {target}: the measurements show that the company stayed below the norm in"
        " this period."
    ),
    "not_proven": Message(
        "The measurements do not show that the company met the norm of {target}, nor that it stayed below it."
    ),
}
_MARK = {
    True: Message(
        "The company is also below the norm after correction for the number of companies judged: of the companies with"
        " this mark, at most 5% have it by chance."
    ),
    False: Message(
        "After correction for the number of companies judged it is not certain that this is no coincidence."
    ),
}
_UNREACHABLE = Message("This company is unreachable. It stands above the ranking, whatever its share on time.")
_ARRIVED = Message("About the notices that did arrive:")
_WITHHELD = Message(
    "Of the notices to this company certainly more than {share} was refused or undeliverable. It has fewer than {below}"
    " episodes, and therefore no figures."
)


def proven(row: Row, rules: Method, language: Language) -> str:
    """The standing in words, with the direction and every reason; of a company without figures what may be told."""
    item = row.figures
    if not isinstance(item, CompetingEstimate):
        share = language.percent(rules.unreachable_share or 0)
        return language.gettext(_WITHHELD, share=share, below=row.below) if row.standing == "unreachable" else ""
    reasons = reason_words(item.reasons, language)
    if row.standing == "too_few":
        return " ".join((*reasons, language.gettext("The company therefore gets no rank.")))
    said: list[str] = []
    if row.standing == "unreachable":
        unreached = len([reason for reason in item.reasons if reason.code in ("notices_refused", "no_contact")])
        said += [language.gettext(_UNREACHABLE), *reasons[:unreached]]
        reasons = reasons[unreached:]
        said += [language.gettext(_ARRIVED)] if item.proof or reasons else []
    return " ".join((*said, *_proof(item, rules, language), *reasons))


def _proof(item: CompetingEstimate, rules: Method, language: Language) -> list[str]:
    """What is proven of the norm: a company that is too small to be judged, or has no mature episode, has no proof."""
    small = {"too_few_episodes", "too_few_sites_to_judge"} & {reason.code for reason in item.reasons}
    if item.proof is None or small:
        return []
    timing = item.on_time
    values = {"low": language.share(timing.strict.low), "high": language.share(timing.lenient.high)}
    said = [language.gettext(_PROOFS[item.proof], target=language.percent(rules.target), **values)]
    if item.proof == "not_proven" and item.direction:
        said.append(language.gettext(DIRECTIONS[item.direction]))
    if item.proof == "below":
        said.append(language.gettext(_MARK[item.bh]))
    return said


def in_a_cell(row: Row, language: Language) -> tuple[str, ...]:
    """What stands below the standing in a table: the direction where nothing is proven, the reasons, and the mark."""
    item = row.figures
    if not isinstance(item, CompetingEstimate):
        return ()
    direction = item.direction if row.standing == "not_proven" else None
    said = [language.gettext(DIRECTIONS[direction])] if direction and direction != "open" else []
    said += reason_words(item.reasons, language)
    return (*said, *([language.gettext("Below the norm after correction too.")] if item.bh else []))


def of_a_group(group: Group, language: Language) -> tuple[str, ...]:
    """The same of a group."""
    item = group.figures
    direction = [item.direction] if item.standing == "not_proven" and item.direction in ("above", "below") else []
    return (*(language.gettext(DIRECTIONS[each]) for each in direction), *reason_words(item.reasons, language))


def why_unranked(item: CompetingEstimate, language: Language) -> str:
    """Why a company with figures has no rank."""
    return " ".join(reason_words(item.reasons, language))


_ESTIMATE = Message("The estimate, which orders the companies, is {estimate}.")
_NO_ESTIMATE = Message("There is nothing to estimate: all that could be followed moved in time.")
_FOLLOWED = Message("Of the {older} episodes older than their deadline, {followed} could be followed up to it.")


def estimated(item: CompetingEstimate, language: Language) -> tuple[str, ...]:
    """The estimate of the share on time, and how much could be followed."""
    timing = item.on_time
    if timing.estimate is None:
        return (language.gettext(_NO_ESTIMATE),)
    said = [language.gettext(_ESTIMATE, estimate=language.share(timing.estimate))]
    if timing.mature < timing.older:
        counts = {"older": language.count(timing.older), "followed": language.count(timing.mature)}
        said.append(language.gettext(_FOLLOWED, **counts))
    return tuple(said)


OPEN = Plural(
    "For {n} of the {mature} episodes the checks leave open whether it was gone before or after the deadline. It never"
    " counts as late, and never as proof that the company was on time.",
    "For {n} of the {mature} episodes the checks leave open whether it was gone before or after the deadline. These"
    " never count as late, and never as proof that the company was on time.",
)
RELOCATED = Plural(
    "For {n} episode the material moved to another company. That is no removal; what moved in time counts neither way.",
    "For {n} episodes the material moved to another company. That is no removal; what moved in time counts neither"
    " way.",
)
GONE = Plural(
    "{n} episode was already gone when the notice was sent. It counts as on time.",
    "{n} episodes were already gone when the notice was sent. These count as on time.",
)
UNDELIVERED = Plural(
    "About {n} item no notice arrived. It has no episode and counts in no share on time but that over all cases.",
    "About {n} items no notice arrived. These have no episode and count in no share on time but that over all cases.",
)
GRID = Message("There are so many different times here that the estimate rounds them to {seconds} seconds.")

CHANGED = (
    Message(
        "“Meets the norm” takes as much proof as “below the norm”. A company meets it only where it does with all doubt"
        " against it, and nearly all of its episodes could be followed."
    ),
    Message(
        "Companies are ordered by an estimate between both readings. Before, the lenient reading ordered them, and a"
        " company looked better the more rarely anybody checked."
    ),
    Message(
        "Confidence intervals take into account that notices of one day go together, as those of one site do. Most are"
        " wider than before."
    ),
    Message(
        "Removal and relocation stand side by side, and what moved in time counts neither way. Before, the curve no"
        " longer counted what had moved, so that all could seem removed where most of it had moved."
    ),
    Message(
        "A company that refuses notices, or cannot be reached, is called unreachable and stands above the ranking."
        " Companies under one control are shown together too."
    ),
)


def judged_both_ways(table: PublicTable, language: Language) -> tuple[tuple[str, str, str, str, str], ...]:
    """By company: its name, rank and standing by the method before, and the same by that of the release.

    A line each company with figures, in the order of the release.
    """
    if table.earlier is None:
        return ()
    before = {each.company: each for each in table.earlier.companies}
    lines = []
    for row in table.rows:
        if row.figures is None:
            continue
        old = before.get(row.company)
        lines.append(
            (
                row.name,
                _rank(old.rank if old else None),
                _standing(old.standing if old else None, language),
                _rank(row.figures.rank),
                _standing(row.standing, language),
            )
        )
    return tuple(lines)


def _rank(rank: int | None) -> str:
    return MISSING if rank is None else str(rank)


def _standing(standing: Standing | None, language: Language) -> str:
    return language.gettext(STANDING_WORDS[standing].label) if standing else MISSING
