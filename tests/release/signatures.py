"""Checking signatures as whoever is given a release does, with a public library; and small packages that are signed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from monitor.release.package import _zip
from monitor.release.signing import SigningKey
from monitor.tables.data_package import About


def is_signed(content: bytes, signature: bytes, public_pem: bytes) -> bool:
    """Whether the signature is that of the content by the key."""
    key = load_pem_public_key(public_pem)
    assert isinstance(key, Ed25519PublicKey)
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def signed_files(about: About, key: SigningKey, content: Mapping[str, bytes]) -> dict[str, bytes]:
    """A package of these files alone: with their manifest, its signature, and all of them in a ZIP file."""
    listed = {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in content.items()}
    published_at = about.published_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    release = {"period": about.period, "version": about.version, "published_at": published_at}
    manifest = {"release": release, "signature": {"public_key_sha256": key.fingerprint}, "files": listed}
    files = {**content, "manifest.json": json.dumps(manifest).encode()}
    files["manifest.json.sig"] = key.sign(files["manifest.json"])
    files["manifest.json.sig.base64"] = base64.b64encode(files["manifest.json.sig"]) + b"\n"
    ordered = dict(sorted(files.items()))
    return {**ordered, f"{about.name}.zip": _zip(about, ordered)}
