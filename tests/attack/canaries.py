"""Canaries: secrets that can be told from everything else, the forms they could come out in, and where to look."""

from __future__ import annotations

import base64
import gzip
import io
import json
import quopri
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

# One part each of a URL; no word of any language or file format has one of them.
PARTS: Mapping[str, str] = {
    "scheme and host": "://zqhost",
    "user": "zquser",
    "password": "zqpass",
    "host": "zqhost.example",
    "punycode host": "xn--zqhst-jua",
    "unicode host": "zqh\u00f6st",
    "port": "zqhost.example:8443",
    "path": "zqpath/b",
    "query": "zqquery=2",
    "fragment": "zqfrag",
    "address": "203.0.113.77",
    "address as a number": "3405803853",
}
URL = "https://zquser:zqpass@zqhost.example:8443/zqpath/b?zqquery=2#zqfrag"
URLS = (URL, "https://zqh\u00f6st.example/zqpath/b?zqquery=2", "http://203.0.113.77/zqpath/b?zqquery=2#zqfrag")

_ROT13: Mapping[int, str] = {
    ord(letter): chr((ord(letter) - base + 13) % 26 + base)
    for base in (65, 97)
    for letter in map(chr, range(base, base + 26))
}
_ENCODERS: Mapping[str, Callable[[str], bytes]] = {
    "as it is": lambda text: text.encode(),
    "capitals": lambda text: text.upper().encode(),
    "percent": lambda text: quote(text, safe="").encode(),
    "every letter percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "percent twice": lambda text: quote(quote(text, safe=""), safe="").encode(),
    "base32": lambda text: base64.b32encode(text.encode()).rstrip(b"=")[:-2],
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "hexadecimal in capitals": lambda text: text.encode().hex().upper().encode(),
    "UTF-16 little endian": lambda text: text.encode("utf-16-le"),
    "UTF-16 big endian": lambda text: text.encode("utf-16-be"),
    "UTF-32": lambda text: text.encode("utf-32-le"),
    "Latin-1": lambda text: text.encode("latin-1"),
    "reversed": lambda text: text[::-1].encode(),
    "HTML entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text).encode(),
    "HTML hexadecimal": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text).encode(),
    "JSON escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
    "JSON": lambda text: json.dumps(text)[1:-1].encode(),
    "Python bytes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()).encode(),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()).encode(),
    "quoted-printable": lambda text: quopri.encodestring(text.encode(), quotetabs=True).rstrip(b"=\n"),
    "defanged": lambda text: text.replace("://", "[://]").replace(".", "[.]").encode(),
    "shifted by 13": lambda text: text.translate(_ROT13).encode(),
}


def forms() -> dict[bytes, str]:
    """What to look for, and what it is: each part in each form; base64 at each of its three alignments."""
    found = {encode(part): f"{name}, {form}" for name, part in PARTS.items() for form, encode in _ENCODERS.items()}
    for name, part in PARTS.items():
        for shift in range(3):
            whole = base64.b64encode(b"\0" * shift + part.encode())
            inner = whole[-(-8 * shift // 6) : -4].rstrip(b"=")  # what does not depend on what stands around it
            found[inner] = f"{name}, base64 at {shift}"
    return {form: what for form, what in found.items() if len(form) >= 6}


def search(raw: bytes, needles: Mapping[bytes, str]) -> set[str]:
    """Which canaries stand in the bytes, in any form."""
    return {what for needle, what in needles.items() if needle in raw}


def contents_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of a file, and of everything that is packed in it, whatever the depth."""
    yield from unpacked(str(path), path.read_bytes())


def unpacked(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Bytes, and what ZIP, gzip, tar and the streams of a PDF hold."""
    yield name, raw
    if raw.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for entry in archive.namelist():
                yield from unpacked(f"{name}!{entry}", archive.read(entry))
    elif raw.startswith(b"\x1f\x8b"):
        yield from unpacked(f"{name}!gz", gzip.decompress(raw))
    elif raw.startswith(b"%PDF"):
        for number, found in enumerate(re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", raw, re.DOTALL)):
            try:
                yield f"{name}!stream {number}", zlib.decompress(found[1])
            except zlib.error:
                continue  # a font or picture that is packed otherwise; its raw bytes were yielded above
    elif raw[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            for member in archive.getmembers():
                if member.isfile() and (file := archive.extractfile(member)) is not None:
                    yield from unpacked(f"{name}!{member.name}", file.read())
