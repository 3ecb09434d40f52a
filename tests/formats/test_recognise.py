"""Whatever a file is that is not the export: each format says what it is and what to do, and repeats nothing of it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import DeliveryError
from monitor.formats import files
from monitor.formats.announcements import read_pfx2as, read_ris
from monitor.formats.catalogue import FORMATS, LAYOUTS, reader
from monitor.formats.files import read_chunks, read_lines
from monitor.formats.netblocks import read_netblocks
from monitor.formats.records import Context, Record
from monitor.ingest.delivery import DeliveryFile
from monitor.instants import parse_instant
from monitor.settings import Source
from tests.fuzz.samples import SAMPLES

CASES = Path(__file__).parent / "samples" / "cases"
RECEIVED = parse_instant("2026-07-01T00:00:00Z")
CONTEXT = Context(RECEIVED, "Europe/Amsterdam")
CANARY = "canary-7f3a.example"


def archive(*files: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as written:
        for name, content in files:
            written.writestr(name, content)
    return packed.getvalue()


def tar(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as written:
        entry = tarfile.TarInfo(CANARY)
        entry.size = len(content)
        written.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def protected(content: bytes) -> bytes:
    """An archive whose entries say that they are encrypted, in the local header and in the directory."""
    packed = bytearray(archive((CANARY, content)))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


SHEET = ("xl/worksheets/sheet1.xml", b"<worksheet/>")
TABLE = f"a,b,c,https://{CANARY}/x\n".encode()
KINDS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the file is empty"),
    "empty gzip": (gzip.compress(b""), "the file is empty"),
    "page": (f"<!DOCTYPE html><p>{CANARY}".encode(), "this is a web page"),
    "page in gzip": (gzip.compress(b"<html>"), "this is a web page"),
    "UTF-16": ("a;b;c;d\n".encode("utf-16"), "this is UTF-16 text; export it as UTF-8"),
    "workbook": (archive(("[Content_Types].xml", b"<x/>"), SHEET), "this is an Excel workbook, not a text table"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "this is an old Excel workbook"),
    "spreadsheet": (archive(("mimetype", b"x"), ("content.xml", b"<x/>")), "this is an office document"),
    "PDF": (b"%PDF-1.7\n", "this is a PDF, not a text table"),
    "gzip twice": (gzip.compress(gzip.compress(TABLE)), "the file is compressed twice"),
    "ZIP in gzip": (gzip.compress(archive((CANARY, TABLE))), "a ZIP within a compressed file"),
    "gzip in ZIP": (archive((CANARY, gzip.compress(TABLE))), "the file is compressed twice"),
    "bzip2": (bz2.compress(TABLE), "this is bzip2; unpack it"),
    "xz": (lzma.compress(TABLE), "this is xz; unpack it"),
    "tar": (tar(TABLE), "this is a tar archive"),
    "tar in gzip": (gzip.compress(tar(TABLE)), "this is a tar archive"),
    "picture": (b"\x89PNG\r\n\x1a\n", "this is a picture, not a text table; never send pictures"),
    "empty ZIP": (archive(), "the ZIP is empty"),
    "ZIP of a folder": (archive((f"{CANARY}/", b"")), "the ZIP is empty"),
    "ZIP of two": (archive((CANARY, TABLE), ("b.csv", TABLE)), "a ZIP of 2 files; unpack it and deliver each file"),
    "ZIP with a password": (protected(TABLE), "the ZIP is protected with a password"),
    "cut ZIP": (archive((CANARY, TABLE))[:-30], "the ZIP is cut off; fetch it again"),
    "damaged ZIP": (archive((CANARY, TABLE), how=zipfile.ZIP_STORED).replace(b"a,b", b"a;b"), "the ZIP is damaged"),
    "packed otherwise": (archive((CANARY, TABLE), how=zipfile.ZIP_LZMA), "packed in an unusual way"),
    "bomb": (archive((CANARY, bytes(2**24))), "the ZIP unpacks to far more than a table can be"),
    "many files": (archive(*((f"{n}", b"") for n in range(1001))), "a ZIP of over 1000 files or 4 GiB"),
}


def refusal(name: str, path: Path) -> str:
    """Why a file in a format is refused as a whole."""
    with pytest.raises(DeliveryError) as raised:
        list(reader(name)(DeliveryFile(Source("x"), name, path, RECEIVED).path, CONTEXT))
    assert CANARY not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_says_what_the_file_is(tmp_path: Path, name: str, kind: str) -> None:
    content, message = KINDS[kind]
    (tmp_path / "export.csv").write_bytes(content)
    assert message in refusal(name, tmp_path / "export.csv")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [read_netblocks, read_ris, read_pfx2as])
def test_tables_of_networks_do_too(tmp_path: Path, kind: str, read: Callable[..., object]) -> None:
    content, message = KINDS[kind]
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(DeliveryError, match=message.replace("(", r"\(")):
        list(read(tmp_path / "table.csv", lambda: None))  # type: ignore[call-overload]


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"xarf"}))
@pytest.mark.parametrize("text", ['{"error": "quota"}', '\ufeff [ {"url": "x"}]', "{}", "[]"])
def test_json_in_place_of_a_table(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "export.csv").write_text(text, "utf-8")
    assert refusal(name, tmp_path / "export.csv").startswith("this is JSON, not a table; it may be an error message")


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"xarf"}))
def test_a_table_in_place_of_json(tmp_path: Path, name: str) -> None:
    (tmp_path / "reports.json").write_bytes(SAMPLES[name])
    assert refusal("xarf", tmp_path / "reports.json").startswith("this is a table, not JSON")


WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@pytest.mark.parametrize("separator", WORDS)
@pytest.mark.parametrize("name", sorted(set(LAYOUTS) & set(FORMATS)))
def test_columns_that_are_separated_otherwise(tmp_path: Path, name: str, separator: str) -> None:
    """As a spreadsheet saves them: with the separator of its region, a byte order mark, and quotes where need be."""
    layout = LAYOUTS[name]
    if separator == layout.separator:
        return
    (tmp_path / "export.csv").write_text("\ufeff" + separator.join(sorted(layout.columns)) + "\r\nx\r\n", "utf-8")
    expected = f"line 1: the columns are separated by {WORDS[separator]}, and {name} by {WORDS[layout.separator]}; "
    assert refusal(name, tmp_path / "export.csv").startswith(expected)


@pytest.mark.parametrize("name", sorted(set(LAYOUTS) & set(FORMATS)))
@pytest.mark.parametrize("other", sorted(set(LAYOUTS) & set(FORMATS)))
def test_another_export_is_named(tmp_path: Path, name: str, other: str) -> None:
    if name == other:
        return
    (tmp_path / "export.csv").write_bytes(SAMPLES[other])
    found = refusal(name, tmp_path / "export.csv")
    assert f"these are the columns of {other}, not of {name}; ingest it as that: `monitor ingest {other}`" in found


def test_a_table_of_networks_in_place_of_an_export(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text("start,end,asn,organisation\n")
    assert "these are the columns of a table of networks" in refusal("urlhaus", tmp_path / "export.csv")


def test_a_quoted_export_that_a_spreadsheet_saved(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_bytes(SAMPLES["scart-ntd"].replace(b'"', b""))
    assert refusal("scart-ntd", tmp_path / "export.csv") == (
        "line 1: scart-ntd has its fields in quotes; deliver it as the system wrote it, not as a spreadsheet saved it"
    )


def test_the_feed_in_a_zip_is_read_as_it_is_without() -> None:
    with zipfile.ZipFile(CASES / "feed-as-zip.csv.zip") as packed:
        [name] = packed.namelist()
        lines = list(enumerate(packed.read(name).replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n"), 1))
    assert list(read_lines(CASES / "feed-as-zip.csv.zip")) == lines
    records = list(reader("urlhaus")(CASES / "feed-as-zip.csv.zip", CONTEXT))
    assert records
    assert all(isinstance(record, Record) for record in records)


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", FORMATS)
def test_one_file_in_a_zip_is_read_in_every_format(tmp_path: Path, name: str, how: int) -> None:
    """Beside it may lie what a file manager adds."""
    content = SAMPLES[name]
    added = ("__MACOSX/._x.csv", b"\x00\x05"), ("reports/", b""), (".DS_Store", b"\x00")
    (tmp_path / "x.zip").write_bytes(archive(*added, ("reports/x.csv", content), how=how))
    (tmp_path / "x.csv").write_bytes(content)
    read = reader(name)
    packed, plain = (
        list(read(DeliveryFile(Source("x"), name, tmp_path / file, RECEIVED).path, CONTEXT))
        for file in ("x.zip", "x.csv")
    )
    assert packed == plain


def test_a_zip_in_a_stream_is_read_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream(io.RawIOBase):
        """A file that can be read once, from its start, as a sealed one is."""

        def __init__(self, content: bytes) -> None:
            self._content = io.BytesIO(content)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            return self._content.readinto(buffer)  # type: ignore[arg-type]

    class File:
        def __init__(self, content: bytes) -> None:
            self.content = content

        def open(self, mode: str) -> io.BufferedReader:
            assert mode == "rb"
            return io.BufferedReader(Stream(self.content))

    packed = archive((CANARY, TABLE))
    assert b"".join(read_chunks(File(packed))) == TABLE
    monkeypatch.setattr(files, "PACKED_IN_MEMORY", len(packed) - 1)
    with pytest.raises(DeliveryError, match="a ZIP of over 0 MiB; unpack it"):
        list(read_chunks(File(packed)))


@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_any_damaged_zip_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, end: int
) -> None:
    packed = bytearray(archive((CANARY, TABLE * 20)))
    packed[place % len(packed)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(packed[: len(packed) - end % 20])
    with suppress(DeliveryError):
        assert b"".join(read_chunks(path)) == TABLE * 20 or place % len(packed) < 4


def test_reports_in_a_zip_lose_their_evidence_as_others_do(tmp_path: Path) -> None:
    report = json.dumps({"url": "x", "evidence": [{"payload": "bm90IGFuIGltYWdl"}]}).encode()
    (tmp_path / "x.zip").write_bytes(archive(("x.json", report)))
    with DeliveryFile(Source("x"), "xarf", tmp_path / "x.zip", RECEIVED).path.open("rb") as file:
        assert b"bm90IGFuIGltYWdl" not in file.read()
