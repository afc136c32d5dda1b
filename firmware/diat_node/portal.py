"""Where a node belongs, asked by a page on its own access point: for boards that nobody gave a ``diat.json``.

Every name leads to the board (a small DNS), every path to the form, so telephones open it by themselves. What
is sent is written to ``diat.json`` as a whole, and the board starts anew.
"""

import asyncio
import json
import socket
import sys

from diat_node.port import GONE

HERE = "192.168.4.1"
_FIELDS = (
    ("thing", "Name of this thing", "text"),
    ("wifi", "Wi-Fi", "text"),
    ("password", "Its password", "password"),
    ("host", "Broker (empty: look for it)", "text"),
    ("key", "Join key", "text"),
)
_PAGE = (
    "<!doctype html><meta name=viewport content='width=device-width'><title>DIAT</title><h1>DIAT</h1>%s"
    "<form method=post action=/>%s<button>Save</button></form>"
)
_LABEL = "<p><label>%s<br><input name=%s type=%s maxlength=100></label>"
_LONGEST = 2000


def lead_here(query, address=HERE):
    """The answer to a question for any name: this address; None to what is no question."""
    if len(query) < 17 or query[2] & 0x80 or query[4:6] != b"\0\1":
        return None
    end = 12
    while end < len(query) and query[end]:
        end += 1 + query[end]
    end += 5
    if end > len(query):
        return None
    kind = query[end - 4 : end - 2]
    head = query[:2] + b"\x84\0\0\1\0" + (b"\1" if kind == b"\0\1" else b"\0") + b"\0\0\0\0"
    if kind != b"\0\1":
        return head + query[12:end]
    place = bytes([int(part) for part in address.split(".")])
    return head + query[12:end] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + place


def decoded(form):
    """The fields of a form as browsers send it."""
    fields = {}
    for pair in form.split("&")[:20]:
        name, _, value = pair.partition("=")
        data = bytearray()
        parts = value.replace("+", " ").split("%")
        data.extend(parts[0].encode())
        for part in parts[1:]:
            data.append(int(part[:2], 16))
            data.extend(part[2:].encode())
        fields[name] = bytes(data).decode()
    return fields


def configured(fields):
    """What goes into ``diat.json``; ValueError with what is wrong."""
    thing = fields.get("thing", "").strip()
    plain = thing.replace("-", "a").replace("_", "a")
    if not 0 < len(thing) <= 64 or not all(["0" <= c <= "9" or "a" <= c.lower() <= "z" for c in plain]):
        raise ValueError("A name has letters, digits, - and _.")
    host, _, port = fields.get("host", "").strip().partition(":")
    if port and not (port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("A broker is host or host:port.")
    config = {"thing": thing, "folder": "/diat"}
    if fields.get("wifi"):
        config["wifi"] = [[fields["wifi"], fields.get("password", "")]]
    for key, value in (("host", host), ("port", int(port or 0)), ("key", fields.get("key", "").strip())):
        if value:
            config[key] = value
    return config


class Portal:
    """The page and the DNS.

    Attributes:
        config: what was said, once it was.
    """

    def __init__(self, address=HERE):
        self._address = address
        self.config = None
        self.said = asyncio.Event()

    async def serve(self, reader, writer):
        """Answer one request of a browser."""
        try:
            line = await asyncio.wait_for(self._line(reader), 10)
            length = 0
            while True:
                header = (await asyncio.wait_for(self._line(reader), 10)).lower()
                if not header:
                    break
                if header.startswith("content-length:"):
                    length = int(header[15:])
            why = ""
            if line.startswith("POST ") and 0 < length <= _LONGEST:
                form = await asyncio.wait_for(reader.readexactly(length), 10)
                try:
                    self.config = configured(decoded(bytes(form).decode()))
                except ValueError as error:
                    why = str(error)
            if self.config and line.startswith("POST "):
                page = "<!doctype html><title>DIAT</title><h1>Saved</h1>It starts anew."
            else:
                page = _PAGE % (
                    "<p><b>" + why + "</b>" if why else "",
                    "".join([_LABEL % (b, a, c) for a, b, c in _FIELDS]),
                )
            head = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page)
            writer.write((head + page).encode())
            await writer.drain()
        except (GONE, ValueError, asyncio.TimeoutError):
            pass  # it may ask again
        finally:
            writer.close()
        if self.config:
            self.said.set()

    async def _line(self, reader):
        line = b""
        while not line.endswith(b"\n"):
            if len(line) > _LONGEST:
                raise ValueError("too long")
            line += await reader.readexactly(1)
        return line.decode().strip()

    async def names(self, port=53):
        """Lead every name here, for ever."""
        wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            wire.setblocking(False)
            wire.bind((self._address if port != 53 else "0.0.0.0", port))
            while True:
                try:
                    query, asker = wire.recvfrom(512)
                    answer = lead_here(query, self._address)
                    if answer:
                        wire.sendto(answer, asker)
                except OSError:
                    await asyncio.sleep(0.05)
        finally:
            wire.close()


async def portal(http=80, dns=53, address=HERE):
    """Serve until somebody said where the node belongs; the configuration."""
    asked = Portal(address)
    naming = asyncio.create_task(asked.names(dns))
    server = await asyncio.start_server(asked.serve, address if http != 80 else "0.0.0.0", http)
    try:
        await asked.said.wait()
        await asyncio.sleep(1)  # the page goes out
    finally:
        naming.cancel()
        server.close()
    return asked.config


def ask(board, path="diat.json"):
    """Open an access point, ask there, write ``diat.json``, start anew."""
    from binascii import hexlify

    import machine
    import network

    radio = network.WLAN(network.AP_IF)
    # Open: who stands there has no password yet. A Pico takes this before its radio is on, others after.
    told = {"ssid": "diat-" + hexlify(machine.unique_id()[-3:]).decode(), "security": 0}
    if sys.platform == "rp2":
        radio.config(**told)
    radio.active(True)
    if sys.platform != "rp2":
        radio.config(**told)
    keep(asyncio.run(portal()), path)
    board.reset()


def keep(config, path):
    """Write the configuration: whole, or not at all."""
    import os

    with open(path + "~", "w") as file:
        file.write(json.dumps(config))
    os.rename(path + "~", path)
