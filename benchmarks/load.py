"""A load generator: some connections, each asking one address again as soon as it has the whole answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Load:
    """What came of it: requests, how many a second, and by how many milliseconds 99 of 100 were answered."""

    requests: int
    rate: float
    p99_ms: float


def load(port: int, path: str, headers: dict[str, str], seconds: float = 4.0, connections: int = 32) -> Load:
    """Ask for `seconds`; raises AssertionError where an answer is not like the first."""
    text = "".join(f"{name}: {value}\r\n" for name, value in {"Host": f"127.0.0.1:{port}", **headers}.items())
    request = f"GET {path} HTTP/1.1\r\n{text}\r\n".encode()
    return asyncio.run(_load(port, request, seconds, connections))


async def _load(port: int, request: bytes, seconds: float, connections: int) -> Load:
    length = await _length(port, request)
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    made = [await loop.create_connection(lambda: _Asker(request, length, until), "127.0.0.1", port)
            for _ in range(connections)]  # fmt: skip
    askers = [asker for _, asker in made]
    began = time.perf_counter()
    for asker in askers:
        asker.ask()
    await asyncio.gather(*(asker.done for asker in askers))
    waited = np.concatenate([asker.waited for asker in askers])
    rate = len(waited) / (time.perf_counter() - began)
    return Load(len(waited), rate, float(np.percentile(waited, 99)) * 1000)


async def _length(port: int, request: bytes) -> int:
    """Bytes of the answer with its head: all are alike, so they are counted and not read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")), head[:20]
    sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    body = int(sizes[0].split(b":")[1]) if sizes else 0
    await reader.readexactly(body)
    writer.close()
    return len(head) + body


@dataclass
class _Asker(asyncio.Protocol):
    """One connection."""

    request: bytes
    length: int
    until: float
    waited: list[float] = field(default_factory=list)
    got: int = 0
    since: float = 0.0

    def __post_init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self) -> None:
        """Send one request."""
        self.since = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Count what came; when it is all of it, ask again."""
        self.got += len(data)
        if self.got < self.length:
            return
        now = time.perf_counter()
        self.waited.append(now - self.since)
        assert self.got == self.length, "an answer is longer than the first"
        self.got = 0
        if now < self.until:
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, or a failure that the caller hears of."""
        if exc is None and time.perf_counter() >= self.until:
            self.done.set_result(None)
        else:
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))
