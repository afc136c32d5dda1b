"""The broker found by DNS-SD over multicast DNS (RFC 6763, 6762): one question, answered straight back.

The platform announces ``_mqtt._tcp``, or ``_secure-mqtt._tcp`` where it speaks TLS. Whatever comes that is no
answer counts for nothing.
"""

import socket
import struct

from diat_node.ntp import answered
from diat_node.port import since, ticks

_GROUP = ("224.0.0.251", 5353)
_PATIENCE = 3000
_BENT = (IndexError, ValueError, TypeError, getattr(struct, "error", ValueError))
"""What a message raises that is cut off or bent: on chips ``struct`` has no error of its own."""
_PTR, _SRV, _A = 12, 33, 1


def question(service):
    """A query for the instances of a service."""
    name = b"".join([bytes((len(part),)) + part.encode() for part in service.split(".")])
    # The top bit of the class asks for an answer to us alone.
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + name + b"\0" + struct.pack("!2H", _PTR, 0x8001)


def found(answer, service):
    """``(host, port)`` of an instance that a message tells of, its address if that is there; else None."""
    try:
        questions, *counts = struct.unpack_from("!4H", answer, 4)
        at = 12
        for _ in range(questions):
            at = _name(answer, at)[1] + 4
        servers, addresses = [], {}
        for _ in range(min(sum(counts), 64)):
            name, at = _name(answer, at)
            kind, _, _, length = struct.unpack_from("!HHIH", answer, at)
            at += 10
            if kind == _SRV and name.endswith("." + service):
                port = struct.unpack_from("!H", answer, at + 4)[0]
                servers.append((_name(answer, at + 6)[0], port))
            elif kind == _A and length == 4:
                addresses[name] = ".".join([str(byte) for byte in answer[at : at + 4]])
            at += length
    except _BENT:
        return None
    for host, port in servers:
        if port:
            return addresses.get(host, host), port
    return None


def _name(data, at):
    """The name that stands there, in lower case, and where it ends."""
    parts, end, jumps = [], None, 0
    while data[at]:
        if data[at] >= 0xC0:
            end = end or at + 2
            at, jumps = (data[at] & 63) << 8 | data[at + 1], jumps + 1
            if jumps > 16:
                raise ValueError("a name without end")
        else:
            parts.append(bytes(data[at + 1 : at + 1 + data[at]]).decode().lower())
            at += 1 + data[at]
    return ".".join(parts), end or at + 1


async def broker(secure, to=_GROUP):
    """``(host, port)`` of a broker on this network; OSError if none says that it is there."""
    service = ("_secure-mqtt" if secure else "_mqtt") + "._tcp.local"
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        wire.setblocking(False)
        wire.sendto(question(service), to)
        start = ticks()
        while since(ticks(), start) < _PATIENCE:
            there = found(await answered(wire, _PATIENCE), service)
            if there:
                return there
    finally:
        wire.close()
    raise OSError("no broker was found")
