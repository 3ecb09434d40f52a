"""Checking signatures as whoever is given a release does: with a public library, and nothing of ours."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def is_signed(content: bytes, signature: bytes, public_pem: bytes) -> bool:
    """Whether the signature is that of the content by the key."""
    key = load_pem_public_key(public_pem)
    assert isinstance(key, Ed25519PublicKey)
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
