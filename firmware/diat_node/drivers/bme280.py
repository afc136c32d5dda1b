"""Bosch BME280 and BMP280: temperature, pressure, and (BME280) humidity, over I2C."""

import struct
import time

_FRESH = 0.5  # seconds in which one measurement serves all values


class Bme280:
    """The sensor.

    Args:
        i2c: the bus.
        address: 0x76, or 0x77 with SDO high.
    """

    def __init__(self, i2c, address=0x76):
        self._i2c, self._address = i2c, address
        kind = i2c.readfrom_mem(address, 0xD0, 1)[0]
        if kind not in (0x58, 0x60):
            raise OSError("no BME280 at 0x%02x" % address)
        self._t = struct.unpack("<Hhh", i2c.readfrom_mem(address, 0x88, 6))
        self._p = struct.unpack("<Hhhhhhhhh", i2c.readfrom_mem(address, 0x8E, 18))
        self._h = None
        if kind == 0x60:
            h1 = i2c.readfrom_mem(address, 0xA1, 1)[0]
            h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", i2c.readfrom_mem(address, 0xE1, 7))
            self._h = (h1, h2, h3, e4 * 16 + (e5 & 15), e6 * 16 + (e5 >> 4), h6)
        self._at = None

    def temperature(self):
        """Degrees Celsius."""
        return round(self._measure()[0] / 5120, 2)

    def pressure(self):
        """Hectopascal."""
        fine, adc, _ = self._measure()
        p1, p2, p3, p4, p5, p6, p7, p8, p9 = self._p
        a = fine / 2 - 64000
        b = a * a * p6 / 32768 + a * p5 * 2
        b = b / 4 + p4 * 65536
        a = (1 + (p3 * a * a / 524288 + p2 * a) / 524288 / 32768) * p1
        if a == 0:
            return None
        p = (1048576 - adc - b / 4096) * 6250 / a
        return round((p + (p9 * p * p / 2147483648 + p * p8 / 32768 + p7) / 16) / 100, 2)

    def humidity(self):
        """Per cent; None with a BMP280."""
        if self._h is None:
            return None
        fine, _, adc = self._measure()
        h1, h2, h3, h4, h5, h6 = self._h
        a = fine - 76800
        a = (adc - (h4 * 64 + h5 / 16384 * a)) * (
            h2 / 65536 * (1 + h6 / 67108864 * a * (1 + h3 / 67108864 * a))
        )
        return round(min(max(a * (1 - h1 * a / 524288), 0), 100), 2)

    def _measure(self):
        """The fine temperature, and what the converters gave for pressure and humidity."""
        if self._at is None or not 0 <= time.time() - self._at < _FRESH:
            if self._h is not None:
                self._i2c.writeto(self._address, b"\xf2\x01")
            self._i2c.writeto(self._address, b"\xf4\x25")
            for _ in range(10):
                time.sleep(0.01)
                if not self._i2c.readfrom_mem(self._address, 0xF3, 1)[0] & 8:
                    break
            data = self._i2c.readfrom_mem(self._address, 0xF7, 8)
            pressure = data[0] << 12 | data[1] << 4 | data[2] >> 4
            adc = data[3] << 12 | data[4] << 4 | data[5] >> 4
            t1, t2, t3 = self._t
            a, b = adc / 16384 - t1 / 1024, adc / 131072 - t1 / 8192
            self._known = a * t2 + b * b * t3, pressure, data[6] << 8 | data[7]
            self._at = time.time()
        return self._known
