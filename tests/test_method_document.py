"""The method as published, in both languages: its parameters, names, formulas and example are those of the code."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from monitor.estimators.beta_binomial import effective_sample_size_from_se, fit_prior, posterior_mean
from monitor.estimators.rounding import SIGNIFICANT_DIGITS
from monitor.figures import LATENESS
from monitor.score.methods import CURRENT, HASH_HITS, METHODS
from monitor.score.pipeline import estimate_file
from monitor.score.table import Estimate, Standing
from monitor.wording.language import EN, LANGUAGES, NL, Language
from monitor.wording.words import STANDINGS

DOCS = Path(__file__).parents[1] / "docs"
FILES: dict[Language, str] = {EN: "method.md", NL: "method.nl.md"}
ARITHMETIC = {"__builtins__": {}, "sqrt": math.sqrt, "exp": math.exp, "log": math.log}
SEPARATORS: dict[Language, dict[int, str]] = {EN: {ord(","): ""}, NL: {ord("."): "", ord(","): "."}}
NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?:e-\d+)?(?!\w)")
CODE = re.compile(r"`([^`]+)`")
NOTHING = {EN: "none", NL: "leeg"}
AND = {EN: " and ", NL: " en "}
TABLES = (
    "facts",
    "items",
    "counts",
    "parts",
    "coverage",
    "truth",
    "episodes",
    "figures",
    "scores",
    "names",
    "parameters",
)
LINES = {language: (DOCS / name).read_text(encoding="utf-8").splitlines() for language, name in FILES.items()}

both = pytest.mark.parametrize("language", LANGUAGES)


def table(language: Language, name: str) -> list[list[str]]:
    """The cells of that table, row by row, the head first and without the rule under it."""
    found: list[list[list[str]]] = []
    for before, line in pairwise(["", *LINES[language]]):
        if line.startswith("|"):
            if not before.startswith("|"):
                found.append([])
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
    assert len(found) == len(TABLES)
    head, _, *rows = found[TABLES.index(name)]
    return [head, *rows]


def plain(text: str, language: Language) -> str:
    """Numbers as Python writes them; what is code stays as it is."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else NUMBER.sub(lambda m: _point(m[0], language), p) for p in parts)


def _point(number: str, language: Language) -> str:
    return number if number == CURRENT else number.translate(SEPARATORS[language])


def said(value: float, stated: str) -> str:
    """The value with as many decimals as the text states."""
    return f"{value:.{len(stated.partition('.')[2])}f}"


@pytest.fixture(scope="module", params=LANGUAGES)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Language, Estimate]:
    """The episodes of the text, scored as those of one company."""
    language: Language = request.param
    head, *rows = table(language, "episodes")
    path = tmp_path_factory.mktemp("example") / "episodes.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["company", *(name.strip("`") for name in head)], *(["a", *row] for row in rows)])
    [company] = estimate_file(path, METHODS[CURRENT]).companies
    return language, company


def figure(estimate: Estimate, path: str) -> Any:
    """What stands at a dotted path; in a list the item whose first field is named (None: `any`)."""
    value: Any = estimate
    for part in path.split("."):
        value = _item(value, part) if isinstance(value, tuple) else getattr(value, part)
    return value


def _item(items: tuple[Any, ...], name: str) -> Any:
    firsts = {first: item for item in items for first in [getattr(item, fields(item)[0].name)]}
    return firsts[None if name == "any" else float(name)]


@both
def test_the_title_names_the_method_in_force(language: Language) -> None:
    assert LINES[language][0].rpartition(" ")[2] == CURRENT


@both
def test_the_parameters_are_those_of_the_method(language: Language) -> None:
    _, *rows = table(language, "parameters")
    stated = [(name.strip("`"), json.loads(value.strip("`"))) for name, value, _ in rows]
    assert stated == list(json.loads(json.dumps(METHODS[CURRENT].parameters())).items())


@both
def test_the_numbers_in_the_sentences_are_the_parameters(language: Language) -> None:
    text, rules = plain(" ".join(LINES[language]), language), METHODS[CURRENT]
    kinds = rules.deadlines_hours
    deadlines = r"D \S+ {hotline_notice:g} h .* {binding_instruction:g} h .* {removal_order:g} h ".format(**kinds)
    for pattern in (
        deadlines,
        rf"{rules.reappear_within_hours:g} h [^.]*\.",
        rf"{rules.minimum_episodes} episodes .{{0,12}} {rules.minimum_sites} sites",
        rf"{rules.publish_below} episodes [^.]* \"<{rules.publish_below}\"",
        rf"\"<{rules.minimum_episodes}\"",
        rf"norm \S+ {100 * rules.target:g}%",
        r" {:g} \S+ {:g} h ".format(*rules.relocation_hours),
        rf" {SIGNIFICANT_DIGITS} signific",
    ):
        assert re.search(pattern, text), pattern
    assert json.dumps([*HASH_HITS]) in CODE.findall(text)
    known = {*kinds.values(), rules.stale_after_hours, rules.restricted_mean_hours, *rules.relocation_hours}
    assert {float(hours) for hours in re.findall(r"(\d+) h\b", text)} <= known
    assert rules.time_grid
    (exact, none), (_, step) = rules.time_grid
    assert none == 0
    assert re.search(rf" {exact} episodes .* {step} sec", text)


def _records(cls: type) -> Iterator[tuple[str, str]]:
    """(record, field) of a dataclass and of all it is made of."""
    hints = get_type_hints(cls)
    for field in fields(cls):
        yield cls.__name__, field.name
        for part in (hints[field.name], *get_args(hints[field.name])):
            if isinstance(part, type) and is_dataclass(part):
                yield from _records(part)


@both
def test_every_figure_that_is_published_is_named_once_and_no_other(language: Language) -> None:
    _, *rows = table(language, "names")
    stated = Counter((record.strip("`"), name) for record, names, *_ in rows for name in CODE.findall(names))
    assert stated == Counter(set(_records(Estimate)))


@both
def test_the_three_counts_and_the_standings_have_the_names_of_the_site(language: Language) -> None:
    _, *rows = table(language, "counts")
    assert [name for name, _ in rows] == [
        language.gettext(LATENESS[k].name).lower() for k in ("on_time", "late", "undetermined")
    ]
    standings: tuple[Standing, ...] = tuple(STANDINGS)
    assert set(standings) <= set(CODE.findall("\n".join(LINES[language])))


def test_the_example_comes_out_as_stated_by_hand_and_by_the_code(example: tuple[Language, Estimate]) -> None:
    language, company = example
    share = company.on_time.lenient
    arrays = (np.array([value], float) for value in (share.p, share.se, company.sites, company.on_time.mature))
    n_eff = float(effective_sample_size_from_se(*arrays)[0])
    _, *rows = table(language, "figures")
    for path, by_hand, value in rows:
        name, stated = path.strip("`"), plain(value, language)
        computed = n_eff if name == "n_eff" else figure(company, name)
        if stated == NOTHING[language]:
            assert computed is None, name
        else:
            worked = eval(by_hand.strip("`"), ARITHMETIC)
            assert (name, said(computed, stated), said(worked, stated)) == (name, stated, stated)


def test_the_sentence_on_the_sites_of_the_example_agrees_with_its_rows(example: tuple[Language, Estimate]) -> None:
    """Which rows are on time, late or undetermined, and the degrees of freedom, from the rules as written."""
    language, company = example
    _, *rows = table(language, "episodes")
    deadline = company.on_time.deadline_hours
    on_time = [n for n, row in enumerate(rows, 1) if row[2] and float(row[2]) <= deadline]
    late = [n for n, row in enumerate(rows, 1) if float(row[1]) > deadline]
    [unknown] = set(range(1, len(rows) + 1)) - {*on_time, *late}
    squares = sum(count**2 for count in Counter(row[0] for row in rows).values())
    [sentence] = re.findall(r"\n\n(.* − 1/3 .*)\n", "\n".join(_paragraphs(language)))
    numbers = NUMBER.findall(plain(sentence, language))
    assert numbers[:6] == [str(n) for n in (*on_time, *late, unknown)]
    assert f"G = {len(rows) ** 2}/{squares}," in sentence


def _paragraphs(language: Language) -> Iterator[str]:
    """Every paragraph on one line, with an empty line before it."""
    for paragraph in "\n".join(LINES[language]).split("\n\n"):
        yield "\n" + paragraph.replace("\n", " ") + "\n"


@both
def test_the_scores_of_two_companies_are_those_of_the_code(language: Language) -> None:
    _, *rows = table(language, "scores")
    for row in rows:
        shares, trials, mean, precision, scores = (plain(cell, language) for cell in row)
        p, n = (np.array(list(map(float, cell.split(AND[language])))) for cell in (shares, trials))
        prior = fit_prior(p, n)
        assert said(prior.mean, mean) == mean
        assert ("∞" if math.isinf(prior.precision) else said(prior.precision, precision)) == precision
        stated = scores.split(AND[language])
        assert [said(100 * s, text) for s, text in zip(posterior_mean(p, n).tolist(), stated, strict=True)] == stated


STUDY = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (DOCS / "study.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
]


def test_how_often_the_intervals_hold_is_what_the_study_found() -> None:
    """study.md: world, share unclustered, share, width, range with checks, median unclustered, median, with checks."""
    found = {row[0]: [row[1], row[2], row[4], row[7]] for row in STUDY if len(row) == 8 and "sites" in row[0]}
    _, *rows = table(EN, "coverage")
    assert rows == [[name, *found[name.replace("50%", "50 %")]] for name, *_ in rows]


def test_how_far_the_usual_figures_are_from_the_truth_is_what_the_study_found() -> None:
    """study.md has two tables with a row a share and gap: the shares not removed, then the usual figures."""
    first, second = ([row for row in STUDY if row[0].endswith(" h") and len(row) == width] for width in (9, 7))
    lines = [[a[0], *a[1:5], b[1], b[4], b[6]] for a, b in zip(first, second, strict=True) if not a[0].endswith(" 1 h")]
    _, *rows = table(EN, "truth")
    assert [[row[0].replace("hours apart", "h"), *row[1:]] for row in rows] == lines


def _exact(text: str, language: Language) -> Counter[str]:
    """What no translation may change: code and numbers."""
    text = text.replace("method.nl.md", "").replace("method.md", "")
    return Counter(CODE.findall(text)) + Counter(NUMBER.findall(plain(CODE.sub(" ", text), language)))


def _sections(language: Language) -> list[str]:
    return re.split(r"^## ", "\n".join(LINES[language]), flags=re.MULTILINE)


def _said(section: str) -> str:
    """The section without its formulas, which have a point in both languages."""
    return re.sub(r"^    .*", "", section, flags=re.MULTILINE)


def test_both_languages_have_the_same_sections_formulas_code_and_numbers() -> None:
    english, dutch = _sections(EN), _sections(NL)
    assert len(english) == len(dutch)
    for ours, theirs in zip(english, dutch, strict=True):
        assert re.findall(r"^    .*", ours, re.MULTILINE) == re.findall(r"^    .*", theirs, re.MULTILINE)
        assert _exact(_said(ours), EN) == _exact(_said(theirs), NL), ours.partition("\n")[0]


@pytest.mark.parametrize("name", TABLES)
def test_both_languages_have_the_same_tables(name: str) -> None:
    english, dutch = table(EN, name), table(NL, name)
    assert [len(row) for row in english] == [len(row) for row in dutch]
    for ours, theirs in zip(english, dutch, strict=True):
        assert [_exact(cell, EN) for cell in ours] == [_exact(cell, NL) for cell in theirs]


@both
def test_links_lead_somewhere(language: Language) -> None:
    links = re.findall(r"\]\(([^)]+)\)", re.sub(r"`[^`\n]*`", "", "\n".join(LINES[language])))
    assert "study.md" in links
    assert [link for link in links if not (DOCS / link).exists()] == []
