"""Deep sleep of nodes on batteries: awake to send and to do what waits, then asleep with a word of it."""

import asyncio

from diat_node.mqtt import Message
from diat_node.port import GONE, since, ticks

_QUIET = 1500
_LONGEST = 30000


async def doze(life):
    """Sleep when everything is sent and done, or when nobody could be reached for half a minute.

    The broker keeps the session, and with it the commands that come meanwhile. The boot goes on after the
    sleep: its number, and the count of its messages, are kept.
    """
    well = False
    while life.clock.up() < _LONGEST or (life.work.is_set() and life.online.is_set()):
        await asyncio.sleep(0.25)
        idle = since(ticks(), life.busy) > _QUIET and not life.work.is_set() and not len(life.ring)
        if life.online.is_set() and idle and life.clock.up() > _QUIET:
            if well:
                break
            well = True
            life.get_well()  # what that has to say is sent before the night
    if life.online.is_set():
        try:
            await life.client.deliver(Message("diat/" + life.thing + "/status", b"sleeping", 1))
            await life.client.leave()
        except GONE:
            pass
    life.ring.spill()
    life.store.save("slept", [life.ring.boot, life.ring.n])
    life.board.sleep(life.config["sleep"])
