"""Sentences say what the numbers support, and nothing more; every figure and parameter has its words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.disclosure.rows import Row, Unattributed, public_row
from monitor.score.methods import METHODS, method
from monitor.score.table import Estimate, Share, Standing
from monitor.tables import sentences
from monitor.tables.sentences import certainty, figure_lines
from monitor.wording import parameters
from monitor.wording.language import EN, LANGUAGES, NL, Language
from monitor.wording.words import KINDS
from tests.support.published import COMPANIES, Invented, estimate

RULES = method("2026.1")


def row(low: float | None, high: float | None, standing: Standing | None) -> Row:
    """A company with that interval and standing."""
    item = estimate(COMPANIES[5], 3, standing)
    timing = replace(item.on_time, lenient=Share(0.85, 0.02, low, high))
    return public_row(replace(item, on_time=timing), RULES, table_is_ranked=True)


@pytest.mark.parametrize(
    ("low", "high", "standing", "words"),
    [
        (0.91, 0.97, "meets", "show that the company met the norm"),
        (0.90, 0.97, "meets", "show that the company met the norm"),
        (0.60, 0.80, "below", "show that the company stayed below the norm"),
        (0.80, 0.95, "not_proven", "do not show that the company met the norm, nor"),
        (0.80, 0.95, "meets", "gives no judgement"),
        (0.80, 0.95, "below", "gives no judgement"),
        (None, None, "below", "gives no judgement"),
        (0.80, 0.95, None, "gives no judgement"),
        (0.80, 0.95, "too_few", "at least 30 episodes and 5 sites"),
    ],
)
def test_a_standing_is_worded_only_as_far_as_its_interval_reaches(
    low: float | None, high: float | None, standing: Standing | None, words: str
) -> None:
    assert words in sentences.what_it_proves(row(low, high, standing), RULES, EN)


def test_counts_in_words() -> None:
    said = sentences.what_was_measured(row(0.8, 0.95, "not_proven"), NL).replace("\u00a0", " ")
    assert said == (
        "Bij Haven Carrier zijn in deze periode 158 gevallen gemeten op 39 sites. Bij 158 daarvan is de termijn van"
        " 24 uur voorbij: 118 op tijd, 30 te laat en 10 onbepaald. Het aandeel op tijd ligt daarmee tussen 74,7%"
        " (twijfelgevallen als te laat geteld) en 85,0% (twijfelgevallen als op tijd geteld)."
    )


def young() -> Estimate:
    """A company none of whose deadlines has passed."""
    item = estimate(COMPANIES[5], None, None)
    nothing = Share(None, None, None, None)
    timing = replace(item.on_time, mature=0, on_time=0, late=0, undetermined=0, lenient=nothing, strict=nothing)
    return replace(item, on_time=timing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_passed_deadline_nothing_is_said_about_lateness(language: Language) -> None:
    said = sentences.what_was_measured(public_row(young(), RULES, table_is_ranked=False), language)
    assert "%" not in said
    assert figure_lines(young(), language)


def test_why_a_company_has_no_rank() -> None:
    def why(invented: Invented, below: int | None = None) -> str:
        made = public_row(estimate(invented, None, "too_few"), RULES, table_is_ranked=True, below=below)
        return sentences.why_unranked(made, RULES, EN)

    assert why(Invented("a", "A", 3, 0, 0, 9, 1), below=10) == "fewer than 10 episodes: no figures"
    assert why(Invented("a", "A", 20, 0, 0, 9, 1)) == "fewer than 30 episodes"
    assert why(Invented("a", "A", 50, 0, 0, 4, 1)) == "fewer than 5 sites"
    assert why(Invented("a", "A", 50, 0, 0, 9, 1)) == "too few episodes whose deadline has passed"


def test_a_place_with_and_without_its_interval() -> None:
    item = estimate(COMPANIES[0], 4, "below")
    assert sentences.place(item, 11, EN) == "Rank 4 of 11; with 95% confidence 3 to 5."
    assert sentences.place(replace(item, rank_low=None), 11, NL) == "Plaats 4 van 11."
    assert sentences.place(replace(item, rank=None), 11, NL) == ""


def test_what_is_uncertain_is_said_only_where_it_applies() -> None:
    calm = public_row(estimate(Invented("a", "A", 50, 0, 0, 9, 1), 1, "meets"), RULES, table_is_ranked=True)
    assert len(certainty(calm, Unattributed(0, 0), NL)) == 1
    assert len(certainty(row(0.8, 0.95, "below"), Unattributed(3, 3), EN)) > 3


def test_one_of_a_kind_has_the_form_of_one() -> None:
    item = replace(estimate(Invented("a", "A", 50, 0, 0, 9, 1), 1, "meets"), refused=1, sites=1)
    alone = public_row(item, RULES, table_is_ranked=True)
    assert certainty(alone, Unattributed(1, 1), NL)[1:] == (
        "1 melding is geweigerd of niet bezorgd. Daarvoor loopt geen termijn.",
        "1 geval in deze periode kon aan geen enkel bedrijf worden toegerekend. Dat telt bij geen bedrijf mee.",
    )
    assert certainty(alone, Unattributed(2, 2), EN)[2].startswith("2 episodes in this period could not")
    assert sentences.what_was_measured(alone, EN).startswith(
        "At A, 50 episodes were measured in this period, on 1 site."
    )


@pytest.mark.parametrize("record", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_parameter_of_every_method_has_a_name_and_a_meaning(record: object, language: Language) -> None:
    assert isinstance(record, type(RULES))
    lines = {line.key: line for line in parameters.described(record, language)}
    assert set(lines) == set(record.parameters()) - {"version"} <= set(parameters.PARAMETERS)
    assert all(line.help and line.value and line.name != line.key for line in lines.values())
    assert set(record.deadlines_hours) <= set(KINDS)
