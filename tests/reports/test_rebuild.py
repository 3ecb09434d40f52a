"""The same release gives the same bytes wherever it is built: clock, language and hash seed of the machine do not."""

from __future__ import annotations

import os
import subprocess
import sys

BUILD = """
import hashlib
from reports.pdf_pool import pdf_pool
from reports.publication import documents
from tests.reports.fiction import report
with pdf_pool(2) as pool:
    for written in documents(report(), pool)().values():
        print(hashlib.sha256(written).hexdigest())
"""


def built(**environment: str) -> list[str]:
    """The digests of all four files, made by a process of its own under that environment."""
    whole = "if __name__ == '__main__':\n" + "\n".join(f"    {line}" for line in BUILD.strip().splitlines())
    command = [sys.executable, "-c", whole]
    run = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_two_machines_build_the_same_bytes() -> None:
    one = built(TZ="America/New_York", LC_ALL="C", LANG="C", PYTHONHASHSEED="1")
    other = built(TZ="Asia/Kolkata", LC_ALL="C.UTF-8", LANG="nl_NL.UTF-8", PYTHONHASHSEED="2")
    assert len(set(one)) == 4
    assert one == other
