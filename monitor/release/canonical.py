"""Canonical JSON and its hash: one text for one value, so that a hash proves what was frozen."""

from __future__ import annotations

import hashlib
import json


def canonical(value: object) -> str:
    """Sorted keys, no spaces, UTF-8 characters as they are, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
