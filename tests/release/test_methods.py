"""A release is made with a method, and rebuilt with that one, whatever methods come after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.models.release import Release
from monitor.release.publish import check
from monitor.release.rebuild import method_of, rebuild, request_of
from monitor.score import methods
from monitor.score.methods import Method
from tests.release.conftest import Published, Run
from tests.release.history import PERIOD

FIRST = methods.METHODS["2026.1"]


def in_force(monkeypatch: pytest.MonkeyPatch, *records: Method) -> None:
    """As if these were the methods of the code, the last one the current."""
    monkeypatch.setattr(methods, "METHODS", {record.version: record for record in records})
    monkeypatch.setattr(methods, "CURRENT", records[-1].version)


def test_a_newer_method_changes_nothing_of_an_older_release(
    published: Published, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force(monkeypatch, FIRST, replace(FIRST, version="2027.1", minimum_episodes=37))
    with transaction(published.database.engine) as session:
        release = session.get_one(Release, 1)
        assert check(session, release) == []
        assert rebuild(session, release).identical
    said = run("release", "correct", PERIOD, "--reason", "new method", "--method", "2027.1", "--json")
    assert said.json["method"] == "2027.1"
    changed = {each["company"]: each["changes"] for each in said.json["notices"]["companies"]}
    assert {"figure": "standing", "before": "below", "after": "too_few"} in changed["b"]
    assert run("release", "correct", PERIOD, "--reason", "its own method still").error == (
        "there is nothing to correct: from what is known now 2026Q1 version 1 comes out the same"
    )


def test_a_method_that_was_changed_under_its_version_is_not_used(
    published: Published, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force(monkeypatch, replace(FIRST, target=0.8, minimum_sites=4))
    message = (
        "method 2026.1 has other parameters in this code than in release 2026Q1 version 1 (minimum_sites, target): "
        "a released method never changes, add a version"
    )
    assert run("release", "rebuild", PERIOD).error == message
    assert run("release", "correct", PERIOD, "--reason", "test").error == message
    assert run("release", "verify", PERIOD).error is None


def test_a_method_the_code_does_not_have_is_named(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    in_force(monkeypatch, replace(FIRST, version="2027.1"))
    with transaction(published.database.engine) as session:
        release = session.get_one(Release, 1)
        with pytest.raises(MonitorError, match=r"no method '2026.1'; there are: 2027.1"):
            method_of(release)
        asked = request_of(release, record=methods.method())
    assert asked.method.version == "2027.1"
