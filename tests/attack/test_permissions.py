"""What others may read of an installation: what is published, and nothing else."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import permissions
from monitor.cli.runtime import keep_private
from monitor.db import connect
from monitor.errors import ConfigurationError
from monitor.incoming import private_folder
from monitor.permissions import narrow, write_key_file
from monitor.release.signing import create_signing_key, load_signing_key
from monitor.settings import Settings
from monitor.vault import Vault, create_keys

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def monitor(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a careless operator does, whose umask lets everybody read."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    command = [sys.executable, "-W", "ignore", "-m", "monitor", *arguments]
    environment |= {"MONITOR_HOME": str(home)}
    return subprocess.run(command, env=environment, umask=0o000, capture_output=True, text=True, check=False)


def test_an_installation_is_its_owners_but_for_what_is_published(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert monitor(home, "init", "--create-keys").returncode == 0
    for path in (home, *home.rglob("*")):
        public = path.is_relative_to(home / "publications")
        wanted = (0o755 if public else 0o700) if path.is_dir() else (0o644 if public else 0o600)
        assert mode(path) == wanted, path
    assert {path.name for path in home.iterdir()} >= {"monitor.db", "keys.json", "signing.pem", "publications"}
    assert len(list((home / "publications" / "keys").iterdir())) == 1


def test_the_files_beside_an_open_database_are_private_too(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'deep' / 'monitor.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n)")
        found = {path.name: mode(path) for path in (tmp_path / "deep").iterdir()}
    engine.dispose()
    assert found == {"monitor.db": 0o600, "monitor.db-wal": 0o600, "monitor.db-shm": 0o600}


def test_an_older_installation_is_narrowed_at_the_next_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert monitor(home, "init", "--create-keys").returncode == 0
    (home / "incoming").mkdir()
    for path in (home, home / "incoming"):
        path.chmod(0o755)
    for ending in ("", "-wal", "-shm"):
        Path(f"{home / 'monitor.db'}{ending}").touch()
        Path(f"{home / 'monitor.db'}{ending}").chmod(0o664)
    assert monitor(home, "config").returncode == 0
    assert (mode(home), mode(home / "incoming")) == (0o700, 0o700)
    assert {mode(path) for path in home.glob("monitor.db*")} == {0o600}
    assert mode(home / "publications") == 0o755


@AS_ROOT
def test_what_is_not_ours_to_change_is_named_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "monitor.db").touch()
    (home / "monitor.db").chmod(0o644)
    os.chown(home / "monitor.db", 65534, 65534)
    done = monitor(home, "config")
    said = f"monitor: {home}/monitor.db: others may read it and it is not ours to change; its owner runs: chmod 600"
    assert (done.returncode, done.stderr) == (1, f"{said} {home}/monitor.db\n")


def test_a_folder_that_all_share_is_never_taken_from_them(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(ConfigurationError, match="a folder that all share: name one of our own with MONITOR_HOME"):
        keep_private(Settings(home=shared))
    with pytest.raises(ConfigurationError, match="a folder that all share"):
        narrow(Path("/"), folder=True)
    assert mode(shared) == 0o1777


def test_where_deliveries_lie(tmp_path: Path) -> None:
    with private_folder(Settings(home=tmp_path)) as folder:
        assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)


@pytest.mark.parametrize("wide", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601, 0o440])
def test_a_key_file_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path, wide: int) -> None:
    keys, signing = tmp_path / "keys.json", tmp_path / "signing.pem"
    create_keys(keys)
    create_signing_key(signing, tmp_path / "public" / "keys")
    for path, read in ((keys, Vault), (signing, load_signing_key)):
        read(path)
        path.chmod(wide)
        with pytest.raises(ConfigurationError) as refused:
            read(path)
        assert str(refused.value) == f"{path}: others than its owner may read this key file; run: chmod 600 {path}"
        path.chmod(0o400)
        read(path)


@AS_ROOT
def test_a_credential_that_systemd_hands_over_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's, shown as 0440 because of its access control list, in which the service's user stands and nobody else."""
    keys = tmp_path / "keys.json"
    create_keys(keys)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    for user, refused in ((1234, False), (1235, True)):
        try:
            os.setxattr(keys, permissions._ACL, _access_control_list(user))
        except OSError:
            pytest.skip("the file system of the tests keeps no access control lists")
        assert mode(keys) == 0o440
        if refused:
            with pytest.raises(ConfigurationError, match="others than its owner"):
                Vault(keys)
        else:
            Vault(keys)


def _access_control_list(user: int) -> bytes:
    """What `setfacl -m u::r,u:USER:r,g::-,m::r,o::-` writes."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 4, nobody), (0x02, 4, user), (0x04, 0, nobody), (0x10, 4, nobody), (0x20, 0, nobody)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_a_key_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever step fails, none of it is left, and none of it was ever seen under the name of the file."""
    path = tmp_path / "keys.json"
    for step in ("fsync", "link"):

        def fail(*_: object) -> None:
            assert not path.exists()
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, step, fail)
            with pytest.raises(OSError, match="No space left"):
                write_key_file(path, b"secret")
        assert list(tmp_path.iterdir()) == []
    write_key_file(path, b"secret")
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("keys.json", b"secret")]
    with pytest.raises(FileExistsError):
        write_key_file(path, b"other")
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("keys.json", b"secret")]
