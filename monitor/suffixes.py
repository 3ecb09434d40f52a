"""The public suffix list (publicsuffix.org): read when first asked for, for reading it takes an eighth of a second."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_VERSION = re.compile(r"// VERSION: (\S+)")
_HEAD = 4096  # bytes in which the version stands


@cache
def suffixes() -> PublicSuffixList:
    """The list, with names that it does not know taken for suffixes, as it is meant to be used."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


@cache
def suffixes_version() -> str:
    """The version of the list, which begins with its date: its sites depend on it. The list itself is not read."""
    found = find_spec("publicsuffixlist")
    if found is None or found.origin is None:
        return "none"
    with (Path(found.origin).parent / "public_suffix_list.dat").open("rb") as file:
        version = _VERSION.search(file.read(_HEAD).decode("utf-8", "replace"))
    return version[1] if version else "unknown"
