"""Strings on which an expression that is worse than linear shows it, made from the expression itself.

Such an expression has two ways to read one stretch of text, so the strings are `prefix + pump * n + suffix`: pumps are
what a repeated part of it matches, and short mixtures of its own signs; prefixes lead to a repeated part; suffixes
are what does not fit there.
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

LINE_LIMIT = 256 * 1024
_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}
_CLASSES = {
    codes.CATEGORY_DIGIT: "0", codes.CATEGORY_NOT_DIGIT: "a", codes.CATEGORY_SPACE: " ", codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_WORD: "a", codes.CATEGORY_NOT_WORD: "-",
}  # fmt: skip
_SIGNS, _PREFIXES, _PUMPS = 9, 4, 60
_NOTHING = "!\x00"


@dataclass(frozen=True)
class Use:
    """An expression as the code uses it."""

    pattern: re.Pattern[Any]
    method: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.method}"

    def run(self, text: str) -> None:
        """Search the text as the code does, to the end."""
        given: Any = text.encode("utf-8", "surrogatepass") if isinstance(self.pattern.pattern, bytes) else text
        search = getattr(self.pattern, self.method)
        found = search("<>", given) if self.method in ("sub", "subn") and isinstance(given, str) else None
        found = search(b"<>", given) if self.method in ("sub", "subn") and found is None else found
        found = search(given) if found is None else found
        if self.method == "finditer":
            for _ in found:
                pass


def _parsed(pattern: re.Pattern[Any]) -> Any:
    return parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)


def _shortest(nodes: Sequence[Any], signs: str) -> str:
    """One short text that the nodes match, as far as that can be told without looking around."""
    return "".join(next(iter(_texts(code, given, signs)), "") for code, given in nodes)


def _texts(code: Any, given: Any, signs: str) -> Iterator[str]:
    """A few short texts that one node matches."""
    if code is codes.LITERAL:
        yield chr(given)
    elif code is codes.NOT_LITERAL or code is codes.ANY:
        yield from (sign for sign in signs if code is codes.ANY or ord(sign) != given)
    elif code is codes.IN:
        yield from _members(given, signs)
    elif code in _REPEATS:
        least, _, inner = given
        yield from (text * max(least, 1) for text in _sequences(inner, signs))
    elif code is codes.BRANCH:
        yield from (text for branch in given[1] for text in _sequences(branch, signs))
    elif code is codes.SUBPATTERN:
        yield from _sequences(given[-1], signs)
    elif code is codes.ATOMIC_GROUP:
        yield from _sequences(given, signs)


def _sequences(nodes: Sequence[Any], signs: str) -> Iterator[str]:
    """Texts of a sequence in which one node is varied at a time."""
    plain = [next(iter(_texts(code, given, signs)), "") for code, given in nodes]
    yield "".join(plain)
    for place, (code, given) in enumerate(nodes):
        for text in islice(_texts(code, given, signs), 1, 6):
            yield "".join((*plain[:place], text, *plain[place + 1 :]))


def _members(members: Sequence[Any], signs: str) -> Iterator[str]:
    if members and members[0][0] is codes.NEGATE:
        refused = set(_members(members[1:], signs))
        yield from (sign for sign in (*signs, "a", "0", " ", "-") if sign not in refused)
        return
    for code, given in members:
        if code is codes.LITERAL:
            yield chr(given)
        elif code is codes.RANGE:
            yield chr(given[0])
            yield chr(given[1])
        elif code is codes.CATEGORY:
            yield _CLASSES[given]


def _walk(nodes: Any, before: str, signs: str) -> Iterator[tuple[str, Any]]:
    """Each repeated part that may go on for long, with a text that leads to it."""
    for code, given in nodes:
        if code in _REPEATS:
            _, most, inner = given
            if most > 8:  # a shorter one costs no more than its length
                yield before, inner
            yield from _walk(inner, before, signs)
        elif code is codes.SUBPATTERN:
            yield from _walk(given[-1], before, signs)
        elif code is codes.ATOMIC_GROUP:
            yield from _walk(given, before, signs)
        elif code is codes.BRANCH:
            for branch in given[1]:
                yield from _walk(branch, before, signs)
        before += _shortest([(code, given)], signs)


def _signs(nodes: Any) -> str:
    """The signs an expression speaks of, each once, the rarest classes represented by one."""
    found: dict[str, None] = {}
    for code, given in nodes:
        if code in (codes.LITERAL, codes.NOT_LITERAL):
            found[chr(given)] = None
        elif code is codes.IN:
            found |= dict.fromkeys(_members([m for m in given if m[0] is not codes.NEGATE], ""))
        elif code in _REPEATS:
            found |= dict.fromkeys(_signs(given[2]))
        elif code is codes.BRANCH:
            for branch in given[1]:
                found |= dict.fromkeys(_signs(branch))
        elif code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
            found |= dict.fromkeys(_signs(given if code is codes.ATOMIC_GROUP else given[-1]))
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            found |= dict.fromkeys(_signs(given[1]))
    return "".join(found)


@dataclass(frozen=True)
class Pumped:
    """One family of strings."""

    prefix: str
    pump: str
    suffix: str

    def of(self, length: int) -> str:
        """The one of about that length."""
        return self.prefix + self.pump * (length // len(self.pump)) + self.suffix


def families(pattern: re.Pattern[Any]) -> list[Pumped]:
    """The strings that an expression is tried on."""
    nodes = _parsed(pattern)
    every = _signs(nodes)
    step = max(1, len(every) // _SIGNS)
    signs = "".join(dict.fromkeys((*every[::step][:_SIGNS], "a")))
    loops = list(_walk(nodes, "", signs))
    prefixes = list(dict.fromkeys(("", *(before for before, _ in loops))))[:_PREFIXES]
    pumps = [text for _, inner in loops for text in islice(_sequences(inner, signs), 12)]
    pumps += [
        a + b for (_, one), (_, other) in product(loops, loops) for a in _two(one, signs) for b in _two(other, signs)
    ]
    pumps += ["".join(two) for two in product(signs, signs)]
    pumps = [pump for pump in dict.fromkeys(pumps) if pump][:_PUMPS]
    suffixes = ("", *_NOTHING, signs[0] + "!")
    return [Pumped(*parts) for parts in product(prefixes, pumps, suffixes)]


def _two(nodes: Any, signs: str) -> list[str]:
    return list(islice(_sequences(nodes, signs), 2))


def seconds(run: Callable[[], object], times: int = 2) -> float:
    """The least that it took."""
    found = []
    for _ in range(times):
        begun = time.thread_time()
        run()
        found.append(time.thread_time() - begun)
    return min(found)
