"""What the chapters say: in their order, in both languages, and never more than the figures prove."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from monitor.wording.language import EN, LANGUAGES, NL, Language
from reports.document import CHAPTERS, chapters, page
from reports.quality import quality
from reports.sections import Corrected, Difference, corrected, explained, norms, progress
from tests.reports.fiction import quarter, report
from tests.support.published import COMPANIES, filler, invent


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("medium", ["screen", "print"])
def test_chapters_are_in_order_with_their_numbers(language: Language, medium: str) -> None:
    made = report()
    html = page(made, language, medium)  # type: ignore[arg-type]
    found = re.findall(r'<h2 id="(\w+)"><span class="chapter-number">(\d+)</span> ([^<]+)</h2>', html)
    assert [(key, int(number)) for key, number, _ in found] == list(chapters(made.table).items())
    assert [key for key, _, _ in found] == [
        "summary", "key_figures", "ranking", "funnel", "slow", "relocation", "hash_hits", "quality", "norms", "trend",
        "how", "corrections", "tables", "colophon",
    ]  # fmt: skip
    assert [words for *_, words in found] == [language.gettext(CHAPTERS[key]) for key, *_ in found]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_and_pictures_are_numbered_from_one(language: Language) -> None:
    html = page(report(), language, "print")
    for word in {NL: ("Tabel", "Figuur"), EN: ("Table", "Figure")}[language]:
        pattern = rf"{word} (\d+)\."
        numbers = [int(n) for n in re.findall(f'class="label">{pattern}', html)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 8


def test_only_intervals_prove_who_is_slow_and_who_moved() -> None:
    made = report()
    before, found = made.earlier[-1], progress(made.table, made.earlier[-1])
    target = made.table.method.target
    assert found.below
    assert all(row.figures and (row.figures.on_time.lenient.high or 1) < target for row in found.below)
    assert [pair.name for pair in found.improved] == [
        "Klinker Colo", "Haven Carrier", "Delta Datacenters", "Polderhost", "Windvaan Hosting", "Zilvermeeuw Host",
    ]  # fmt: skip
    assert all((pair.after.low or 0) > (pair.before.high or 1) for pair in found.improved)
    assert found.worsened == ()
    backwards = progress(before, made.table)
    assert {pair.company for pair in backwards.worsened} == {pair.company for pair in found.improved}


def test_without_an_earlier_release_nothing_is_compared() -> None:
    first = report(first=True)
    found = progress(first.table, None)
    assert (found.improved, found.worsened, found.compared, found.then) == ((), (), False, {})
    assert explained(first.table, (), EN).sentences == ()
    html = page(first, EN, "print")
    assert "There is no earlier report to compare with yet." in html
    assert "This is the first report; nothing has been corrected yet." in html


def test_a_release_of_another_method_is_not_compared() -> None:
    made = report()
    other = replace(made.earlier[-1], method=replace(made.table.method, version="2025.1"))
    html = page(replace(made, earlier=(other,)), EN, "print")
    assert "The report before was measured by another method" in html
    assert "Cannot be split: the method or the deadline changed." in html


def test_quality_says_who_refused_what_came_in_and_when_it_stopped() -> None:
    found = quality(report().table, EN)
    assert [(row.name, row.figures.refused) for row in found.refusers if row.figures] == [
        ("Rietkraag Cloud", 17), ("Schildwacht Proxy Services", 9), ("Klinker Colo", 4), ("Dijkgraaf IT", 2),
        ("Delta Datacenters", 1),
    ]  # fmt: skip
    assert found.interruptions is not None
    assert [(one.what, one.starts[:7].replace("\u00a0", " ").strip(), one.reason) for one in found.interruptions] == [
        ("No delivery from oud-meldpunt", "2 March", ""),
        ("Outage at the hotline or the monitor", "6 April", "storage failed"),
        ("No delivery from meldpunt", "12 Apri", ""),
    ]
    assert found.interruptions[0].ends == "still going on"


def test_what_a_release_does_not_hold_is_said_and_not_drawn() -> None:
    made = report(replace(invent(), flows=None, norms=None, quality=None))
    html = page(replace(made, earlier=(), corrections=()), EN, "print")
    for words in ("where material moved to", "how it would be under another deadline", "what the sources delivered"):
        assert f"This release does not say {words}." in html
    assert norms(made.table) is None
    assert quality(made.table, EN).sources is None


def test_norms_name_those_whose_standing_depends_on_the_deadline() -> None:
    found = norms(report().table)
    assert found is not None
    assert found.hours == (1.0, 12.0, 24.0, 48.0)
    assert all(len(line) == 4 and len(set(line)) > 1 for _, line in found.changing)
    assert all(sum(standings.values()) == sum(found.tally[24.0].values()) for standings in found.tally.values())


def test_a_correction_tells_the_figures_before_and_after() -> None:
    correction = report().corrections[0]
    told = corrected(correction, EN)
    assert told.lines[0] == Difference(
        "All companies together", "Share on time", told.lines[0].before, told.lines[0].after
    )
    lines = [line for line in told.lines if line.company == "Polderhost"]
    assert [line.figure for line in lines] == ["Share on time"]
    assert told.others == 0


def test_a_correction_of_nothing_that_is_told_says_so() -> None:
    one = report().corrections[0]
    same = replace(one, before=one.after)
    assert corrected(same, EN) == Corrected((), 0)
    html = page(replace(report(), corrections=(same,)), EN, "print")
    assert "No rank, standing or main figure changed; other figures did." in html


def test_a_long_ranking_is_cut_and_stands_in_full_at_the_end() -> None:
    html = page(report(invent(companies=COMPANIES + filler(60))), EN, "print")
    ranking = html.partition('<section aria-labelledby="ranking"')[2].partition("</section>")[0]
    full = html.partition('id="full-ranking"')[2].partition("</table>")[0]
    assert "The table names the first 40 of 71." in ranking
    assert len(re.findall(r"<tr>", ranking.partition("<tbody>")[2].partition("</tbody>")[0])) == 40
    assert len(re.findall(r"<tr>", full.partition("<tbody>")[2])) == 71


def test_nothing_of_a_withheld_company_but_its_name_is_anywhere() -> None:
    """Turfschip has 5, 2 and 1 in each table: no row, picture or correction of it may hold a figure."""
    html = page(report(quarter("2026Q2")), EN, "screen")
    rows = re.findall(r"<tr>(?:(?!</tr>).)*Turfschip Networks(?:(?!</tr>).)*</tr>", html, re.DOTALL)
    assert rows
    for row in rows:
        assert set(re.findall(r"<td[^>]*>(.*?)</td>", row)) <= {
            "&lt;10",
            "&lt;30",
            "–",
            "fewer than 10 episodes: no figures",
            "fewer than 30 episodes: no figures",
        }
