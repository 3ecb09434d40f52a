"""Reading: what is no text table is refused as a whole, with a reason; memory stays bounded."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.errors import DeliveryError
from monitor.formats.files import LINE_LIMIT, fingerprint, read_lines

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"a;b\r\nc;d\n\nlast"
LINES = [(1, b"a;b"), (2, b"c;d"), (3, b""), (4, b"last")]


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, zstd.compress, lambda text: b"\xef\xbb\xbf" + text],
    ids=["plain", "gzip", "zstd", "byte order mark"],
)
def test_plain_gzip_zstd_and_with_a_byte_order_mark(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "file").write_bytes(pack(TEXT))
    assert list(read_lines(tmp_path / "file")) == LINES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"  \n\n", "the file is empty"),
        (gzip.compress(b""), "the file is empty"),
        ("a;b\n".encode("utf-16"), "UTF-16"),
        ("a;b\n".encode("utf-16-le"), "UTF-16"),
        (b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>", "web page"),
        (b"\xef\xbb\xbf\n <html>", "web page"),
        (gzip.compress(os.urandom(200_000))[:-1000], "cut off"),
        (zstd.compress(os.urandom(200_000))[:-1000], "cut off"),
        (b"\x1f\x8bnot gzip at all", "damaged"),
    ],
    ids=[
        "nothing",
        "blank",
        "empty gzip",
        "UTF-16",
        "unmarked UTF-16",
        "page",
        "page after blanks",
        "cut gzip",
        "cut zstd",
        "no gzip",
    ],
)
def test_what_is_no_text_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "export.csv").write_bytes(content)
    with pytest.raises(DeliveryError, match=message):
        list(read_lines(tmp_path / "export.csv"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="the file cannot be opened"):
        fingerprint(tmp_path / "nothing.csv")


def test_an_endless_line_is_passed_over_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "export.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"header\n")
        for _ in range(300):
            file.write(b"x" * 1024 * 1024)
        file.write(b"\nafter\n")
    tracemalloc.start()
    lines = list(read_lines(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == [(1, b"header"), (2, None), (3, b"after")]
    assert peak < 8 * LINE_LIMIT


def test_the_fingerprint_is_of_what_arrived(tmp_path: Path) -> None:
    packed = gzip.compress(TEXT)
    (tmp_path / "export.csv.gz").write_bytes(packed)
    assert fingerprint(tmp_path / "export.csv.gz") == hashlib.sha256(packed).hexdigest()
