"""Rebuild `web/shared/static/vendor/` (styles, fonts, `vendor.json`) from npm packages: `python -m tools.build_static`.

Needs npm on the machine that builds, never on the one that serves. Component styles are kept whole; of the design
tokens only those that the components or `site.css` use, directly or through another token. Newer packages come in
by changing a version below.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

STATIC = Path(__file__).resolve().parents[1] / "web" / "shared" / "static"
VENDOR = STATIC / "vendor"
TOKENS = ("@nl-design-system-unstable/voorbeeld-design-tokens", "7.4.1", "dist/theme.css")
COMPONENTS = (
    ("@nl-design-system-candidate/button-css", "1.1.0", "dist/button.css"),
    ("@nl-design-system-candidate/data-badge-css", "1.0.5", "dist/data-badge.css"),
    ("@nl-design-system-candidate/heading-css", "1.1.3", "dist/heading.css"),
    ("@nl-design-system-candidate/link-css", "2.0.3", "dist/link.css"),
    ("@nl-design-system-candidate/paragraph-css", "2.1.3", "dist/paragraph.css"),
    ("@nl-design-system-candidate/skip-link-css", "1.0.5", "dist/skip-link.css"),
    ("@utrecht/form-label-css", "3.0.1", "dist/index.min.css"),
    ("@utrecht/page-footer-css", "4.0.2", "dist/index.min.css"),
    ("@utrecht/page-header-css", "3.0.2", "dist/index.min.css"),
    ("@utrecht/pagination-css", "3.0.1", "dist/index.min.css"),
    ("@utrecht/select-css", "3.0.1", "dist/index.min.css"),
    ("@utrecht/table-css", "3.0.1", "dist/index.min.css"),
    ("@utrecht/textbox-css", "4.0.1", "dist/index.min.css"),
)
FONT = ("@fontsource/source-sans-3", "5.3.0")
WEIGHTS = (400, 600)
_DECLARATION = re.compile(r"^[ \t]*+(--[\w-]++):\s*+([^;]++);", re.MULTILINE)
_USE = re.compile(r"var\(\s*(--[\w-]+)")


def main() -> None:
    """Fetch, build and record everything under `vendor/`."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        packages = {name: _fetch(name, version, Path(folder)) for name, version, _ in (*COMPONENTS, TOKENS)}
        components = "\n".join(_style(packages[name] / path, name) for name, _, path in COMPONENTS)
        tokens = _tokens((packages[TOKENS[0]] / TOKENS[2]).read_text("utf-8"), components)
        (VENDOR / "nl-design-system.css").write_text(f"{tokens}\n{components}\n", "utf-8")
        packages[FONT[0]] = _fetch(*FONT, Path(folder))
        for weight in WEIGHTS:
            shutil.copy(packages[FONT[0]] / f"files/source-sans-3-latin-{weight}-normal.woff2", VENDOR)
        licences = {name: _licence(package, name) for name, package in packages.items()}
    _record(licences)


def _fetch(name: str, version: str, folder: Path) -> Path:
    """The unpacked package."""
    command = ["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)  # noqa: S603
    target = folder / name.replace("/", "-")
    with tarfile.open(folder / done.stdout.split()[-1]) as archive:
        archive.extractall(target, filter="data")
    return next(path for path in target.iterdir() if path.is_dir())


def _style(path: Path, name: str) -> str:
    """One component's rules, without source maps; refuses what our Content-Security-Policy would block."""
    text = re.sub(r"/\*#.*?\*/", "", path.read_text("utf-8")).strip()
    if "data:" in text or "@import" in text or "http:" in text or "https:" in text:
        raise SystemExit(f"{name}: has a data: or remote address that the content security policy refuses")
    return f"/* {name} */\n{text}"


def _tokens(theme: str, components: str) -> str:
    """The tokens in use, as custom properties of the root."""
    known = dict(_DECLARATION.findall(theme))
    wanted = set(_USE.findall(components + (STATIC / "site.css").read_text("utf-8")))
    found: dict[str, str] = {}
    while wanted:
        name = wanted.pop()
        if name in known and name not in found:
            found[name] = known[name].strip()
            wanted.update(_USE.findall(found[name]))
    lines = "".join(f"{name}:{value};\n" for name, value in sorted(found.items()))
    return f"/* {TOKENS[0]} */\n:root{{\n{lines}}}"


def _licence(package: Path, name: str) -> dict[str, str]:
    about = json.loads((package / "package.json").read_text("utf-8"))
    text = next((path for path in sorted(package.iterdir()) if path.name.upper().startswith("LICENSE")), None)
    entry = {"version": about["version"], "licence": about["license"]}
    if text is not None:
        target = VENDOR / f"LICENCE.{name.strip('@').replace('/', '.')}.txt"
        if not _already_there(text):
            shutil.copyfile(text, target)
    return entry


def _already_there(text: Path) -> bool:
    """Many packages share one licence text; it is kept once."""
    return any(path.read_bytes() == text.read_bytes() for path in VENDOR.glob("LICENCE.*"))


def hashes() -> dict[str, str]:
    """SHA-256 of every file under `vendor/` but the record itself."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(VENDOR.iterdir())
        if path.name != "vendor.json"
    }


def _record(packages: dict[str, dict[str, str]]) -> None:
    record = {"built_by": "python -m tools.build_static", "packages": packages, "files": hashes()}
    (VENDOR / "vendor.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
