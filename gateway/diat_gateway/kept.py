"""What the database knows of a line, and the beginning of another life of it."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, select

from diat.adapters.sql import tables
from diat.vol.lives import MOST, Life
from diat_gateway.lanes import DROPPED, REACHED, SEQ, Numbers
from diat_gateway.parts import Hosted
from diat_gateway.spool import Spool
from diat_gateway.state import OWN, Own, Passed, Told
from diat_gateway.uplink import Kept

_OWN = msgspec.json.Decoder(Own)
_PASSED = msgspec.json.Decoder(Passed)
_HOSTED = msgspec.json.Decoder(Hosted)
_TOLD = msgspec.json.Decoder(Told)


def hosted(engine: Engine) -> list[tuple[str, Hosted]]:
    """The parts of services that run here."""
    with engine.connect() as connection:
        found = connection.execute(select(tables.PARTS.c.service, tables.PARTS.c.body)).all()
        return [(service, _HOSTED.decode(body)) for service, body in found]


def kept(engine: Engine, spool: Spool, life: str) -> Kept:
    """What is kept, with a life more; a store that has none yet is named after its first."""
    with engine.connect() as connection:
        bodies = dict(connection.execute(select(tables.PASSED.c.thing, tables.PASSED.c.body)).all())
        told = connection.execute(select(tables.TOLD.c.id, tables.TOLD.c.body)).all()
        numbers = dict(connection.execute(select(tables.META.c.key, tables.META.c.value)).all())
    body = bodies.pop(OWN, None)
    own = _OWN.decode(body) if body is not None else Own(store=life)
    seq = max(numbers.get(SEQ, 0), spool.highest())
    lived = (*own.lives, Life(life, seq + 1))[-MOST:]
    return Kept(
        own=msgspec.structs.replace(own, lives=lived),
        passed=[(name, _PASSED.decode(each)) for name, each in bodies.items()],
        told=[(name, _TOLD.decode(each)) for name, each in told],
        numbers=Numbers(seq, numbers.get(REACHED, 0), numbers.get(DROPPED, 0)),
    )
