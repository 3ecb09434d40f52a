"""Pipes, devices, sockets and folders where a file is expected: refused in one line, never waited for."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from monitor.errors import DeliveryError
from monitor.formats.files import fingerprint, open_regular, read_lines
from monitor.vault import Vault
from spiders.scart_drop import sealed_copy, validators_of
from tests.spiders.installation import Installation
from tests.support.commands import run_command

_SECONDS = 60  # what hangs hangs for ever


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))  # the name of a socket may not be long


IRREGULAR: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "a named pipe"),
    "folder": (Path.mkdir, "a directory"),
    "socket": (_socket, "a socket"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "a device"),
}
COMMANDS = (
    "ingest scart-ntd {} --zone UTC",
    "ingest xarf {}",
    "ingest urlhaus {}",
    "registry load {}",
    "netblocks load {} --date 2026-01-01",
    "netblocks load {} --date 2026-01-01 --format ris",
    "estimate {}",
    "estimate {} --companies {}",
)


def _monitor(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MONITOR_HOME": str(home)}
    return run_command(arguments, environment, _SECONDS)


@pytest.mark.parametrize("kind", IRREGULAR)
def test_reading_refuses_it(tmp_path: Path, kind: str) -> None:
    make, words = IRREGULAR[kind]
    make(path := tmp_path / "file.csv")
    for read in (fingerprint, lambda file: list(read_lines(file)), open_regular):
        with pytest.raises(DeliveryError, match=f"the file is {words}, not a regular file"):
            read(path)


def test_each_command_refuses_a_pipe_and_a_device_in_one_line(tmp_path: Path) -> None:
    assert _monitor(tmp_path, "init", "--create-keys").returncode == 0
    os.mkfifo(pipe := tmp_path / "pipe.csv")
    for path, words in ((pipe, "a named pipe"), (Path("/dev/zero"), "a device")):
        for command in COMMANDS:
            ended = _monitor(tmp_path, *command.format(*2 * [path]).split())
            name = f"{path.name}: " if command.startswith("registry") else ""  # as each of its errors does
            expected = f"monitor: {name}the file is {words}, not a regular file; save it as a file and give that\n"
            assert (ended.returncode, ended.stderr) == (1, expected), command


def test_what_is_exchanged_for_a_pipe_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at it and its opening."""
    (tmp_path / "file").write_text("once a file")
    seen = (tmp_path / "file").stat()
    (tmp_path / "file").unlink()
    os.mkfifo(tmp_path / "file")
    monkeypatch.setattr(Path, "stat", lambda _path, **_: seen)
    with pytest.raises(DeliveryError, match="a named pipe"):
        open_regular(tmp_path / "file")


def test_a_folder_of_exports_names_what_is_no_file_and_takes_the_others(tmp_path: Path, sqlite_template: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "monitor.db")
    installation = Installation(tmp_path / "home", f"sqlite:///{tmp_path / 'monitor.db'}")
    drop = tmp_path / "drop"
    drop.mkdir()
    os.mkfifo(drop / "ntd-a.csv")
    (drop / "ntd-b.csv").symlink_to("/dev/zero")
    (drop / "ntd-c.csv").symlink_to("/etc/hostname")
    os.mkfifo(drop / "something")  # no export by its name: nobody's affair
    installation.configure("scart_drop", location=str(drop), zone="UTC")
    ended = installation.collect("scart_drop")
    assert ended.status == 1
    assert ended.err.count("it is not a regular file but a link, pipe or device") == 3
    assert installation.deliveries() == []


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "link"])
def test_a_file_exchanged_before_it_is_copied(tmp_path: Path, make: Callable[[Path], object], vault: Vault) -> None:
    (tmp_path / "ntd.csv").write_text("as it was listed")
    before = validators_of(tmp_path / "ntd.csv")
    (tmp_path / "ntd.csv").unlink()
    make(tmp_path / "ntd.csv")
    with pytest.raises(DeliveryError, match="not a regular file"):
        sealed_copy(tmp_path / "ntd.csv", tmp_path / "copy", before, vault)
    assert not (tmp_path / "copy").exists()
