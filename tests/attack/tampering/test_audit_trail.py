"""The audit trail is cut, emptied, rewritten with fitting hashes, or forked: the signed heads outside tell."""

from __future__ import annotations

import base64
import os
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from sqlalchemy import text
from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import connect, transaction
from monitor.instants import to_datetime
from monitor.models.guards import lifted
from monitor.release.checkpoints import SUFFIX, checkpoint_note
from monitor.release.signing import create_signing_key, load_signing_key
from tests.attack.tampering.conftest import Installation, rehash
from tests.release.history import NOW, PERIOD

VERIFY = ("audit", "verify")


def heads(installation: Installation) -> list[Path]:
    return sorted((installation.home / "checkpoints").iterdir())


def rewrite(installation: Installation, statement: str) -> None:
    """Change the trail and make all its hashes fit; nothing is left to see in the database."""
    with Session(installation.engine) as session, session.begin(), lifted(session.connection(), "audit_entries"):
        session.execute(text(statement))
        rehash(session)
        assert audit.verify(session) == []


def test_nothing_is_found_where_nothing_was_done(installation: Installation) -> None:
    assert installation.problems(*VERIFY) == []
    assert len(heads(installation)) >= 2
    assert installation.run(*VERIFY).out == "the audit trail is whole\n"


def test_a_cut_tail_is_found(installation: Installation) -> None:
    """The chain that is left is whole: only the heads know of more."""
    last = installation.run("audit", "checkpoint", "--json").json["files"][0]
    size = int(last.split("-")[-2])
    installation.change("audit_entries", f"DELETE FROM audit_entries WHERE id > {size - 3}")
    [problem] = installation.problems(*VERIFY)
    assert f"the audit trail has {size - 3} entries" in problem
    assert f"attests {size}: its end was cut off" in problem


def test_an_emptied_trail_is_found(installation: Installation) -> None:
    installation.change("audit_entries", "DELETE FROM audit_entries")
    [problem] = installation.problems(*VERIFY)
    assert "the audit trail has 0 entries" in problem
    assert "it was emptied" in problem


def test_a_rebuilt_chain_is_found_and_from_where(installation: Installation) -> None:
    rewrite(installation, "UPDATE audit_entries SET actor = 'somebody else' WHERE action = 'release.publish'")
    [problem] = installation.problems(*VERIFY)
    assert "is not the one that checkpoint" in problem
    assert "the audit trail was rewritten after entry 0" in problem


def test_a_trail_that_was_cut_and_grew_again_is_found(installation: Installation) -> None:
    size = len(entries(installation))
    installation.change("audit_entries", f"DELETE FROM audit_entries WHERE id > {size - 1}")
    with transaction(installation.engine) as session:
        for number in range(3):
            audit.record(session, to_datetime(NOW), "attacker", "act", f"thing {number}", {})
    [problem] = installation.problems(*VERIFY)
    assert f"entry {size} is not the one" in problem
    assert "rewritten after entry" in problem
    assert "rewritten after entry 0" not in problem


def entries(installation: Installation) -> list[int]:
    with installation.engine.connect() as connection:
        return list(connection.execute(text("SELECT id FROM audit_entries ORDER BY id")).scalars())


def test_no_head_is_signed_over_a_trail_that_contradicts_the_last_one(installation: Installation) -> None:
    """So that the forged trail gets no signature, and the operator hears of it within the hour."""
    rewrite(installation, "UPDATE audit_entries SET actor = 'x'")
    before = heads(installation)
    assert "no checkpoint is signed: entry" in str(installation.run("audit", "checkpoint").error)
    assert heads(installation) == before


def test_two_signed_heads_that_cannot_both_be_true_are_a_fork(installation: Installation) -> None:
    """Somebody with the key signed another trail."""
    with transaction(installation.engine) as session:
        true = next(iter(audit.heads(session).values()))
    forged = audit.Head(true.origin, true.size, bytes(32), "0" * 64)
    key = load_signing_key(installation.settings.signing_key_file)
    (installation.home / "checkpoints" / f"a-fork{SUFFIX}").write_text(checkpoint_note(forged, NOW, key))
    assert any("was forked, and both were signed" in problem for problem in installation.problems(*VERIFY))


def test_a_head_that_was_edited_cut_or_signed_by_another_is_named(installation: Installation, tmp_path: Path) -> None:
    whole = heads(installation)[-1]
    note = whole.read_text("utf-8")
    other = create_signing_key(tmp_path / "other.pem", tmp_path / "keys")
    with transaction(installation.engine) as session:
        forged = checkpoint_note(next(iter(audit.heads(session).values())), NOW, other)
    for content, problem in (
        (note.replace("\ntime 2", "\ntime 3"), "its signature is wrong: it was changed"),
        (note[:-30], "it is no signed note"),
        ("", "it is no signed note"),
        (forged, "it is signed with a key that is not known here"),
    ):
        whole.unlink()
        whole.write_text(content, "utf-8")
        [found] = [line for line in installation.problems(*VERIFY) if whole.name in line]
        assert problem in found


def test_what_is_no_file_among_the_heads_is_named(installation: Installation) -> None:
    os.mkfifo(installation.home / "checkpoints" / f"99990101T000000Z-1-x{SUFFIX}")
    [problem] = installation.problems(*VERIFY)
    assert problem.endswith("it is no file")
    assert installation.run("audit", "checkpoint").error is None


@pytest.mark.parametrize("leave_folder", [True, False])
def test_heads_that_were_all_taken_away_are_missed(installation: Installation, *, leave_folder: bool) -> None:
    shutil.rmtree(installation.home / "checkpoints")
    if leave_folder:
        (installation.home / "checkpoints").mkdir()
    [problem] = installation.problems(*VERIFY)
    assert "no checkpoint of the audit trail, though releases are published" in problem
    assert any("no checkpoint" in line for line in installation.problems("release", "verify"))


def test_a_copy_kept_elsewhere_tells_when_all_here_was_replaced(installation: Installation, tmp_path: Path) -> None:
    """Trail rewritten, heads deleted, another key planted and everything signed anew: the copy and its key suffice."""
    copy, pem = tmp_path / "kept.checkpoint", tmp_path / "kept.pem"
    shutil.copy(heads(installation)[-1], copy)
    shutil.copy(next((installation.home / "publications" / "keys").glob("*.pem")), pem)
    rewrite(installation, "UPDATE audit_entries SET actor = 'x'")
    shutil.rmtree(installation.home / "checkpoints")
    shutil.rmtree(installation.home / "publications" / "keys")
    installation.settings.signing_key_file.unlink()
    create_signing_key(installation.settings.signing_key_file, installation.settings.public_keys)
    assert installation.run("audit", "checkpoint").error is None
    assert installation.problems(*VERIFY) == []
    found = installation.problems(*VERIFY, "--checkpoint", copy)
    assert found == [f"{copy}: it is signed with a key that is not known here"]
    found = installation.problems(*VERIFY, "--checkpoint", copy, "--public-key", pem)
    assert any("the audit trail was rewritten after entry 0" in problem for problem in found)


def test_the_public_key_suffices_for_verifying(installation: Installation) -> None:
    installation.settings.signing_key_file.unlink()
    assert installation.problems(*VERIFY) == []
    installation.change("audit_entries", "DELETE FROM audit_entries WHERE id > 2")
    assert "its end was cut off" in installation.problems(*VERIFY)[0]


def test_a_second_folder_gets_each_head_and_is_read_too(installation: Installation, tmp_path: Path) -> None:
    second = tmp_path / "elsewhere"
    (installation.home / "monitor.toml").write_text(f'checkpoints = "{second}"\n')
    assert any(str(second) in problem for problem in installation.problems(*VERIFY))
    written = installation.run("audit", "checkpoint", "--json").json["files"]
    assert [Path(name).parent for name in written] == [installation.home / "checkpoints", second]
    assert Path(written[0]).read_bytes() == Path(written[1]).read_bytes()
    shutil.rmtree(installation.home / "checkpoints")
    installation.change("audit_entries", "DELETE FROM audit_entries WHERE id > 2")
    assert any("its end was cut off" in problem for problem in installation.problems(*VERIFY))


def test_publishing_and_making_the_files_write_a_head(untouched: Installation) -> None:
    texts = [path.read_text("utf-8") for path in heads(untouched)]
    with transaction(untouched.engine) as session:
        known = audit.heads(session, set(range(100)))
        published = (
            session.execute(text("SELECT id FROM audit_entries WHERE action = 'release.publish'")).scalars().all()
        )
    untouched.engine.dispose()
    # One for both: at the entry of the files, which follows that of the publication.
    assert {int(said.splitlines()[1]) for said in texts} >= {entry + 1 for entry in published}
    for said in texts:
        origin, size, root, entry, *_ = said.splitlines()
        assert origin == f"hosting-abuse-monitor/audit/{known[1].entry_hash[:16]}"
        assert base64.b64decode(root) == known[int(size)].root
        assert entry == f"entry {known[int(size)].entry_hash}"


def test_a_head_is_a_signed_note_that_anyone_can_check(untouched: Installation) -> None:
    """By https://c2sp.org/signed-note, with nothing of ours."""
    import hashlib

    said = heads(untouched)[-1].read_text("utf-8")
    body, _, line = said.rpartition("\n\n")
    dash, name, encoded = line.strip().split(" ")
    private = load_pem_private_key((untouched.home / "signing.pem").read_bytes(), None)
    public = private.public_key()
    assert isinstance(public, Ed25519PublicKey)
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = base64.b64decode(encoded)
    assert (dash, name) == ("\u2014", body.splitlines()[0])
    assert signature[:4] == hashlib.sha256(name.encode() + b"\n\x01" + raw).digest()[:4]
    public.verify(signature[4:], body.encode() + b"\n")


def test_the_root_is_that_of_rfc_9162() -> None:
    """The reference tree of the certificate-transparency tests (eight leaves)."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    tree = audit.Tree()
    assert tree.root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    roots = []
    for leaf in leaves:
        tree.add(bytes.fromhex(leaf))
        roots.append(tree.root.hex())
    assert roots[0] == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert roots[-1] == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_before_anything_is_published_no_head_is_missed(installation: Installation, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    new = Installation(tmp_path / "new", url, connect(url))
    assert new.run("init", "--create-keys").error is None
    assert new.problems(*VERIFY) == []
    assert PERIOD not in new.run("release", "list").out
    new.engine.dispose()
