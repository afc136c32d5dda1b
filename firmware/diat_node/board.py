"""What the chip gives a node: resets, watchdog, memory, sleep, network. On CPython it is mostly nothing."""

import gc
import sys

from diat_node.port import MICRO

try:
    import machine
except ImportError:
    machine = None


class Board:
    """The chip that we run on.

    Args:
        watchdog: seconds without ``feed`` after which it resets; 0 for none.
        wifi: ``[name, password]`` of each network to try.
    """

    def __init__(self, watchdog=0, wifi=()):
        self._dog = None
        self._watchdog = watchdog
        self._wifi = None
        if wifi:
            from diat_node.wifi import Wifi

            self._wifi = Wifi(wifi)

    def start(self):
        """Start the watchdog; nothing can stop it but a reset."""
        if machine and self._watchdog:
            try:
                self._dog = machine.WDT(timeout=self._watchdog * 1000)
            except ValueError:  # a Pico's counts no further
                self._dog = machine.WDT(timeout=8388)

    def feed(self):
        """Tell the watchdog that all is well."""
        if self._dog:
            self._dog.feed()

    async def network(self):
        """Return when there is a network; OSError if there is none to be had just now."""
        if self._wifi:
            await self._wifi.up()

    def memory(self):
        """Bytes of the heap in use, and bytes of stack in use; 0 where nobody can tell."""
        if not MICRO:
            return 0, 0
        import micropython

        gc.collect()
        return gc.mem_alloc(), micropython.stack_use() if hasattr(micropython, "stack_use") else 0

    def started_by(self, cause):
        """Whether this made us start: ``WDT``, the watchdog, or ``DEEPSLEEP``."""
        # A Pico says of every reset that it was the watchdog.
        told = machine and sys.platform != "rp2"
        return bool(told) and machine.reset_cause() == getattr(machine, cause + "_RESET", -1)

    def sleep(self, seconds):
        """Sleep deeply, which ends in a start; on CPython the program ends."""
        if machine:
            machine.deepsleep(int(seconds * 1000))
        sys.exit(0)

    def reset(self):
        """Start anew; on CPython the program ends and whoever runs it starts it again."""
        if machine:
            machine.reset()
        sys.exit(1)
