"""Sensors and lights on one wire, by modules that are in every image: DHT22, DS18B20, NeoPixel."""

import asyncio
import time

from machine import Pin

_DHT_PAUSE = 2  # seconds between two measurements, by its data sheet


class Dht22:
    """Temperature and humidity; it must not be asked more often than every two seconds."""

    def __init__(self, pin):
        import dht

        self._sensor, self._at = dht.DHT22(Pin(pin)), None

    def temperature(self):
        """Degrees Celsius."""
        return self._measured().temperature()

    def humidity(self):
        """Per cent."""
        return self._measured().humidity()

    def _measured(self):
        if self._at is None or not 0 <= time.time() - self._at < _DHT_PAUSE:
            self._sensor.measure()
            self._at = time.time()
        return self._sensor


class Ds18b20:
    """A temperature; of several sensors on the wire that of this number, in order of addresses."""

    def __init__(self, pin, number=0):
        import ds18x20
        import onewire

        self._bus = ds18x20.DS18X20(onewire.OneWire(Pin(pin)))
        found = sorted([bytes(each) for each in self._bus.scan()])
        if number >= len(found):
            raise OSError("no DS18B20")
        self._address = found[number]

    async def temperature(self):
        """Degrees Celsius; a conversion takes 750 ms, in which others go on."""
        self._bus.convert_temp()
        await asyncio.sleep(0.75)
        value = self._bus.read_temp(self._address)
        # What it says after power-up, before it ever measured.
        return None if value == 85 else value


class NeoPixel:
    """A strip of one colour, as ``#rrggbb``."""

    def __init__(self, pin, count):
        import neopixel

        self._strip, self._colour = neopixel.NeoPixel(Pin(pin), count), "#000000"

    def read(self):
        """The colour."""
        return self._colour

    def write(self, colour):
        """Set it."""
        if len(colour) != 7 or colour[0] != "#":
            raise ValueError("a colour is #rrggbb")
        number = int(colour[1:], 16)
        self._strip.fill((number >> 16, number >> 8 & 255, number & 255))
        self._strip.write()
        self._colour = colour
