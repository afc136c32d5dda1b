"""Native messages as they travel, decoded in one pass (shapes: PROTOCOL, native things).

Decoding answers with a message or with a ``Garbled`` that says what is wrong; it never raises.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

_LARGEST = 2**63 - 1


class Message(Struct, frozen=True, gc=False):
    """An MQTT message as it came from the broker.

    Attributes:
        received: Unix milliseconds.
        mid: packet id to acknowledge by; only meaningful within ``connection``.
        connection: number of the connection that it came by.
        through: name of the gateway that passed it on; empty if it came by itself.
    """

    topic: str
    payload: bytes
    received: int
    retained: bool = False
    qos: int = 1
    mid: int = 0
    connection: int = 0
    through: str = ""


class Report(Struct, gc=False):
    """Values of properties: ``{"b": boot, "n": sequence, "t": unix_ms, "v": {name: value}}``.

    ``u`` stands for ``t`` in things without a clock (milliseconds since boot); ``lost`` says which
    sequence numbers of the boot were given up, ``within`` by how much what was given up is off what stands.
    """

    v: dict[str, Any] | UnsetType = UNSET
    b: int | str | None = None
    n: int | None = None
    t: int | float | None = None
    u: int | float | None = None
    lost: tuple[int, int] | None = None
    within: dict[str, float] | None = None


class Occurrence(Struct, gc=False):
    """An event: ``{"b", "n", "t", "data"}``."""

    data: Any = None
    b: int | str | None = None
    n: int | None = None
    t: int | float | None = None
    u: int | float | None = None


class Result(Struct, gc=False):
    """A thing's answer to a command."""

    id: str
    status: Literal["completed", "failed", "expired", "in-doubt"]
    output: Any = None
    error: Any = None


class Garbled(Struct, frozen=True):
    """What came cannot be read; ``reason`` is one line for a person."""

    reason: str


_REPORTS = msgspec.json.Decoder(Report | list[Report])
_OCCURRENCES = msgspec.json.Decoder(Occurrence | list[Occurrence])
_RESULT = msgspec.json.Decoder(Result)
_ANY = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()

encode = _ENCODER.encode
"""Any JSON value to bytes, UTF-8."""

# RecursionError: JSON nested deeper than the interpreter goes.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_reports(payload: bytes) -> list[Report] | Garbled:
    """Read a message on ``properties``: one report or a list of them."""
    try:
        read = _REPORTS.decode(payload)
    except _UNREADABLE as error:
        return Garbled(_plain(error))
    reports = read if isinstance(read, list) else [read]
    for report in reports:
        fault = _fault(report)
        if fault is None and report.lost is not None and not 0 < report.lost[0] <= report.lost[1] <= _LARGEST:
            fault = "lost must be [from, to] with 0 < from <= to"
        if fault is None and report.v is UNSET and report.lost is None:
            fault = "neither v nor lost is given"
        if fault is not None:
            return Garbled(fault)
    return reports


def read_occurrences(payload: bytes) -> list[Occurrence] | Garbled:
    """Read a message on ``events/{event}``: one occurrence or a list of them."""
    try:
        read = _OCCURRENCES.decode(payload)
    except _UNREADABLE as error:
        return Garbled(_plain(error))
    occurrences = read if isinstance(read, list) else [read]
    for occurrence in occurrences:
        fault = _fault(occurrence)
        if fault is not None:
            return Garbled(fault)
    return occurrences


def read_result(payload: bytes) -> Result | Garbled:
    """Read a message on ``results``."""
    try:
        return _RESULT.decode(payload)
    except _UNREADABLE as error:
        return Garbled(_plain(error))


def read_json(payload: bytes) -> Any:
    """Read any JSON; a ``Garbled`` if it is none."""
    try:
        return _ANY.decode(payload)
    except _UNREADABLE as error:
        return Garbled(_plain(error))


def _fault(message: Report | Occurrence) -> str | None:
    n, t, u, b = message.n, message.t, message.u, message.b
    if n is not None and not 0 < n <= _LARGEST:
        return "n must be a whole number from 1 to 2^63 - 1"
    if t is not None and not -_LARGEST <= t <= _LARGEST:
        return "t is beyond what Unix milliseconds can be"
    if u is not None and not 0 <= u <= _LARGEST:
        return "u is beyond what milliseconds since boot can be"
    if b is not None and not (len(b) <= 64 if isinstance(b, str) else -_LARGEST <= b <= _LARGEST):
        return "b must be a whole number of at most 64 bits or a text of at most 64 characters"
    return None


def _plain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error)[:300]
