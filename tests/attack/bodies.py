"""Bodies made to cost as much as they can: within every limit, or far beyond one."""

from __future__ import annotations

import json
from collections.abc import Mapping

from monitor.formats.xarf_objects import BODY_LIMIT
from tests.web.desk.pushing import notice

_MANY = BODY_LIMIT

HOSTILE: Mapping[str, bytes] = {  # of 8 MB each
    "objects": b"[" + b"{}," * (_MANY // 3),
    "brackets": b"[" * _MANY,
    "digits": b'[{"a":' + b"9" * (_MANY - 10) + b"}]",
    "a string": b'[{"a":"' + b"x" * (_MANY - 16) + b'"}]',
    "escapes": b'[{"a":"' + rb"\u0041" * (_MANY // 6 - 2) + b'"}]',
    "nulls": b"[" + b"null," * (_MANY // 5 - 1) + b"null]",
    "nulls in an item": b'[{"a":[' + b"null," * (_MANY // 5 - 4) + b"null]}]",
    "names": b"[{" + b",".join(b'"%x":1' % n for n in range(_MANY // 12)) + b"}]",
    "backslashes": b'[{"a":"' + b"\\\\" * (_MANY // 2 - 8) + b'"}]',
    "surrogates": b'[{"a":"' + rb"\ud83d\ude00" * (_MANY // 12 - 3) + rb'\ud800"}]',
    "evidence": b'[{"evidence":"' + b"A" * (_MANY - 20) + b'"}]',
    "white space": b"[{}" + b" " * (_MANY - 4) + b"]",
    "lines": b"{}\n" * (_MANY // 3),
    "no lines": b"\n" * _MANY,
}


def dearest_legal() -> bytes:
    """8 MB within all limits, which take the longest to be held against the schema: long lists of short texts."""
    reports = [notice(number, nameservers=["n" * 28] * 7_900) for number in range(31)]
    body = json.dumps(reports).encode()
    assert BODY_LIMIT - 600_000 < len(body) <= BODY_LIMIT
    return body
