"""`monitor collect` broken off, by a signal or by the other side, and started again: nothing lost, nothing doubled."""

from __future__ import annotations

import shutil
from pathlib import Path

from monitor.vault import Vault
from tests.conftest import NewDatabase
from tests.faults.broken import NO_FAULT, Ended, Fault, start
from tests.faults.conftest import Feed
from tests.faults.facts import facts
from tests.spiders.installation import CANARY, Installation
from tests.spiders.installation import feed as feed_of

_ROWS = 120
KILLS = 3


class Collecting:
    """Installations with the same keys that collect from one feed."""

    def __init__(self, folder: Path, feed: Feed, new_database: NewDatabase) -> None:
        self.folder, self.feed, self.new_database = folder, feed, new_database
        self.runs = self.installations = 0
        self.first = self.install()
        self.vault = Vault(self.first.home / "keys.json")

    def install(self) -> Installation:
        """An installation with an empty database."""
        self.installations += 1
        made = Installation(self.folder / f"home-{self.installations}", self.new_database())
        if self.installations > 1:
            shutil.copy2(self.first.home / "keys.json", made.home / "keys.json")
        made.configure("urlhaus", location=self.feed.address, minimum_rows=1)
        return made

    def collect(self, at: Installation, fault: Fault = NO_FAULT) -> Ended:
        """Collect once; no URL and no stack trace is said."""
        self.runs += 1
        arguments = ("collect", "urlhaus", "--json", "--retry-wait", "0.01")
        ended = start(self.folder / f"run-{self.runs}", at.environment, fault, *arguments).ended()
        assert CANARY not in ended.said
        return ended

    def facts(self, at: Installation) -> dict[str, list[str]]:
        """What an installation holds."""
        return facts(at.url, self.vault)


def test_killed_anywhere_the_next_run_completes(tmp_path: Path, feed: Feed, new_database: NewDatabase) -> None:
    feed.body = feed_of(_ROWS).encode()
    collecting = Collecting(tmp_path, feed, new_database)
    undisturbed = collecting.collect(collecting.first)
    assert undisturbed.status == 0, undisturbed.said
    expected = collecting.facts(collecting.first)
    assert len(expected["notices"]) == _ROWS
    for kill in range(KILLS):
        at = collecting.install()
        point = 1 + (undisturbed.points - 1) * kill // (KILLS - 1)
        assert collecting.collect(at, Fault("kill", point)).status == -9
        assert collecting.collect(at).status == 0
        assert collecting.facts(at) == expected, f"killed at point {point}"
        at.assert_silent()


def test_reset_by_the_other_side_nothing_is_taken_and_the_next_run_completes(
    tmp_path: Path, feed: Feed, new_database: NewDatabase
) -> None:
    feed.body = feed_of(_ROWS).encode()
    collecting = Collecting(tmp_path, feed, new_database)
    assert collecting.collect(collecting.first).status == 0
    expected = collecting.facts(collecting.first)
    at = collecting.install()
    empty = collecting.facts(at)
    for sent in (0, len(feed.body) // 2, len(feed.body) - 1):
        feed.reset_after = sent
        ended = collecting.collect(at)
        assert (ended.status, "broke off" in ended.said) == (1, True), ended.said
        assert collecting.facts(at) == empty
    assert feed.asked > 4, "it was tried again"
    feed.reset_after = None
    assert collecting.collect(at).status == 0
    assert collecting.facts(at) == expected
    at.assert_silent()
