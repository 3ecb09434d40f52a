"""A guard over the sockets of this thread: it notes, and refuses, every connection but the allowed."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Guard:
    """`allowed`: (host, port) that may be connected to; `looked_up`: hosts the system resolver was asked for."""

    allowed: set[tuple[str, int]] = field(default_factory=set)
    reached: list[tuple[str, int]] = field(default_factory=list)
    refused: list[object] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    received: int = 0  # bytes
    thread: int = field(default_factory=threading.get_ident)  # the one that is watched: servers of tests have others

    def check(self, address: Any) -> None:
        """Raise PermissionError for another address; code under test may swallow it, the note stays."""
        if threading.get_ident() != self.thread:
            return
        if not isinstance(address, tuple) or address[:2] not in self.allowed:
            self.refused.append(address)
            raise PermissionError("the guard lets nobody through")
        self.reached.append(address[:2])

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Stand before every way out that Python's sockets have."""
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, self._before(getattr(socket.socket, name)))
        sendto = socket.socket.sendto

        def guarded_sendto(own: socket.socket, data: bytes, *rest: Any) -> int:
            self.check(rest[-1])
            return sendto(own, data, *rest)

        receive = socket.socket.recv

        def guarded_receive(own: socket.socket, *rest: Any) -> bytes:
            data = receive(own, *rest)
            self.received += len(data) if threading.get_ident() == self.thread else 0
            return data

        look_up = socket.getaddrinfo

        def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
            self.looked_up.append(host)
            return look_up(host, *rest, **options)

        patch.setattr(socket.socket, "sendto", guarded_sendto)
        patch.setattr(socket.socket, "recv", guarded_receive)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)

    def _before(self, original: Any) -> Any:
        def guarded(own: socket.socket, address: Any) -> Any:
            self.check(address)
            return original(own, address)

        return guarded
