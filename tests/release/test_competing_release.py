"""A release under method 2026.2 goes the whole way: draft, publication, report, package, site, verified, rebuilt."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from monitor.db import connect, transaction
from monitor.disclosure.rows import PublicTable, Row, public_table
from monitor.figures import COLUMNS, FIGURES, FILED, GROUP_COUNTS, HOURLY, IDENTITY, LINES
from monitor.models.release import Release
from monitor.release.store import load_table
from monitor.score.table import CompetingEstimate, Table
from monitor.settings import Settings
from monitor.tables import sheets
from monitor.wording.language import EN, LANGUAGES, NL, Language
from monitor.wording.words import reason_words
from reports.document import Medium, page
from reports.pdf_pool import render_pdf
from reports.read_release import read_report
from tests.support import competing
from tests.support.competing import BEFORE, PERIOD, run
from web.public.app import create_app


@dataclass(frozen=True)
class Installation:
    """A home in which both quarters are published."""

    home: Path
    url: str

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, database_url=self.url)

    def run(self, *arguments: object) -> str:
        return run(self.home, self.url, *arguments)

    def table(self, period: str) -> Table:
        """The newest version of a period as it is stored."""
        engine = connect(self.url)
        with transaction(engine) as session:
            query = select(Release).where(Release.period == period).order_by(Release.version.desc()).limit(1)
            found = load_table(session, session.scalars(query).one())
        engine.dispose()
        return found

    def report(self, language: Language, medium: Medium = "screen") -> str:
        engine = connect(self.url)
        with transaction(engine) as session:
            found = page(read_report(session, self.settings, PERIOD), language, medium)
        engine.dispose()
        return found

    def pdf(self, language: Language) -> bytes:
        return render_pdf(self.report(language, "print"), bytes(16))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Installation:
    home = tmp_path_factory.mktemp("competing")
    url = f"sqlite:///{shutil.copy(sqlite_template, home / 'monitor.db')}"
    competing.publish_both(home, url)
    return Installation(home, url)


@pytest.fixture(scope="module")
def published(installed: Installation) -> PublicTable:
    return public_table(installed.table(PERIOD))


@pytest.fixture(scope="module")
def site(installed: Installation) -> Iterator[FlaskClient]:
    with create_app(installed.settings.site).test_client() as client:
        yield client


@pytest.fixture(scope="module")
def reports(installed: Installation) -> Mapping[Language, str]:
    return {language: installed.report(language) for language in LANGUAGES}


def shown(table: PublicTable) -> list[tuple[Row, CompetingEstimate]]:
    return [(row, row.figures) for row in table.rows if isinstance(row.figures, CompetingEstimate)]


def test_every_standing_occurs(published: PublicTable) -> None:
    """So that what follows walks over all that pages can say."""
    standings = {row.company: row.standing for row in published.rows}
    assert standings == {
        "duinroos": "meets", "klinker": "below", "veenland": "not_proven", "polder": "not_proven",
        "trekvogel": "not_proven", "windvaan": "below", "dijkgraaf": "unreachable", "haven-noord": "below",
        "haven-zuid": "below", "grachten": "too_few", "lepelaar": "too_few", "kievit": "too_few", "snip": "too_few",
        "grutto": "too_few",
    }  # fmt: skip
    assert [(row.company, row.below) for row in published.rows if row.figures is None] == [
        ("grutto", 10), ("kievit", 10), ("lepelaar", 10), ("snip", 10),
    ]  # fmt: skip
    codes = {reason.code for _, item in shown(published) for reason in item.reasons}
    assert {"notices_refused", "checks_open", "too_few_sites_to_prove", "all_relocated", "order_not_known"} <= codes


def test_the_release_verifies_and_comes_out_again(installed: Installation) -> None:
    for period in (BEFORE, PERIOD):
        installed.run("release", "verify", period)  # fails where anything differs
        assert json.loads(installed.run("release", "rebuild", period, "--json"))["identical"] is True


def test_estimate_gives_the_figures_of_the_release_to_the_last_digit(
    installed: Installation, published: PublicTable, tmp_path: Path
) -> None:
    installed.run("release", "episodes", PERIOD, "--out", tmp_path)
    files = (tmp_path / "episodes.csv", "--companies", tmp_path / "companies.csv")
    found = json.loads(installed.run("estimate", *files, "--method", "2026.2", "--curves", "--json"))
    frozen = json.loads(json.dumps(installed.table(PERIOD).as_json()))
    hidden = {row.company for row in published.rows if row.figures is None}
    wanted = [row | {"legal": None} for row in frozen["companies"] if row["company"] not in hidden]
    assert [row | {"legal": None} for row in found["companies"]] == wanted
    assert found["groups"] == frozen["groups"]
    assert found["groups"][0]["figures"]["name"] == "Haven Holding Hosting"
    network = published.network
    for name in ("removed_at", "moved_at", "online_at"):
        assert [at["p"] for at in found["network"][name]] == [at.p for at in getattr(network, name)]
    for name in ("estimate", "older", "followed", "mature"):
        assert found["network"]["on_time"][name] == getattr(network, name)


def test_an_explanation_is_the_row_of_the_table_with_its_episodes_by_outcome(
    installed: Installation, published: PublicTable, tmp_path: Path
) -> None:
    """From the facts and from an episodes file alike."""
    installed.run("release", "episodes", PERIOD, "--out", tmp_path)
    asked = ("score", "--period", PERIOD, "--as-of", published.as_of, "--known-at", published.known_at)
    for key in ("veenland", "dijkgraaf", "windvaan"):
        row = next(item for line, item in shown(published) if line.company == key)
        of_facts = json.loads(installed.run(*asked, "--method", "2026.2", "--explain", key, "--json"))
        of_file = json.loads(
            installed.run("estimate", tmp_path / "episodes.csv", "--method", "2026.2", "--explain", key, "--json")
        )
        whole = json.loads(json.dumps(asdict(row)))
        for found in (of_facts, of_file):
            for name in ("standing", "proof", "direction", "reasons", "bh", "overdue", "unreachable"):
                assert found[name] == whole[name], (key, name)
            assert found["on_time"] == whole["on_time"]
            makeup = found["makeup"]
            assert makeup["mature"] == makeup["on_time"] + makeup["late"] + makeup["undetermined"]
            assert makeup["undetermined"] == makeup["bracketed"] + makeup["stopped"] + makeup["relocated_in_time"]
    text = installed.run(*asked, "--method", "2026.2", "--explain", "dijkgraaf")
    assert text.startswith("dijkgraaf: unreachable  (norm 90 % on time, method 2026.2)")
    assert "notices were refused or undeliverable" in text


def test_the_package_has_the_new_files_and_is_signed(installed: Installation) -> None:
    [folder] = [path for path in installed.settings.publications.glob(f"{PERIOD}-v1") if path.is_dir()]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["release"]["method"] == "2026.2"
    assert manifest["release"]["compared_with"] == "2026.1"
    assert {"groups.csv", "earlier-method.csv", "episodes.csv", "norms.csv"} <= manifest["files"].keys()
    described = json.loads((folder / "datapackage.json").read_text())
    names = [field["name"] for file in described["resources"] for field in file.get("schema", {}).get("fields", ())]
    assert "removed_at_24h_p" in names
    with (folder / "earlier-method.csv").open() as file:
        lines = {line["company"]: line["standing"] for line in csv.DictReader(file)}
    assert lines["dijkgraaf"] != "unreachable"  # a standing that method 2026.1 does not know
    assert not lines.keys() & {"lepelaar", "kievit", "snip", "grutto"}


def test_the_first_release_shows_both_standings_and_the_next_does_not(
    installed: Installation, site: FlaskClient, reports: Mapping[Language, str]
) -> None:
    both = (site.get(f"/en/ranking/{PERIOD}").text, reports[EN])
    for text in both:
        assert "What changed in the method" in text
        assert "Standing, 2026.1" in text
    assert "Wat er aan de werkwijze veranderde" in site.get(f"/nl/ranglijst/{PERIOD}").text
    assert "What changed in the method" not in site.get(f"/en/ranking/{BEFORE}").text
    earlier = installed.table(PERIOD).earlier
    assert earlier is not None
    assert earlier.method == "2026.1"
    assert {each.company: each.standing for each in earlier.companies}["klinker"] == "below"


def test_every_page_of_the_release_is_there(site: FlaskClient, installed: Installation) -> None:
    for path in (
        f"/en/ranking/{PERIOD}", f"/nl/ranglijst/{PERIOD}", f"/en/ranking/{PERIOD}.csv", f"/en/ranking/{PERIOD}.json",
        f"/en/charts/{PERIOD}", f"/nl/grafieken/{PERIOD}", f"/en/norm/{PERIOD}", f"/en/norm/{PERIOD}?hours=12",
        "/en/trend", "/nl/verloop", f"/en/compare?from={BEFORE}&to={PERIOD}", f"/en/open-data/{PERIOD}",
        "/en/method?version=2026.2", "/nl/werkwijze?version=2026.2", f"/en/cite/{PERIOD}", "/en/feed.atom",
        "/api/v1/openapi.json", f"/api/v1/releases/{PERIOD}", f"/api/v1/rankings/{PERIOD}?standing=unreachable",
        f"/api/v1/companies/dijkgraaf/{PERIOD}", "/api/v1/methods/2026.2", "/api/v1/trend",
    ):  # fmt: skip
        assert site.get(path).status_code == 200, path
    for row in public_table(installed.table(PERIOD)).rows:
        for path in (f"/en/company/{PERIOD}/{row.company}", f"/nl/bedrijf/{PERIOD}/{row.company}",
                     f"/badge/{PERIOD}/{row.company}.svg"):  # fmt: skip
            assert site.get(path).status_code == 200, path
    assert "Onbereikbaar" in site.get(f"/badge/{PERIOD}/dijkgraaf.svg?lang=nl").text


# One figure, one value: what each surface says of it, by its key in the registry.


def cells(text: str) -> str:
    """The words of a page without its tags, and with plain spaces."""
    plain = "".join(f" {part.partition('>')[2]}" for part in text.split("<"))
    return " ".join(unescape(plain).replace("\xa0", " ").split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_figure_has_one_value_on_page_and_report(
    language: Language, published: PublicTable, site: FlaskClient, reports: Mapping[Language, str]
) -> None:
    names = {EN: ("company", "ranking"), NL: ("bedrijf", "ranglijst")}[language]
    ranking, report = cells(site.get(f"/{language}/{names[1]}/{PERIOD}").text), cells(reports[language])
    for row, item in shown(published):
        text = cells(site.get(f"/{language}/{names[0]}/{PERIOD}/{row.company}").text)
        said = {place.figure.key: place.figure.read(item, language) for place in LINES if place.holds(item)}
        assert {"followed", "all_cases", "possibly_overdue", "gone_before_notice", "unreachable", "bh"} <= said.keys()
        for key, reading in said.items():
            assert reading.value.replace("\xa0", " ") in text, (row.company, key)
            assert reading.interval.replace("\xa0", " ") in text, (row.company, key)
        for reason in reason_words(item.reasons, language):
            assert reason in text, (row.company, reason)
            assert reason in ranking, (row.company, reason)
            assert reason in report, (row.company, reason)
        for figure in HOURLY:
            for at in figure.of(item):
                assert language.share(at.p).replace("\xa0", " ") in text
        for key in ("outstanding", "refused", "episodes", *(("median", "on_time") if row.ranked else ())):
            of_report = ((report, each) for each in (said[key].value, said[key].interval))
            for surface, value in ((ranking, said[key].interval), *of_report):
                assert value.replace("\xa0", " ") in surface, (row.company, key)
        assert language.share(item.on_time.estimate).replace("\xa0", " ") in ranking
    for group in published.groups or ():
        for figure in GROUP_COUNTS:
            assert figure.read(group.figures, language).value in ranking
        assert cells(group.figures.name) in report


def test_a_figure_has_one_value_in_csv_json_api_package_and_release(
    installed: Installation, published: PublicTable, site: FlaskClient
) -> None:
    [folder] = [path for path in installed.settings.publications.glob(f"{PERIOD}-v1") if path.is_dir()]
    files = {
        "site": site.get(f"/en/ranking/{PERIOD}.csv").text,
        "package": (folder / "ranking.csv").read_text("utf-8"),
    }
    of_files = {name: {line["company"]: line for line in csv.DictReader(io.StringIO(text))}
                for name, text in files.items()}  # fmt: skip
    page_json = {row["company"]: row for row in site.get(f"/en/ranking/{PERIOD}.json").json["companies"]}  # type: ignore[index]
    api = {row["company"]: row for row in site.get(f"/api/v1/rankings/{PERIOD}?per_page=100").json["companies"]}  # type: ignore[index]
    frozen = {row["company"]: row for row in installed.table(PERIOD).as_json()["companies"]}
    for row, item in shown(published):
        one = site.get(f"/api/v1/companies/{row.company}/{PERIOD}").json["company"]  # type: ignore[index]
        for figure in FILED:
            if figure in IDENTITY or figure.get or not figure.in_release(item):
                continue
            value = json.loads(json.dumps(frozen[row.company][figure.field]))
            assert one[figure.field] == value, figure.key
            if figure.field == "curve":
                continue
            assert page_json[row.company][figure.field] == value, figure.key
            assert api[row.company][figure.field] == value, figure.key
            for column, cell in sheets.flat({figure.field: value}).items():
                for name, lines in of_files.items():
                    assert lines[row.company][column] == text_of(cell), (name, column)
    groups = site.get(f"/en/ranking/{PERIOD}.json").json["groups"]  # type: ignore[index]
    assert groups == json.loads(json.dumps([sheets.group_json(group) for group in published.groups or ()]))
    [line] = csv.DictReader(io.StringIO((folder / "groups.csv").read_text("utf-8")))
    assert line["on_time_estimate"] == text_of(groups[0]["on_time"]["estimate"])


def text_of(cell: Any) -> str:
    """A value as a CSV file has it."""
    return "" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell)


def test_nothing_reads_as_none(published: PublicTable, site: FlaskClient, reports: Mapping[Language, str]) -> None:
    keys = {place.figure.key for place in COLUMNS}
    assert {"on_time", "standing", "rank"} <= keys
    texts = [reports[EN], *(site.get(f"/en/company/{PERIOD}/{row.company}").text for row in published.rows)]
    for text in texts:
        assert "None" not in cells(text)


# Every number on every surface: limits in order and within what they can be, and counts of the period.

_SHARES = re.compile(r"([\d.]+)% – ([\d.]+)%")
_HOURS = re.compile(r"([\d,.]+)–([\d,.]+) hours")
_TINY = 1e-9
_PROBABILITIES = ("p_below",)  # may be as small as it likes


def pages(site: FlaskClient, table: PublicTable) -> Mapping[str, str]:
    """Every page of both quarters in English, by its address."""
    addresses = [f"/en/{kind}/{period}" for period in (BEFORE, PERIOD) for kind in ("ranking", "charts", "open-data")]
    addresses += [f"/en/norm/{PERIOD}?hours={hours}" for hours in (1, 12, 24, 48)]
    addresses += ["/en/trend", f"/en/compare?from={BEFORE}&to={PERIOD}"]
    addresses += [f"/en/company/{PERIOD}/{row.company}" for row in table.rows]
    return {address: site.get(address).text for address in addresses}


def test_limits_read_in_order_and_within_range_on_every_page_and_in_the_report(
    published: PublicTable, site: FlaskClient, reports: Mapping[Language, str]
) -> None:
    texts = {address: cells(text) for address, text in pages(site, published).items()} | {"report": cells(reports[EN])}
    ranges = 0
    for address, text in texts.items():
        for low, high in _SHARES.findall(text):
            assert 0 <= float(low) <= float(high) <= 100, (address, low, high)
            ranges += 1
        for low, high in _HOURS.findall(text):
            assert 0 <= float(low.replace(",", "")) <= float(high.replace(",", "")), (address, low, high)
        assert "e-1" not in re.sub(r"[a-z]+e-1|[0-9a-f]{16,}", "", text), address
    assert ranges > 200


def unordered(value: Any, path: str = "") -> Iterator[str]:
    """Where in JSON limits are out of order or range, or a number is what a sum of floats left of nothing."""
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from unordered(each, f"{path}[{place}]")
    elif isinstance(value, dict):
        low, high = value.get("low"), value.get("high")
        middle = value.get("p", value.get("value"))
        known = [each for each in (low, middle, high) if isinstance(each, int | float)]
        if {"low", "high"} <= value.keys() and (known != sorted(known) or any(each < 0 for each in known)):
            yield f"{path}: {known}"
        if "p" in value and any(each > 1 for each in known):
            yield f"{path}: above 1"
        for name in ("behaviour", "mix"):
            ends: list[Any] = [value.get(f"{name}_low"), value.get(name), value.get(f"{name}_high")]
            if None not in ends and not -1 <= ends[0] <= ends[1] <= ends[2] <= 1:
                yield f"{path}.{name}: {ends}"
        for name, each in value.items():
            probability = {name, value.get("figure")} & {*_PROBABILITIES}
            if isinstance(each, float) and 0 < abs(each) < _TINY and not probability:
                yield f"{path}.{name}: {each}"
            yield from unordered(each, f"{path}.{name}")


def test_limits_are_in_order_and_within_range_in_every_file(
    installed: Installation, published: PublicTable, site: FlaskClient
) -> None:
    addresses = [f"/en/ranking/{period}.json" for period in (BEFORE, PERIOD)]
    addresses += [f"/api/v1/rankings/{PERIOD}?per_page=100", "/api/v1/trend", "/en/trend.json",
                  f"/en/compare.json?from={BEFORE}&to={PERIOD}", f"/en/norm/{PERIOD}.json?hours=12"]  # fmt: skip
    addresses += [f"/en/company/{PERIOD}/{row.company}.json" for row in published.rows]
    for address in addresses:
        answer = site.get(address, follow_redirects=True)
        assert answer.status_code == 200, address
        assert list(unordered(answer.json)) == [], address
    [folder] = [path for path in installed.settings.publications.glob(f"{PERIOD}-v1") if path.is_dir()]
    for path in folder.glob("*.csv"):
        for line in csv.DictReader(io.StringIO(path.read_text("utf-8"))):
            for name in [name for name in line if name.endswith("_low")]:
                low, high = line[name], line[f"{name.removesuffix('_low')}_high"]
                assert not low or not high or float(low) <= float(high), (path.name, name, line)


def test_the_faults_that_the_walk_is_for_are_found() -> None:
    assert list(unordered({"p": 0.5, "low": 0.6, "high": 0.7})) == [": [0.6, 0.5, 0.7]"]
    assert list(unordered([{"value": 1.0, "low": -0.2, "high": 2.0}])) == ["[0]: [-0.2, 1.0, 2.0]"]
    assert list(unordered({"mix": 2.8e-17})) == [".mix: 2.8e-17"]
    assert list(unordered({"behaviour_low": -1.2, "behaviour": 0.1, "behaviour_high": 0.3})) == [
        ".behaviour: [-1.2, 0.1, 0.3]"
    ]


def test_counts_are_of_the_period(published: PublicTable) -> None:
    """What is open of all periods stands by itself: no count of a row is larger than its episodes."""
    older = 0
    for row, item in shown(published):
        open_ones = item.outstanding + item.unverified
        assert open_ones + item.relocated + item.on_time.on_time - item.on_time.undetermined <= item.episodes, (
            row.company
        )
        assert item.overdue + item.possibly_overdue <= item.outstanding + item.unverified
        assert sum(age.episodes for age in item.outstanding_by_age or ()) == item.outstanding
        older += item.backlog.outstanding + item.backlog.unverified - item.outstanding - item.unverified
        assert item.backlog.outstanding >= item.outstanding
    assert older > 0


def test_the_network_has_one_value_on_tiles_charts_trend_compare_package_and_pdf(
    installed: Installation, published: PublicTable, site: FlaskClient, reports: Mapping[Language, str]
) -> None:
    network, [folder] = (
        published.network,
        [p for p in installed.settings.publications.glob(f"{PERIOD}-v1") if p.is_dir()],
    )
    share = FIGURES["on_time"].read_value(network, EN).value.replace("\xa0", " ")
    ranking, trend = cells(site.get(f"/en/ranking/{PERIOD}").text), cells(site.get("/en/trend").text)
    assert f"Share on time {share}" in ranking
    whole = EN.share_range(network.strict.p, network.lenient.p).replace("\xa0", " ")
    assert f"2026-Q1 {whole}" in trend.replace(" without the smallest companies", "")
    assert share in cells(reports[EN])
    with_figures = next(line for line in published.totals if line.kind == "shown")
    for key in ("episodes", "outstanding"):
        total = network.counts[key]
        counted = with_figures.counts[key] if total is None else total
        assert f"{EN.gettext(FIGURES[key].name)} {EN.count(counted)} " in ranking
    ages = csv.reader(io.StringIO(site.get(f"/en/ranking/{PERIOD}/age.csv").text))
    assert sum(int(line[1]) for line in [*ages][1:]) == with_figures.counts["outstanding"]
    line, *_ = csv.DictReader(io.StringIO((folder / "trend.csv").read_text("utf-8")))
    point = site.get("/en/trend.json").json["quarters"][-1]  # type: ignore[index]
    assert (line["period"], point["period"]) == (PERIOD, PERIOD)
    for column, value in (
        ("on_time_lenient_p", network.lenient.p), ("on_time_strict_low", network.strict.low),
        ("median_hours_value", network.median_hours.value), ("median_hours_high", network.median_hours.high),
    ):  # fmt: skip
        assert line[column] == text_of(value), column
    assert (point["lenient"]["p"], point["median_low"]) == (network.lenient.p, network.median_hours.low)
    paper = "".join(each.extract_text() for each in PdfReader(io.BytesIO(installed.pdf(EN))).pages)
    said = " ".join(paper.replace("\xa0", " ").split())
    for row, item in shown(published):
        if row.ranked:
            assert EN.share(item.on_time.estimate) in said, row.company
    assert EN.share(network.lenient.p) in said


def test_badge_feed_and_compare_say_what_the_release_says(published: PublicTable, site: FlaskClient) -> None:
    compare, feed = cells(site.get(f"/en/compare?from={BEFORE}&to={PERIOD}").text), site.get("/en/feed.atom").text
    assert f"/en/ranking/{PERIOD}?version=1" in feed
    for row, item in shown(published):
        badge = unescape(site.get(f"/badge/{PERIOD}/{row.company}.svg?lang=en").text).replace("\xa0", " ")
        said = FIGURES["on_time"].read(item, EN).value.replace("\xa0", " ")
        assert (said in badge) == (row.standing not in (None, "too_few")), row.company
        if row.company in ("duinroos", "klinker", "windvaan"):  # in both quarters
            assert said in compare, row.company
