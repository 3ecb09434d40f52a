"""Files of others that the site serves are those on record."""

from __future__ import annotations

import json

from tools import build_static


def test_vendored_files_are_those_on_record() -> None:
    record = json.loads((build_static.VENDOR / "vendor.json").read_text())
    assert record["files"] == build_static.hashes()
    assert {about["licence"] for about in record["packages"].values()} == {"EUPL-1.2", "OFL-1.1"}
