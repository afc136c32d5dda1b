"""Wi-Fi that comes back: bounded attempts, each network in turn, the radio off and on after three failures.

Status codes of radios cannot be relied on, so only ``isconnected`` is asked.
"""

import asyncio

import network

_ATTEMPT = 15  # seconds


class Wifi:
    """The networks that a node knows."""

    def __init__(self, networks):
        self._networks = networks
        self._radio = network.WLAN(network.STA_IF)
        self._turn = 0

    async def up(self):
        """Return when connected; OSError after one attempt in vain, with the next network's turn to come."""
        radio = self._radio
        if radio.isconnected():
            return
        if self._turn % 3 == 2:
            radio.active(False)
            await asyncio.sleep(1)
        radio.active(True)
        try:
            radio.config(pm=getattr(network.WLAN, "PM_NONE", 0))
        except (OSError, ValueError, TypeError):
            pass  # not every radio can save power
        name, password = self._networks[self._turn % len(self._networks)]
        self._turn += 1
        radio.connect(name, password)
        for _ in range(_ATTEMPT * 4):
            if radio.isconnected():
                self._turn -= 1  # it works: begin with it the next time
                return
            await asyncio.sleep(0.25)
        radio.disconnect()
        raise OSError("no Wi-Fi")
