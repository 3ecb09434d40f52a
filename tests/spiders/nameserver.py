"""A small nameserver on this machine, over UDP and TCP, that answers what it is told to and keeps what it was asked."""

from __future__ import annotations

import errno
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


@dataclass
class Zone:
    """Answers by name: addresses, the name it is an alias of, or a response code. Other names do not exist."""

    location: str = ""
    addresses: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dns.rcode.Rcode] = field(default_factory=dict)
    silent: bool = False
    truncating: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    by_tcp: int = 0

    def answer(self, wire: bytes, *, over_tcp: bool) -> bytes | None:
        """The response to a query, as a recursive resolver gives it; None for silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
        self.by_tcp += over_tcp
        self.asked.append((name, kind))
        if self.silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if self.truncating and not over_tcp:
            response.flags |= dns.flags.TC
            return response.to_wire()
        self._fill(response, name, kind)
        return response.to_wire()

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        if name in self.aliases:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{self.aliases[name]}."))
            name = self.aliases[name]
        response.set_rcode(self.codes.get(name, dns.rcode.NOERROR if name in self.addresses else dns.rcode.NXDOMAIN))
        found = [text for text in self.addresses.get(name, []) if (":" in text) == (kind == "AAAA")]
        if found and name not in self.codes:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *found))


@contextmanager
def nameserver() -> Iterator[Zone]:
    """A running server with nothing in its zone yet."""
    zone = Zone()

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, connection = self.request
            answer = zone.answer(wire, over_tcp=False)
            if answer is not None:
                connection.sendto(answer, self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            (length,) = struct.unpack("!H", self.rfile.read(2))
            answer = zone.answer(self.rfile.read(length), over_tcp=True)
            if answer is not None:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)

    datagrams, streams = _at_one_port(Datagram, Stream)
    with datagrams, streams:
        zone.location = f"dns://127.0.0.1:{datagrams.server_address[1]}"
        with _served(datagrams), _served(streams):
            yield zone


def _at_one_port(
    datagram: type[socketserver.BaseRequestHandler], stream: type[socketserver.BaseRequestHandler]
) -> tuple[socketserver.UDPServer, socketserver.TCPServer]:
    """Servers over UDP and TCP at one port; a port that is free for the one may be taken for the other."""
    while True:
        streams = socketserver.TCPServer(("127.0.0.1", 0), stream)
        try:
            return socketserver.UDPServer(streams.server_address[:2], datagram), streams
        except OSError as error:
            streams.server_close()
            if error.errno != errno.EADDRINUSE:
                raise


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
