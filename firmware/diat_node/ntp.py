"""The time by SNTP (RFC 4330): one question, one answer, each hour; wrong answers count for nothing."""

import asyncio
import socket
import struct

from diat_node.port import since, ticks

_EPOCH = 2208988800
_EACH, _AGAIN, _PATIENCE = 3600, 60, 3000


async def ask(host, port=123):
    """Unix milliseconds as a server tells them; OSError if it does not, or knows no time itself."""
    question = b"\x1b" + bytes(39) + struct.pack("!II", ticks() & 0xFFFFFFFF, 0x44494154)
    address = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0][-1]
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        wire.setblocking(False)
        wire.sendto(question, address)
        answer = await answered(wire, _PATIENCE)
    finally:
        wire.close()
    # Our own stamp must come back; leap 3 and stratum 0 are of servers that do not know.
    if len(answer) < 48 or answer[24:32] != question[40:48]:
        raise OSError("no answer to this")
    if answer[0] & 7 != 4 or answer[0] >> 6 == 3 or not 0 < answer[1] < 16:
        raise OSError("the server does not know")
    seconds, part = struct.unpack("!II", answer[40:48])
    # From 2036 on the seconds begin anew.
    return (seconds + (0 if seconds >> 31 else 1 << 32) - _EPOCH) * 1000 + part * 1000 // (1 << 32)


async def answered(wire, patience):
    """What comes on a socket that does not block; OSError if nothing does for so many milliseconds."""
    start = ticks()
    while since(ticks(), start) < patience:
        try:
            return wire.recv(1500)
        except OSError:
            await asyncio.sleep(0.02)
    raise OSError(110)


async def follow(life):
    """Keep a life's clock by the server that its configuration names."""
    host, _, port = life.config["ntp"].partition(":")
    while True:
        try:
            life.clock.tell(await ask(host, int(port or 123)))
            await asyncio.sleep(_EACH)
        except (OSError, ValueError) as error:
            life.why = error
            await asyncio.sleep(_AGAIN)
