"""Runs `monitor` in processes of their own, forked from one that has imported everything: imports are paid once."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_START = 300  # seconds that importing may take on a busy machine
_IMPORTED = (
    "monitor.cli.deliveries",
    "monitor.cli.demo",
    "monitor.cli.registry",
    "monitor.cli.release",
    "monitor.cli.score",
    "monitor.cli.setup",
    "monitor.cli.token",
    "monitor.score.pipeline",
    "reports.command",
    "spiders.command",
    "spiders.crawl",
)


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `monitor` to its end; raises TimeoutExpired where it takes longer than so many seconds."""
    server = _server()
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        request = {"arguments": list(arguments), "environment": dict(environment), "out": str(out), "err": str(err)}
        assert server.stdin is not None
        server.stdin.write(json.dumps(request | {"folder": str(Path.cwd())}).encode() + b"\n")
        server.stdin.flush()
        pid = int(_answer(server, _START))
        try:
            status = int(_answer(server, timeout))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            _answer(server, _START)
            raise subprocess.TimeoutExpired(["monitor", *arguments], timeout) from None
        return subprocess.CompletedProcess(["monitor", *arguments], status, _text(out), _text(err))


def _text(path: Path) -> str:
    return path.read_bytes().decode()


@cache
def _server() -> subprocess.Popen[bytes]:
    """The process that forks; it ends with this one, whose end of the pipe closes then."""
    command = [sys.executable, "-m", "tests.support.commands"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def _answer(server: subprocess.Popen[bytes], timeout: float) -> bytes:
    assert server.stdout is not None
    if not select.select([server.stdout], [], [], timeout)[0]:
        raise TimeoutError
    line = server.stdout.readline()
    assert line, "the process that starts commands has ended"
    return line


def _serve() -> dict[str, Any] | None:
    """In each child what it is asked to run; None in the parent, at its end."""
    for line in sys.stdin.buffer:
        pid = os.fork()
        if not pid:
            request = json.loads(line)
            assert isinstance(request, dict)
            return request
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    return None


def _become(request: Mapping[str, Any]) -> None:
    """Make of this process one that was started for that request."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for descriptor, name in enumerate((os.devnull, request["out"], request["err"])):
        opened = os.open(name, os.O_WRONLY | os.O_CREAT if descriptor else os.O_RDONLY, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["monitor", *request["arguments"]]
    sys.modules["__main__"] = import_module("monitor.__main__")  # what a process that this one starts takes it for


if __name__ == "__main__":
    for _name in _IMPORTED:
        import_module(_name)
    if (_request := _serve()) is not None:
        _become(_request)
        import_module("monitor.cli").main()
