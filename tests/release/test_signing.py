"""The key that signs releases: made once, never overwritten, replaceable without a word of the old lost."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import select

from monitor.db import transaction
from monitor.errors import ConfigurationError
from monitor.models.audit import AuditEntry
from monitor.release.signing import (
    create_signing_key,
    fingerprint_of,
    kept_public_keys,
    load_signing_key,
    replace_signing_key,
)
from monitor.settings import Settings, load_settings
from tests.conftest import Database
from tests.release.conftest import Run
from tests.release.signatures import is_signed

# RFC 8032, section 7.1, TEST 3: secret key, public key, message and signature
SECRET = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"
PUBLIC = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
SIGNATURE = (
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def test_a_signature_is_that_of_the_standard(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(SECRET))
    file = tmp_path / "signing.pem"
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
    key = load_signing_key(file)
    assert private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex() == PUBLIC
    assert key.sign(bytes.fromhex("af82")).hex() == SIGNATURE
    assert is_signed(bytes.fromhex("af82"), bytes.fromhex(SIGNATURE), key.public_pem)
    assert not is_signed(bytes.fromhex("af83"), bytes.fromhex(SIGNATURE), key.public_pem)


def test_a_key_is_made_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    file, public = tmp_path / "new" / "signing.pem", tmp_path / "keys"
    key = create_signing_key(file, public)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(ConfigurationError, match="never overwritten"):
        create_signing_key(file, public)
    assert file.read_bytes() == before
    assert load_signing_key(file).fingerprint == key.fingerprint == fingerprint_of(key.public_pem)
    assert "private" not in repr(key)


def test_a_new_key_leaves_old_signatures_good(tmp_path: Path) -> None:
    file, public = tmp_path / "signing.pem", tmp_path / "keys"
    old = create_signing_key(file, public)
    signature = old.sign(b"a release")
    new = replace_signing_key(file, public)
    kept = kept_public_keys(public)
    assert set(kept) == {old.fingerprint, new.fingerprint}
    assert is_signed(b"a release", signature, kept[old.fingerprint])
    assert not is_signed(b"a release", signature, kept[new.fingerprint])
    assert load_signing_key(tmp_path / f"signing-{old.fingerprint[:16]}.pem").fingerprint == old.fingerprint


def test_a_public_key_under_another_name_is_not_shown(tmp_path: Path) -> None:
    key = create_signing_key(tmp_path / "signing.pem", tmp_path)
    (tmp_path / f"{'0' * 64}.pem").write_bytes(key.public_pem)
    (tmp_path / f"{'a' * 64}.pem").write_bytes(b"no key at all")
    assert set(kept_public_keys(tmp_path)) == {key.fingerprint}


def test_a_missing_or_wrong_key_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "signing.pem"
    with pytest.raises(ConfigurationError, match="make one with `monitor keys signing`"):
        load_signing_key(file)
    file.write_bytes(b"no key")
    with pytest.raises(ConfigurationError, match="is not a signing key"):
        load_signing_key(file)
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(other)
    with pytest.raises(ConfigurationError, match="another kind than Ed25519"):
        load_signing_key(file)


def test_the_command_makes_it_and_the_audit_trail_knows(database: Database, run: Run, tmp_path: Path) -> None:
    first = run("keys", "signing", "--json").json
    assert "never overwritten" in (run("keys", "signing").error or "")
    second = json.loads(run("keys", "signing", "--replace", "--json").out)
    assert (tmp_path / "signing.pem").exists()
    with transaction(database.engine) as session:
        query = select(AuditEntry.details).where(AuditEntry.action == "keys.signing").order_by(AuditEntry.id)
        told = [details["fingerprint"] for details in session.scalars(query)]
    assert told == [first["fingerprint"], second["fingerprint"]]


def test_init_makes_both_keys_and_leaves_those_there_are(run: Run, tmp_path: Path) -> None:
    first = run("init", "--create-keys", "--json").json
    assert (first["keys_created"], first["signing_key_created"]) == (True, True)
    made = (tmp_path / "signing.pem").read_bytes()
    second = run("init", "--create-keys", "--json").json
    assert (second["keys_created"], second["signing_key_created"]) == (False, False)
    assert (tmp_path / "signing.pem").read_bytes() == made


def test_a_site_without_a_signing_key_still_migrates(run: Run, tmp_path: Path) -> None:
    run("init", "--create-keys")
    (tmp_path / "signing.pem").unlink()
    assert run("init", "--json").json["signing_key_created"] is False
    assert not (tmp_path / "signing.pem").exists()


@pytest.mark.parametrize(
    "given",
    [
        {"licence": "GPL-3.0"},
        {"site_address": "monitor.example"},
        {"site_address": "https://monitor.example/"},
        {"publisher_iri": "the Authority"},
    ],
)
def test_a_setting_that_cannot_be_is_refused(given: dict[str, str]) -> None:
    (name,) = given
    with pytest.raises(ConfigurationError, match=name):
        Settings(**given)  # type: ignore[arg-type]


def test_addresses_and_the_place_of_the_key_are_settings(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(
        'site_address = "https://monitor.example/hosting"\nlicence = "CC-BY-4.0"\nsigning_key_file = "/keys/sign.pem"\n'
        'publisher_iri = "https://identifier.example/id/oorg10103"\n'
    )
    found = load_settings({"MONITOR_HOME": str(tmp_path)})
    assert (found.site_address, found.licence) == ("https://monitor.example/hosting", "CC-BY-4.0")
    assert found.signing_key_file == Path("/keys/sign.pem")
    assert (found.publications, found.public_keys) == (tmp_path / "publications", tmp_path / "publications" / "keys")
    assert Settings(home=tmp_path).signing_key_file == tmp_path / "signing.pem"
