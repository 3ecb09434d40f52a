"""The vault: keyed digests and sealed URLs. It and `monitor.urls` alone see a URL in clear, beside the parsers.

Keys lie in a file outside the database: `{"current": 1, "keys": {"1": {"digest": hex, "seal": hex}}}`.
Digests are HMAC-SHA-256; sealing is AES-256-GCM-SIV, which stays safe where a nonce repeats (RFC 8452).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from monitor.errors import ConfigurationError, MonitorError
from monitor.permissions import refuse_shared, write_key_file
from monitor.urls import RULES, address_of, parse_url, site_of

_NONCE, _KEY = 12, 32  # bytes
_NO_NONCE = bytes(_NONCE)
_CHECKED = b"hosting-abuse-monitor key check 1"
_URL, _SITE = "url", "site"
_LONGEST_KEPT = 2048  # characters: thousands of texts are remembered, and a row may hold 256 KiB of one


@dataclass(frozen=True)
class _Key:
    digest: hmac.HMAC
    seal: AESGCMSIV
    raw: bytes = field(repr=False)  # 32 bytes of the one, 32 of the other

    @property
    def check_value(self) -> bytes:
        """32 bytes that say which key this is, and nothing else of it: an HMAC under both of its halves."""
        return hmac.digest(self.raw, _CHECKED, "sha256")


def fingerprint_of(check_value: bytes) -> str:
    """How people call a key: the first half of its check value, in hex."""
    return check_value[:8].hex()


@dataclass(frozen=True)
class ExportedKey:
    """The current key of a vault, a secret: passed through a pipe to a process of our own, and nowhere else."""

    version: int
    raw: bytes = field(repr=False)


class Vault:
    """Digests, seals and opens under the current key; opens what older keys sealed."""

    def __init__(self, keys: Path | ExportedKey) -> None:
        """Read the key file, or take the key of another vault; raises ConfigurationError that says how to make one."""
        if isinstance(keys, ExportedKey):
            self._keys, self.version = {keys.version: _key(keys.raw)}, keys.version
        else:
            self._keys, self.version = _read_keys(keys)
        self._current = self._keys[self.version]
        self._recurring = lru_cache(maxsize=16384)(self.digest)
        self._site = lru_cache(maxsize=16384)(partial(self._under_rules, _SITE, RULES, self.version))

    def export_key(self) -> ExportedKey:
        """The current key, for a vault in another process that digests and seals as this one does."""
        return ExportedKey(self.version, self._current.raw)

    def digest(self, text: str) -> bytes:
        """32-byte keyed digest of a text."""
        keyed = self._current.digest.copy()
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return keyed.digest()

    @property
    def check_values(self) -> dict[int, bytes]:
        """What each version of the key is known by, 32 bytes: kept in the database, and compared with it."""
        return {version: key.check_value for version, key in self._keys.items()}

    def digest_file(self, sha256: str) -> str:
        """Keyed digest, in hex, of a file's SHA-256 (hex): the bare hash of a small file gives its content away."""
        return self.digest(f"file {sha256}").hex()

    def digest_recurring(self, text: str) -> bytes:
        """`digest` of what many rows share (sites, recipients): remembered, unless it is too long to be worth it."""
        return self._recurring(text) if len(text) <= _LONGEST_KEPT else self.digest(text)

    def url_digest(self, url: str) -> bytes:
        """What an item is found by: the digest of a URL in canonical form, under the present URL rules."""
        return self._under_rules(_URL, RULES, self.version, url)

    def url_digests(self, urls: Iterable[str]) -> list[bytes]:
        """`url_digest` of each, in their order."""
        begun, found = self._begun(_URL, RULES, self.version), []
        for url in urls:
            keyed = begun.copy()
            keyed.update(url.encode("utf-8", "surrogatepass"))
            found.append(keyed.digest())
        return found

    def site_digest(self, site: str) -> bytes:
        """What a site is found by, remembered: most rows share a few."""
        return self._site(site) if len(site) <= _LONGEST_KEPT else self._under_rules(_SITE, RULES, self.version, site)

    def former_url_digest(self, url: str, rules: int, version: int) -> bytes:
        """The digest that an item had under earlier URL rules or an earlier key; `url` in the form of those rules."""
        return self._under_rules(_URL, rules, version, url)

    def _under_rules(self, what: str, rules: int, version: int, text: str) -> bytes:
        keyed = self._begun(what, rules, version)
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return keyed.digest()

    def _begun(self, what: str, rules: int, version: int) -> hmac.HMAC:
        """Digests under different rules are never equal: what they are of begins with the rules, but for the first."""
        if version not in self._keys:
            raise MonitorError(f"the key file has no key version {version}; restore the one this was digested with")
        keyed = self._keys[version].digest.copy()
        if rules > 1:
            keyed.update(f"{what} {rules} ".encode())
        return keyed

    def digest_hosts(self, sealed: bytes, version: int) -> tuple[bytes, ...]:
        """Keyed digests of the host of a sealed URL and of the names above it, the longest first and its site last."""
        host = parse_url(self.open_text(sealed, version)).host
        names, site = [host], site_of(host)
        while names[-1] != site and "." in names[-1]:
            names.append(names[-1].partition(".")[2])
        return tuple(map(self.site_digest, names))

    def is_on_address(self, sealed: bytes, version: int) -> bool:
        """Whether the host of a sealed URL is an IP address, and no name."""
        return address_of(parse_url(self.open_text(sealed, version)).host) is not None

    def seal(self, data: str | bytes) -> bytes:
        """Nonce and authenticated ciphertext."""
        return self.seal_all((data,))[0]

    def seal_all(self, texts: Collection[str | bytes]) -> list[bytes]:
        """Each of the texts sealed, in their order; asking once for all the nonces saves a fifth of the time."""
        encrypt, random = self._current.seal.encrypt, os.urandom(_NONCE * len(texts))
        nonces = [random[start : start + _NONCE] for start in range(0, len(random), _NONCE)]
        return [nonce + encrypt(nonce, _raw(text), None) for nonce, text in zip(nonces, texts, strict=True)]

    def seal_equal(self, texts: Iterable[str | None], purpose: str) -> list[bytes | None]:
        """Each text sealed so that equal texts of one purpose have equal ciphertexts, for columns that are compared.

        Whoever has no key learns which of them are equal, and nothing else (RFC 8452, section 9: one nonce).
        """
        encrypt, bound = self._current.seal.encrypt, purpose.encode()
        return [None if text is None else encrypt(_NO_NONCE, _raw(text), bound) for text in texts]

    def open_equal(self, sealed: bytes, version: int, purpose: str) -> str:
        """What `seal_equal` sealed; raises as `open`."""
        return self._opened(_NO_NONCE, sealed, version, purpose.encode()).decode("utf-8", "surrogatepass")

    def open(self, sealed: bytes, version: int) -> bytes:
        """What was sealed under that key version; raises MonitorError where key or ciphertext is wrong."""
        return self._opened(sealed[:_NONCE], sealed[_NONCE:], version, None)

    def _opened(self, nonce: bytes, sealed: bytes, version: int, bound: bytes | None) -> bytes:
        if version not in self._keys:
            raise MonitorError(f"the key file has no key version {version}; restore the one this was sealed with")
        try:
            return self._keys[version].seal.decrypt(nonce, sealed, bound)
        except InvalidTag as error:
            raise MonitorError(f"sealed data does not open with key version {version}: wrong key file?") from error

    def open_text(self, sealed: bytes, version: int) -> str:
        """What was sealed, as text."""
        return self.open(sealed, version).decode("utf-8", "surrogatepass")


def _raw(data: str | bytes) -> bytes:
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


def create_keys(path: Path) -> None:
    """Write a new key file, readable by its owner only; raises ConfigurationError where one exists."""
    content = {"current": 1, "keys": {"1": {"digest": secrets.token_hex(32), "seal": secrets.token_hex(32)}}}
    try:
        write_key_file(path, json.dumps(content, indent=1).encode())
    except FileExistsError as error:
        raise ConfigurationError(f"{path}: exists already; a key file is never overwritten") from error


def _read_keys(path: Path) -> tuple[dict[int, _Key], int]:
    try:
        content = json.loads(path.read_text("utf-8"))
        keys = {int(number): _key(_raw_key(pair)) for number, pair in content["keys"].items()}
        current = int(content["current"])
        keys[current]
        refuse_shared(path)
    except FileNotFoundError as error:
        raise ConfigurationError(f"no key file {path}: make one with `monitor init --create-keys`") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is not a key file ({type(error).__name__}); restore it") from error
    return keys, current


def _raw_key(pair: dict[str, str]) -> bytes:
    digest, seal = bytes.fromhex(pair["digest"]), bytes.fromhex(pair["seal"])
    if len(digest) != _KEY or len(seal) != _KEY:
        raise ValueError("a key has 32 bytes")
    return digest + seal


def _key(raw: bytes) -> _Key:
    return _Key(hmac.new(raw[:_KEY], digestmod=hashlib.sha256), AESGCMSIV(raw[_KEY:]), raw)
