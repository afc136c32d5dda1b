"""Frames: messages of many things in one, as they travel between two tiers (docs/decisions/0011).

A frame is a JSON list of ``[topic, payload]``. A payload that is a JSON text stands for that text, any other
for its JSON. Where that is shorter it is deflated, behind one byte that says so, with a dictionary of the
words that are in all of them. Decoding answers with messages or with a ``Garbled``; it never raises, whatever
it is fed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw

from diat.wire.envelope import Garbled

LIMIT = 1024 * 1024
"""Bytes of a frame at most, as it travels and unpacked."""
MOST = 4096
"""Messages in a frame at most."""
TOPIC = 256
"""Characters of a topic at most."""
DEPTH = 64
"""Levels to which a payload may be nested."""

_DEFLATED = b"\x01"
_WORDS = (
    b'"@type":"diat:Gateway","quantitykind:","readOnly":true,"writeOnly":false,"minimum":0,"maximum":100,"enum":['
    b'"@context":["https://www.w3.org/2022/wot/td/v1.1",{"diat":"urn:diat:vocab#","quantitykind":'
    b'"http://qudt.org/vocab/quantitykind/"}],"securityDefinitions":{"nosec_sc":{"scheme":"nosec"}},"security":'
    b'["nosec_sc"],"title":"","diat:place":"","diat:pushdown":["every","delta","above","below","mean","min","max",'
    b'"silence"],"actions":{},"events":{},"properties":{"temperature":{"type":"number","unit":"Cel","type":"boolean",'
    b'"id":"urn:dev:","id":"","status":"completed","output":null,"error":"","state":"accepted","reason":"",'
    b'"expires":17,["wot/td/","diat/","/config",{"report":{"/actions/","/set",{"id":"","v":{"/events/","/results",'
    b'"/status","online"],"offline"],"lost":[,"data":{},"motion":false,"power":"humidity":"co2":["diat/'
    b'/properties",{"b":"","n":1,"t":17,"v":{"temperature":2}}],["diat/'
)
"""What frames are full of; the most frequent last, for that is found cheapest. Both ends need the same."""

_JSON = frozenset((b"{", b"[", b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9", b"-"))
"""How payloads begin that are JSON and no text."""
_DECODER = msgspec.json.Decoder(list[tuple[str, Raw]])
_TEXT = msgspec.json.Decoder(str)
_ENCODER = msgspec.json.Encoder()


def line(gateway: str) -> str:
    """What the two ends of a line say to each other; travels in frames only."""
    return f"diat/{gateway}/line"


def untold(gateway: str) -> str:
    """What a gateway heard and did not pass on, as figures; travels in frames only."""
    return f"diat/{gateway}/untold"


def keeps(gateway: str) -> str:
    """What of its things a gateway may not pass on; travels in frames only."""
    return f"diat/{gateway}/keeps"


def edits(thing: str) -> str:
    """What people changed of a thing's description on the other tier; travels in frames only."""
    return f"diat/{thing}/edits"


Entry = tuple[str, bytes]
"""A topic and the payload that is published on it."""


def entry(topic: str, payload: bytes) -> bytes:
    """One message as it stands in a frame; ``payload`` is JSON other than a text, or else taken as text."""
    if payload[:1] in _JSON:
        return b"[%b,%b]" % (_ENCODER.encode(topic), payload)
    return b"[%b,%b]" % (_ENCODER.encode(topic), _ENCODER.encode(payload.decode("utf-8", "replace")))


def pack(entries: Sequence[bytes]) -> bytes:
    """A frame of entries made by ``entry``."""
    plain = b"[%b]" % b",".join(entries)
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    deflated = _DEFLATED + packer.compress(plain) + packer.flush()
    return deflated if len(deflated) < len(plain) else plain


def frame(messages: Iterable[Entry]) -> bytes:
    """A frame of messages."""
    return pack([entry(topic, payload) for topic, payload in messages])


def unpack(data: bytes) -> list[tuple[Entry, int]] | Garbled:
    """Read a frame: its messages, each with the bytes that it takes in it before it is deflated."""
    if len(data) > LIMIT:
        return Garbled(f"a frame of more than {LIMIT} bytes")
    plain = _inflated(data) if data[:1] == _DEFLATED else data
    if isinstance(plain, Garbled):
        return plain
    try:
        found = _DECODER.decode(plain)
        if len(found) > MOST:
            return Garbled(f"a frame of more than {MOST} messages")
        return [_read(topic, bytes(payload)) for topic, payload in found]
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        return Garbled(str(error)[:300])
    except RecursionError:
        return Garbled("nested too deeply")


def _read(topic: str, payload: bytes) -> tuple[Entry, int]:
    if len(topic) > TOPIC:
        raise ValueError("a topic is too long")
    size = len(topic) + len(payload) + 5
    if payload[:1] == b'"':
        payload = _TEXT.decode(payload).encode()
    elif _depth(payload) > DEPTH:
        raise ValueError("nested too deeply")
    return (topic, payload), size


def _depth(payload: bytes) -> int:
    """Levels at most: brackets within texts count as well unless there are too many."""
    if payload.count(b"{") + payload.count(b"[") <= DEPTH:
        return 0
    deepest = level = 0
    quoted = escaped = False
    for byte in payload:
        if escaped:
            escaped = False
        elif quoted:
            quoted, escaped = byte != 0x22, byte == 0x5C
        elif byte == 0x22:
            quoted = True
        elif byte in b"{[":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"}]":
            level -= 1
    return deepest


def _inflated(data: bytes) -> bytes | Garbled:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, _WORDS)
    try:
        plain = unpacker.decompress(data[1:], LIMIT + 1)
    except zlib.error as error:
        return Garbled(f"not deflated: {error}"[:300])
    if len(plain) > LIMIT:
        return Garbled(f"a frame of more than {LIMIT} bytes once it is unpacked")
    if not unpacker.eof or unpacker.unused_data:
        return Garbled("a frame that is cut short, or goes on after its end")
    return plain
