"""`monitor token`: issued to sources there are, shown once, listed without secrets, revoked for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_commands import Run, ready, run

__all__ = ["ready", "run"]  # fixtures


def test_issue_list_revoke(ready: Run) -> None:
    told = ready("token", "issue", "scart", "--days", "30", "--by", "officer", "--json").json
    assert (told["id"], told["source"], told["state"]) == (1, "scart", "valid")
    assert told["scopes"] == ["deliveries:read", "notices:push"]
    assert len(told["token"]) == len("ham_") + 16 + 1 + 43
    listed = ready("token", "list", "--json")
    assert [row["id"] for row in listed.json] == [1]
    assert told["token"].rpartition("_")[2] not in listed.out
    assert "token" not in listed.json[0]
    assert ready("token", "revoke", "1").out == "token 1 of scart is revoked\n"
    assert "revoked" in ready("token", "list").out
    assert ready("audit", "verify").out == "the audit trail is whole\n"


def test_a_token_may_be_for_one_thing_only(ready: Run) -> None:
    told = ready("token", "issue", "scart", "--scope", "deliveries:read", "--json").json
    assert told["scopes"] == ["deliveries:read"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("issue", "nobody"), 1, "no source 'nobody' is configured; there are: scart, urlhaus"),
        (("issue", "scart", "--days", "0"), 2, "0 is not in the range"),
        (("issue", "scart", "--scope", "everything"), 2, "is not one of"),
        (("revoke", "7"), 1, "no token 7; `monitor token list` shows them"),
        (("revoke", str(2**63)), 2, "is not in the range"),
    ],
)
def test_what_cannot_be(ready: Run, arguments: tuple[str, ...], status: int, message: str) -> None:
    said = ready("token", *arguments)
    assert said.status == status
    assert message in said.err


def test_none_yet(ready: Run) -> None:
    assert ready("token", "list").out == "no tokens yet; `monitor token issue SOURCE` makes one\n"


def test_a_file_of_reports_is_ingested(ready: Run) -> None:
    sample = Path(__file__).parents[1] / "formats" / "samples" / "xarf" / "v4-csam.json"
    said = ready("ingest", "xarf", sample, "--received-at", "2026-04-10T18:00:00Z", "--json").json
    assert (said["rows"], said["accepted"], said["notices_new"]) == (1, 1, 1)
