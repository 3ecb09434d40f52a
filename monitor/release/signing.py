"""The key that signs what is published (Ed25519, RFC 8032): outside the database, never overwritten, replaceable.

A new key leaves old signatures as good as they were: the public part of every key is kept, by its fingerprint.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from monitor.errors import ConfigurationError
from monitor.permissions import make_public_folder, refuse_shared, write_key_file


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, its public part as PEM, and the fingerprint of that: SHA-256 of its DER form, in hex."""

    private: Ed25519PrivateKey = field(repr=False)
    public_pem: bytes
    fingerprint: str

    def sign(self, content: bytes) -> bytes:
        """The signature, 64 bytes; the same content gives the same one."""
        return self.private.sign(content)


def create_signing_key(path: Path, public_keys: Path) -> SigningKey:
    """Write a new private key (PKCS#8 PEM, for its owner only), and its public part to the others.

    Raises ConfigurationError where the file exists.
    """
    private = Ed25519PrivateKey.generate()
    try:
        write_key_file(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except FileExistsError as error:
        raise ConfigurationError(f"{path}: exists already; a signing key is never overwritten") from error
    key = _key(private)
    keep_public_key(key, public_keys)
    return key


def replace_signing_key(path: Path, public_keys: Path) -> SigningKey:
    """Lay the present key aside, under its fingerprint, and make a new one.

    Raises ConfigurationError where there is none to replace.
    """
    old = load_signing_key(path)
    keep_public_key(old, public_keys)
    path.rename(path.with_name(f"{path.stem}-{old.fingerprint[:16]}{path.suffix}"))
    return create_signing_key(path, public_keys)


def load_signing_key(path: Path) -> SigningKey:
    """Read the private key; raises ConfigurationError that says how to make one, or what is wrong with it."""
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise ConfigurationError(f"no signing key {path}: make one with `monitor keys signing`") from error
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{path} is not a signing key ({type(error).__name__}); restore it") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is a key of another kind than Ed25519; restore the right one")
    refuse_shared(path)
    return _key(private)


def keep_public_key(key: SigningKey, public_keys: Path) -> None:
    """Write the public part to the others, where it is not there yet."""
    for folder in (public_keys.parent, public_keys):
        make_public_folder(folder)
    target = public_keys / f"{key.fingerprint}.pem"
    if not target.exists():
        draft = public_keys / f".{key.fingerprint}.{os.getpid()}"
        draft.write_bytes(key.public_pem)
        draft.chmod(0o644)
        draft.replace(target)


def kept_public_keys(public_keys: Path) -> dict[str, bytes]:
    """Every public key by its fingerprint; a file that is not what its name says is left out."""
    found = {path.stem: path.read_bytes() for path in sorted(public_keys.glob("[0-9a-f]*.pem"))}
    return {name: pem for name, pem in found.items() if _names(name, pem)}


def _names(fingerprint: str, public_pem: bytes) -> bool:
    try:
        return fingerprint_of(public_pem) == fingerprint
    except ValueError:
        return False


def is_signed(content: bytes, signature: bytes, public_pem: bytes) -> bool:
    """Whether the signature is that of the content by the key; ValueError where it is no such key."""
    try:
        _public(public_pem).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def raw_public_key(public_pem: bytes) -> bytes:
    """The 32 bytes of a public key; ValueError where it is no such key."""
    return _public(public_pem).public_bytes(Encoding.Raw, PublicFormat.Raw)


def known_public_keys(signing_key: Path, public_keys: Path) -> dict[str, bytes]:
    """Every kept public key by its fingerprint, and that of the present signing key where it can be read."""
    kept = kept_public_keys(public_keys)
    try:
        present = load_signing_key(signing_key)
    except ConfigurationError:
        return kept
    return kept | {present.fingerprint: present.public_pem}


def fingerprint_of(public_pem: bytes) -> str:
    """What `openssl pkey -pubin -outform DER | sha256sum` says of it; raises ValueError where it is no such key."""
    der = _public(public_pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


@lru_cache(maxsize=64)  # reading the file takes longer than checking a signature
def _public(public_pem: bytes) -> Ed25519PublicKey:
    key = load_pem_public_key(public_pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("a key of another kind than Ed25519")  # noqa: TRY004 -- what the file holds is wrong
    return key


def _key(private: Ed25519PrivateKey) -> SigningKey:
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(private, pem, fingerprint_of(pem))
