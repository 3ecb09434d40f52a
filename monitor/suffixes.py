"""The public suffix list (publicsuffix.org): read when first asked for, for reading it takes an eighth of a second."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@cache
def suffixes() -> PublicSuffixList:
    """The list, with names that it does not know taken for suffixes, as it is meant to be used."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
