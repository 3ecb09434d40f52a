"""A folder of exports, on this machine or on the web: each taken once, in order, none while it grows."""

from __future__ import annotations

import asyncio
import base64
import gzip
import os
import re
import time
from dataclasses import replace
from pathlib import Path

from monitor.db import connect
from monitor.instants import parse_instant
from monitor.vault import Vault
from spiders.collection_run import CollectionRun
from spiders.scart_drop import SOURCE, ScartDropSpider
from tests.spiders.installation import Installation, closed, ntd
from tests.spiders.server import Site

EARLY, LATE = "20200501T100000Z", "20200502T100000Z"


def _drop(folder: Path, name: str, content: str | bytes, age: float = 3600) -> None:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (time.time() - age,) * 2)


def test_directory(tmp_path: Path, installation: Installation) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    _drop(drop, f"{LATE}-scart-ntdclosed.csv", closed("a"))
    _drop(drop, f"{EARLY}-scart-ntd.csv.gz", gzip.compress(ntd("a", "b").encode()))
    _drop(drop, f"{LATE}-scart-ntd-growing.csv", ntd("a", "b", "c"), age=0)
    _drop(drop, "report.csv", "not for us")
    installation.configure("scart_drop", location=str(drop), zone="UTC")

    first = installation.collect("scart_drop")
    assert first.status == 0, first.err
    assert first.answer["verdict"] == "ok"
    assert first.answer["reason"] == (
        "1 left for the next run: still growing; tables left: 1, "
        "as a name must contain ntd, ntdclosed, scart-whois, scart-all, scart-report or another format"
    )
    assert installation.deliveries() == [
        ("scart_drop", "scart-ntd", 2, parse_instant("2020-05-01T10:00:00Z")),
        ("scart_drop", "scart-ntdclosed", 1, parse_instant("2020-05-02T10:00:00Z")),
    ]

    os.utime(drop / f"{LATE}-scart-ntdclosed.csv", (1, 1))  # touched, but the same file
    again = installation.collect("scart_drop")
    assert (again.status, again.answer["verdict"], again.answer["deliveries"]) == (0, "unchanged", [])

    _drop(drop, f"{LATE}-scart-ntd-growing.csv", ntd("a", "b", "c"))
    _drop(drop, "20999999T000000Z-ntd.csv", ntd("d"))
    third = installation.collect("scart_drop")
    assert third.status == 1
    assert re.search(r"export 4 of 4 \(scart-ntd, [0-9a-f]{8}\): its name starts with a time that does no", third.err)
    assert "20999999" not in third.err
    assert third.answer["rows"] == 3  # one bad file does not keep the good ones out
    assert len(installation.deliveries()) == 3
    installation.assert_silent()


def test_web_folder(site: Site, installation: Installation) -> None:
    site.authorization = f"Basic {base64.b64encode(b'reader:open sesame').decode()}"
    names = [f"{EARLY}-ntd.csv", f"{LATE}-ntdclosed.csv"]
    others = ["?C=M;O=A", "../", "sub/ntd.csv", "http://elsewhere.example/drop/x-ntd.csv", "readme.txt"]
    links = "".join(f'<a href="{name}">{name}</a>' for name in [*reversed(names), *others])
    site.put("/drop/", f"<html><body>{links}</body></html>")
    site.put(f"/drop/{names[0]}", ntd("a", "b"))
    site.put(f"/drop/{names[1]}", closed("a"))
    location = site.address.replace("http://", "http://reader:open%20sesame@") + "/drop"
    installation.configure("scart", location=location, zone="UTC")

    first = installation.collect("scart")
    assert (first.status, first.answer["verdict"]) == (0, "ok"), first.err
    assert site.asked == ["/drop/", f"/drop/{names[0]}", f"/drop/{names[1]}"]
    assert [row[:3] for row in installation.deliveries()] == [
        ("scart", "scart-ntd", 2),
        ("scart", "scart-ntdclosed", 1),
    ]

    site.counts()
    again = installation.collect("scart")
    assert (again.status, again.answer["verdict"]) == (0, "unchanged"), again.err
    assert site.counts() == {200: 1, 304: 2}  # the listing, and two files that need not be sent again
    assert "sesame" not in installation.said
    installation.assert_silent()


def test_folder_that_is_not_there(tmp_path: Path, vault: Vault) -> None:
    source = replace(SOURCE, location=str(tmp_path / "nowhere"))
    run = CollectionRun(source, tmp_path, connect("sqlite://"), vault, lambda: 0)

    async def walk() -> list[object]:
        return [found async for found in ScartDropSpider(run).start()]

    assert asyncio.run(walk()) == []
    assert run.outcome.failures == ["the folder: cannot be read (No such file or directory)"]
