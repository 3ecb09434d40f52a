"""The documents on sources are true: their formats, rules, columns, files, commands and settings are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from monitor.cli import cli
from monitor.formats.catalogue import DEFAULT_SOURCE, FORMATS
from monitor.formats.inhope_csv import COLUMNS, NOT_READ, OPTIONAL
from monitor.ingest.checks import RULES
from monitor.settings import load_settings
from monitor.source_options import Thresholds

ROOT = Path(__file__).parents[1]
TEXT, HOTLINE, DEVELOPER = (
    (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("sources", "delivering", "adding-a-source")
)
PAPERS = [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (Path(__file__).parents[1] / "docs").glob("*.md")),
]  # fmt: skip
CODE = re.compile(r"`([^`\n]+)`")
NUMBERS = {"four": 4, "five": 5, "six": 6, "seven": 7}
TOLD = ("monitor", "spiders", "web", "reports", "migrations", "tests", "tools", "benchmarks", "docs")
READABLE = {".py", ".md", ".csv", ".json", ".html", ".toml", ".yaml", ".po", ".txt"}


SCART = "SCART: what an item's own record says"


def section(title: str) -> str:
    """What stands under a heading of the second level."""
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


FORMAT_FILES, COLLECTOR_FILES = (
    re.findall(r"^\d\. `([^`]+)`", part, re.MULTILINE) for part in DEVELOPER.split("**Fetching it.**")
)


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text."""
    return [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]


def test_every_format_and_every_delivery_check_is_named() -> None:
    assert FORMATS.keys() <= set(CODE.findall(section("What all formats share") + section(SCART)))
    named = {name for cells in rows(HOTLINE) for name in CODE.findall(cells[0])}
    assert named >= RULES


def test_the_limits_of_the_delivery_checks_are_the_defaults() -> None:
    limits, said = Thresholds(), " ".join(HOTLINE.split())
    for words in (
        f"more than {limits.quarantined_suspicious:.0%} of the rows", f"over {limits.quarantined_refused:.0%}: refused",
        f"more than {limits.unknown_values:.0%} of the rows", f"more than {limits.unknown_columns} new columns",
        f"would have had {limits.expected_of_company:g} even", f"more than {limits.longest_gap_days:g} days (or ten",
        f"over {limits.returned:.0%} of what is said online", f"more than {limits.returned_after_days:g} days before",
        f"over {limits.retimed:.0%} of the notices", f"over {limits.shifted:.0%} of the times",
        f"where {limits.repeated_usually:.0%} or more", f"the last {limits.history} deliveries",
        f"with fewer than {limits.history_at_least},", f"from {limits.shares_from_rows} rows on",
        f"contradictions from {limits.contradicted_from}.",
    ):  # fmt: skip
        assert words.replace("%", " %") in said, words
    fewest, most = limits.least_rows, limits.most_rows
    assert (fewest, most, limits.least_days, limits.repeated_at_least) == (0.5, 4.0, 0.5, 0.5)  # "half", "four times"


def test_the_columns_of_the_table_are_those_that_are_read() -> None:
    table = HOTLINE.split("| column | what |")[1].split("```csv")[0]
    assert [name for cells in rows(table) for name in CODE.findall(cells[0])] == [*COLUMNS, *OPTIONAL, *NOT_READ]


def test_the_example_delivery_is_the_sample_that_the_parser_is_tested_with() -> None:
    [block] = re.findall(r"```csv\n(.*?)```", HOTLINE, re.DOTALL)
    [sample] = [ROOT / name for name in FORMAT_FILES if name.endswith(".csv")]
    assert block == sample.read_text("utf-8")


def test_a_format_is_as_many_files_as_the_page_says_and_no_others() -> None:
    [number] = re.findall(r"A format is \*\*(\w+) files\*\*", DEVELOPER)
    [example] = re.findall(r"The example is `([^`]+)`", DEVELOPER)
    assert example in FORMATS
    assert len(FORMAT_FILES) == NUMBERS[number]
    named = re.compile(re.escape(example).replace(r"\-", "[-_]"))
    files = [path for name in TOLD for path in (ROOT / name).rglob("*") if path.suffix in READABLE]
    telling = {
        str(path.relative_to(ROOT))
        for path in files
        if named.search(path.name) or named.search(path.read_text("utf-8", "replace"))
    }
    general = {
        str(Path(__file__).relative_to(ROOT)),
        "docs/delivering.md",
        "docs/adding-a-source.md",
        "docs/field-log.md",
        "tests/ingest/test_rekey.py",
        "tests/ingest/test_url_forms.py",
        "tests/score/test_fairness.py",
        "tests/supplements/test_stated_times.py",
        "tests/test_field_log.py",
        "tests/test_key_checks.py",
    }  # fmt: skip -- of several formats, or of this one as an example
    assert {name for name in telling - general if not name.startswith("tests/attack/")} == set(FORMAT_FILES)


def test_what_the_page_points_at_exists() -> None:
    assert len(COLLECTOR_FILES) == 3
    for name in FORMAT_FILES + COLLECTOR_FILES:
        assert (ROOT / name).is_file(), name
    blocks = [cells for cells in rows(DEVELOPER) if cells[0].strip().startswith("`monitor/")]
    assert len(blocks) == 5
    for cells in blocks:
        [path] = CODE.findall(cells[0])
        code = (ROOT / path).read_text("utf-8")
        for name in CODE.findall(cells[1]):
            word = name.partition("(")[0]
            assert word in {"None", "DeliveryError"} or re.search(rf"(def|class) {word}\b", code), name


def test_the_default_source_is_the_part_before_the_hyphen() -> None:
    assert DEFAULT_SOURCE["scart-ntd"] == "scart"
    assert DEFAULT_SOURCE["urlhaus"] == "urlhaus"


@pytest.mark.parametrize("paper", PAPERS)
def test_links_lead_somewhere(paper: str) -> None:
    text = re.sub(r"`[^`\n]*`", "", (ROOT / paper).read_text("utf-8"))  # a link in code is an example of one
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith("http"):
            path, _, anchor = target.partition("#")
            found = (ROOT / paper).parent / path if path else ROOT / paper
            assert found.exists(), target
            assert not anchor or anchor in anchors(found.read_text("utf-8")), target


def anchors(text: str) -> set[str]:
    """The anchors that headings get."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def shown(text: str) -> list[str]:
    """What is set as code: in the line, and in blocks for the shell."""
    return CODE.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)) + re.findall(
        r"```sh\n(.*?)```", text, re.DOTALL
    )


@pytest.mark.parametrize("paper", PAPERS)
def test_the_commands_that_are_told_of_exist(paper: str) -> None:
    text = (ROOT / paper).read_text("utf-8")
    told = set(re.findall(r"(?:^|[`/ ])monitor ([a-z]+)(?: ([a-z][a-z-]*))?", "\n".join(shown(text)), re.MULTILINE))
    context = click.Context(cli)
    for name, word in told:
        command = cli.get_command(context, name)
        assert command is not None, name
        if word and isinstance(command, click.Group):
            assert word in command.list_commands(context), (name, word)


@pytest.mark.parametrize("paper", PAPERS)
def test_the_configuration_that_is_shown_loads(paper: str, tmp_path: Path) -> None:
    for block in re.findall(r"^ *```toml\n(.*?)```", (ROOT / paper).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        path = tmp_path / "monitor.toml"
        path.write_text(block, "utf-8")
        settings = load_settings({"MONITOR_CONFIG": str(path), "MONITOR_HOME": str(tmp_path)})
        assert settings.sources


def test_the_configuration_of_the_example_says_what_it_is_said_to(tmp_path: Path) -> None:
    [block] = re.findall(r"```toml\n(.*?)```", DEVELOPER, re.DOTALL)
    path = tmp_path / "monitor.toml"
    path.write_text(block, "utf-8")
    settings = load_settings({"MONITOR_CONFIG": str(path)})
    assert settings.source("example_hotline").gate.longest_gap_days == 40
    assert not settings.source("example_hotline").location  # by hand: never on schedule
    assert settings.source("second_hotline").zone == "Europe/Dublin"
