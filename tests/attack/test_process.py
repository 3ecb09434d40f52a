"""What a process of ours leaves behind: no core dump, and nothing that another process can look into."""

from __future__ import annotations

import ctypes
import importlib.metadata
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitor import process
from monitor.score import facts
from monitor.workers import pool
from reports.pdf_pool import pdf_pool
from tests.web.test_serve import free_port, until
from web.shared.serve import Service, run

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")
NOBODY = 65534
_GET_DUMPABLE = 3  # linux/prctl.h
HARDENED = "dumpable 0, core (0, 0), umask 63"
HERE = "from tests.attack.test_process import state; print(state())"


def state() -> str:
    """Whether this process is dumpable, how large a core of it may be, and its umask."""
    umask = os.umask(0o077)
    os.umask(umask)
    dumpable = ctypes.CDLL(None).prctl(_GET_DUMPABLE, 0, 0, 0, 0)
    return f"dumpable {dumpable}, core {resource.getrlimit(resource.RLIMIT_CORE)}, umask {umask}"


def told(code: str) -> str:
    """What a new interpreter says that runs this."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_new_interpreter_is_not_hardened_until_it_asks() -> None:
    assert told(HERE) != HARDENED
    assert told(f"from monitor.process import harden; harden(); {HERE}") == HARDENED
    assert told(f"import monitor.hardened; {HERE}") == HARDENED


def test_each_command_however_it_is_called() -> None:
    """`monitor` and `python -m monitor` are both `monitor.cli.main`, which does it before it reads a word."""
    [script] = importlib.metadata.entry_points(group="console_scripts", name="monitor")
    assert script.value == "monitor.cli:main"
    assert "from monitor.cli import main" in Path("monitor/__main__.py").read_text()
    code = f"import monitor.cli as cli\ndef command(**_): {HERE}\ncli.cli.main = command\ncli.main()"
    assert told(code) == HARDENED


def test_the_process_that_reads_a_delivery() -> None:
    code = (
        "import sys\nfrom monitor.ingest import reader_process\n"
        f"def task(): {HERE}; sys.exit()\n"
        "reader_process.receive = task\nreader_process.main()"
    )
    assert told(code) == HARDENED


def test_the_processes_that_read_the_facts_and_that_typeset() -> None:
    with pool(1, facts._LOADED) as readers:
        assert readers.submit(state).result() == HARDENED
    with pdf_pool(1) as press:
        assert press.submit(state).result() == HARDENED


def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Says what a worker of the site is like."""
    start_response("200 OK", [])
    return [state().encode()]


def load() -> Callable[..., Any]:
    """The application, in each worker."""
    return application


def test_the_workers_of_the_site() -> None:
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=partial(run, [Service(load, port=port)], 2))
    server.start()

    def answer() -> bytes:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read()
        except OSError:
            return b""
        finally:
            connection.close()

    try:
        until(lambda: answer() == HARDENED.encode())
        assert {answer() for _ in range(20)} == {HARDENED.encode()}
    finally:
        server.terminate()
        server.join(30)
        server.close()


def test_no_process_is_begun_elsewhere() -> None:
    """Whoever starts an interpreter of ours is counted here, and must see to it that it hardens itself."""
    ways = ("sys.executable", "get_context(", "multiprocessing.Process(", "ProcessPoolExecutor(")
    known = {
        "monitor/cli/demo.py": "commands",
        "monitor/schedule/leader.py": "a command",
        "monitor/schedule/runs.py": "a command",
        "monitor/workers.py": "the fork server, and each module itself",
        "web/shared/serve.py": "the workers",
    }
    sources = [path for name in ("monitor", "spiders", "web", "reports") for path in Path(name).rglob("*.py")]
    found = {path.as_posix() for path in sources if any(way in path.read_text("utf-8") for way in ways)}
    assert found == set(known)


def test_a_process_that_aborts_leaves_no_core(tmp_path: Path) -> None:
    if not (pattern := Path("/proc/sys/kernel/core_pattern").read_text()).startswith("core"):
        pytest.skip(f"this machine's cores go elsewhere ({pattern.strip()})")
    found = {}
    for name, first in (("plain", ""), ("hardened", "from monitor.process import harden; harden(); ")):
        (tmp_path / name).mkdir()
        code = f"{first}import os; os.chdir({str(tmp_path / name)!r}); os.abort()"
        command = ["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh", sys.executable, "-c", code]
        assert subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == -signal.SIGABRT
        found[name] = len(list((tmp_path / name).iterdir()))
    assert found == {"plain": 1, "hardened": 0}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_process_even_of_the_same_user_cannot_look_into_it() -> None:
    """The same user is the sharpest case: he may look into each of his processes unless it forbids that."""
    source = Path(process.__file__).read_text("utf-8")
    found = {}
    for name, call in (("plain", ""), ("hardened", "harden(); ")):
        code = f"import time; exec({source!r}); {_BECOME_NOBODY}{call}print(flush=True); time.sleep(60)"
        command = [sys.executable, "-I", "-S", "-c", code]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            running.stdout.readline()
            found[name] = {what for what in ("mem", "environ", "maps") if _can_read(running.pid, what)}
            assert running.poll() is None
            running.kill()
    assert {"environ", "maps"} <= found["plain"]  # the memory too, where Yama does not forbid that anyway
    assert found["hardened"] == set()


_BECOME_NOBODY = (  # who changes user is not dumpable any more, so that is set back
    f"import ctypes, os; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n"
)


def _can_read(pid: int, what: str) -> bool:
    command = [sys.executable, "-I", "-S", "-c", f"{_BECOME_NOBODY}open('/proc/{pid}/{what}', 'rb')"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert b"PermissionError" in done.stderr or not done.returncode, done.stderr
    return not done.returncode
