"""The vault: what is compared, what is sealed, and that keys are never guessed or overwritten."""

from __future__ import annotations

import ipaddress
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigurationError, MonitorError
from monitor.vault import NotAUrlError, Vault, address_of, create_keys, normal_form, normalise_url, site_of


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://S1.Example/Path?Q=A#F", "http://s1.example/Path?Q=A#F"),
        ("http://s1.example:80", "http://s1.example/"),
        ("https://s1.example:8443/", "https://s1.example:8443/"),
        ("http://[2001:DB8::7]:80/a", "http://[2001:db8::7]/a"),
        ("http://münchen.example/", "http://xn--mnchen-3ya.example/"),
        ("http://user:Pw@s1.example/", "http://user:Pw@s1.example/"),
        ("http://s1.example./", "http://s1.example/"),
    ],
)
def test_the_form_in_which_urls_are_compared(url: str, normal: str) -> None:
    assert normal_form(url) == normal
    assert normal_form(normal) == normal


@pytest.mark.parametrize("text", ["", "nonsense", "http://", "http:///path", "http://a b/", "http://[::1", "//x/y"])
def test_what_is_no_url_is_said_to_be_none_without_repeating_it(text: str) -> None:
    with pytest.raises(NotAUrlError) as caught:
        normal_form(text)
    assert text == "" or text not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://a.b.s1.co.uk/x", "s1.co.uk"),
        ("https://img.s1.example/x", "s1.example"),
        ("https://foo.github.io/x", "foo.github.io"),
        ("http://192.0.2.7:81/x", "192.0.2.7"),
        ("http://[2001:db8:0::7]/x", "2001:db8::7"),
    ],
)
def test_urls_are_clustered_by_registrable_domain_or_address(url: str, site: str) -> None:
    assert site_of(normalise_url(url)[1]) == site


_NEARLY_PLAIN = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "https", "https", "HTTP", "ftp"]),
    st.sampled_from(["s1.example", "a-b.s1.example", "192.0.2.7", "S1.example", "a_b", "a..b", "b.", "é.example", ""]),
    st.sampled_from(
        ["", "", ":80", ":443", ":8080", ":38905", ":64999", ":65000", ":08", ":080", ":0", ":65536", ":x", ":"]
    ),
    st.sampled_from(["/", "/", "//", "", "?", "#"]),
    st.sampled_from(["", "#", "?", "a?", "a#", "?#", "a?b#c"])
    | st.text(alphabet="ab09?#&=%/[]@:;,'\"\\~|{}\t\x7fé ", max_size=4),
)


@settings(max_examples=500)
@given(_NEARLY_PLAIN)
def test_a_plain_url_is_compared_in_the_form_that_taking_it_apart_gives(url: str) -> None:
    def split_anew() -> tuple[str, str] | None:
        try:
            return normalise_url(url)
        except NotAUrlError:
            return None

    at_once = split_anew()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitor.vault._PLAIN", re.compile(r"(?!)"))
        assert at_once == split_anew()


@given(st.lists(st.sampled_from(["0", "00", "7", "255", "256", "", " 1", "x", "٣", "1\x00"]), max_size=5).map(".".join))
def test_an_address_is_what_ipaddress_says_it_is(host: str) -> None:
    try:
        expected = str(ipaddress.ip_address(host))
    except ValueError:
        expected = None
    assert address_of(host) == expected


def test_texts_sealed_together_differ_and_open_in_their_order(vault_file: Vault) -> None:
    texts: list[str | bytes] = ["https://s1.example/", "https://s1.example/", "", b"\xff"]
    sealed = vault_file.seal_all(texts)
    assert len({one[:12] for one in sealed}) == 4
    assert [vault_file.open(one, 1) for one in sealed] == [b"https://s1.example/", b"https://s1.example/", b"", b"\xff"]
    assert vault_file.seal_all([]) == []


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
