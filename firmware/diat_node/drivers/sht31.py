"""Sensirion SHT30, SHT31 and SHT35: temperature and humidity over I2C, each value with its checksum."""

import time

_FRESH = 0.5


class Sht31:
    """The sensor; ``address`` is 0x44, or 0x45 with ADDR high."""

    def __init__(self, i2c, address=0x44):
        self._i2c, self._address, self._at = i2c, address, None

    def temperature(self):
        """Degrees Celsius."""
        return round(self._measure()[0] * 175 / 65535 - 45, 2)

    def humidity(self):
        """Per cent."""
        return round(self._measure()[1] * 100 / 65535, 2)

    def _measure(self):
        if self._at is None or not 0 <= time.time() - self._at < _FRESH:
            self._i2c.writeto(self._address, b"\x24\0")
            time.sleep(0.016)
            data = self._i2c.readfrom(self._address, 6)
            if crc(data[0:2]) != data[2] or crc(data[3:5]) != data[5]:
                raise OSError("SHT31: checksum")
            self._known = data[0] << 8 | data[1], data[3] << 8 | data[4]
            self._at = time.time()
        return self._known


def crc(data):
    """The checksum that the sensor adds to each value."""
    value = 0xFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x31 if value & 0x80 else value << 1) & 0xFF
    return value
