"""The shape of the code: no file longer than 500 lines, and no two modules that import each other."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("monitor", "spiders", "web", "reports")
LONGEST = 500  # lines


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, known: set[str]) -> set[str]:
    """The modules of ours that a file loads as it is loaded itself: imports within functions come later."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in known else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & known - {_name(path)}


def test_no_file_is_too_long_to_be_read() -> None:
    lengths = {_name(path): len(path.read_text("utf-8").splitlines()) for path in _files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_no_modules_import_each_other() -> None:
    known = {_name(path) for path in _files()}
    left = {_name(path): _imports(path, known) for path in _files()}
    while ready := {name for name, imports in left.items() if not imports & left.keys()}:
        left = {name: imports for name, imports in left.items() if name not in ready}
    assert left == {}


FILES = {
    "monitor.competing_figures",
    "monitor.decisions",
    "monitor.demo",
    "monitor.figures",
    "monitor.metrics",
    "monitor.tokens",
}  # of one file each
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_the_document_lists_every_package_in_the_order_that_is_enforced() -> None:
    listed = re.findall(r"^\| `([\w.]+)` \|", DOCUMENT.partition("## Rules")[0], re.MULTILINE)
    packages = {_name(path) for path in _files() if path.name == "__init__.py" and path.parent.parent.name == "monitor"}
    assert set(listed) == packages | FILES | {"web", "reports", "spiders"}
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    layers = [name for layer in contract["layers"] for name in layer.split(" | ") if name in listed]
    assert listed[3:] == layers


def test_what_the_document_names_exists() -> None:
    for name in re.findall(r"`((?:monitor|web|spiders|reports)/[\w/]+\.py)`", DOCUMENT):
        assert (ROOT / name).is_file(), name
