"""The regular rows of the `ntd` export, by columns; whatever `_ntd_row` would say more of is left to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.clear_text import is_mail
from monitor.formats.localtime import NO_TIME, PlainTimes
from monitor.formats.regular import (
    Cells,
    RegularRows,
    addresses_of,
    hosts_of,
    is_odd_text,
    not_in_order,
    odd_places,
    of_instants,
    of_texts,
)
from monitor.formats.rows import CLOCK_SKEW
from monitor.formats.scart.words import SENT
from monitor.vocabulary import Role

_TIMES = ("NTD status time", "first seen", "last seen")
_DELIVERY = {status: str(delivery) for status, (delivery, _) in SENT.items()}
_CHANNEL = {status: str(channel) for status, (_, channel) in SENT.items()}
_ROLES = {str(role) for role in Role}
_HOSTER = str(Role.HOSTER)


@dataclass(frozen=True)
class RegularNtd:
    """Reads the cells of an export that arrived at `received_at` (epoch seconds)."""

    times: PlainTimes
    received_at: int

    def __call__(self, lines: Sequence[int], cells: Cells) -> tuple[RegularRows, set[int]]:
        """The rows by columns, and the places of those that are not regular."""
        sent, first, last = (self.times.read(cells[name]) for name in _TIMES)
        hosts, odd_urls = hosts_of(cells["url"])
        addresses, odd_addresses = addresses_of(cells["IP"], hosts)
        roles, statuses = cells["abuse type"], cells["NTD status"]
        rows = RegularRows(
            line=list(lines),
            url=cells["url"],
            host=hosts,
            sent_at=sent,
            role=roles,
            delivery=[_DELIVERY.get(status, "") for status in statuses],
            channel=[_CHANNEL.get(status, "") for status in statuses],
            recipient=_if_hoster(roles, cells["abuse owner"]),
            recipient_country=of_texts(cells["abuse country"]),
            recipient_email=_if_hoster(roles, cells["abuse email"]),
            address=addresses,
            reference=of_texts(cells["NTD filenumber"]),
            online_at=of_instants(last),
            offline_at=[None] * len(lines),
            flag=not_in_order(first, last),
        )
        return rows, odd_urls | odd_addresses | self._odd_times(sent, first, last) | _odd_words(cells)

    def _odd_times(self, sent: Sequence[int], first: Sequence[int], last: Sequence[int]) -> set[int]:
        """Where the notice has no time, something lies in the future, or the clock must look for itself."""
        latest = self.received_at + CLOCK_SKEW
        odd = odd_places(sent, lambda at: not 0 <= at <= latest)
        odd |= odd_places(last, lambda at: not (0 <= at <= latest or at == NO_TIME))
        return odd | odd_places(first, lambda at: not (at >= 0 or at == NO_TIME))


def _odd_words(cells: Cells) -> set[int]:
    odd = odd_places(cells["NTD status"], lambda status: status not in SENT)
    odd |= odd_places(cells["abuse type"], lambda role: role not in _ROLES)
    odd |= odd_places(cells["online counter"], lambda counter: counter and not counter.isdecimal())
    for column in ("abuse owner", "abuse country", "NTD filenumber"):
        odd |= odd_places(cells[column], is_odd_text)
    return odd | odd_places(cells["abuse email"], lambda mail: not is_mail(mail))


def _if_hoster(roles: Sequence[str], texts: Sequence[str]) -> list[str | None]:
    return [text or None if role == _HOSTER else None for role, text in zip(roles, texts, strict=True)]
