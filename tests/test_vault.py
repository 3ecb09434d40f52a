"""The vault: what is compared, what is sealed, and that keys are never guessed or overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigurationError, MonitorError
from monitor.urls import RULES
from monitor.vault import Vault, create_keys


def test_texts_sealed_together_differ_and_open_in_their_order(vault_file: Vault) -> None:
    texts: list[str | bytes] = ["https://s1.example/", "https://s1.example/", "", b"\xff"]
    sealed = vault_file.seal_all(texts)
    assert len({one[:12] for one in sealed}) == 4
    assert [vault_file.open(one, 1) for one in sealed] == [b"https://s1.example/", b"https://s1.example/", b"", b"\xff"]
    assert vault_file.seal_all([]) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://s1.example/192.0.2.1", False),
        ("https://192.0.2.1/x", True),
        ("https://192.0.2.1.s1.example/x", False),
        ("https://[2001:db8::7]:8080/x", True),
        ("http://3221225985/x", True),  # another notation of 192.0.2.1
    ],
)
def test_whether_a_host_is_an_address_is_all_that_is_told_of_it(vault_file: Vault, url: str, expected: bool) -> None:
    assert vault_file.is_on_address(vault_file.seal(url), 1) is expected


@given(st.text())
def test_what_recurs_has_the_same_digest(vault_file: Vault, text: str) -> None:
    assert vault_file.digest_recurring(text) == vault_file.digest_recurring(text) == vault_file.digest(text)


@given(st.text())
def test_what_is_sealed_opens_again(vault_file: Vault, text: str) -> None:
    sealed = vault_file.seal(text)
    assert vault_file.open_text(sealed, 1) == text
    assert vault_file.seal(text) != sealed


@pytest.fixture(scope="module")
def vault_file(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    create_keys(path)
    return Vault(path)


def test_a_digest_depends_on_the_key(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        create_keys(tmp_path / name)
        digests.append(Vault(tmp_path / name).digest("https://s1.example/"))
    assert digests[0] != digests[1]
    assert Vault(tmp_path / "one").digest("https://s1.example/") == digests[0]


def test_what_is_digested_under_other_rules_or_as_something_else_has_another_digest(vault: Vault) -> None:
    text = "https://s1.example/"
    assert RULES == 2
    assert vault.url_digests([text, "x"]) == [vault.url_digest(text), vault.url_digest("x")]
    assert vault.url_digest(text) == vault.digest(f"url 2 {text}") == vault.former_url_digest(text, 2, 1)
    assert vault.site_digest(text) == vault.digest(f"site 2 {text}")
    assert vault.former_url_digest(text, 1, 1) == vault.digest(text)
    with pytest.raises(MonitorError, match="no key version 7"):
        vault.former_url_digest(text, 1, 7)


def test_a_changed_ciphertext_does_not_open(vault_file: Vault) -> None:
    sealed = bytearray(vault_file.seal("text"))
    sealed[-1] ^= 1
    with pytest.raises(MonitorError, match="does not open"):
        vault_file.open(bytes(sealed), 1)
    with pytest.raises(MonitorError, match="no key version 7"):
        vault_file.open(bytes(sealed), 7)


def test_keys_are_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    create_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="never overwritten"):
        create_keys(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", ["", "{}", '{"current": 1, "keys": {}}', '{"current": 1, "keys": {"1": {"digest": "00", "seal": "00"}}}']
)
def test_a_key_file_that_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(ConfigurationError, match="is not a key file"):
        Vault(tmp_path / "keys.json")


def test_without_a_key_file_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="monitor init --create-keys"):
        Vault(tmp_path / "keys.json")


def test_a_key_that_is_handed_over_makes_the_same_digests_and_shows_itself_nowhere(vault: Vault) -> None:
    handed = vault.export_key()
    other = Vault(handed)
    assert (other.version, other.digest("a")) == (vault.version, vault.digest("a"))
    assert vault.open_text(other.seal("https://s1.example/"), other.version) == "https://s1.example/"
    assert len(handed.raw) == 64
    assert repr(handed) == "ExportedKey(version=1)"
    assert repr(vars(other)).count("raw=") == 0
