"""Drivers of sensors on a bus, against registers as the data sheets have them."""

import struct

from diat_node.drivers.bme280 import Bme280
from diat_node.drivers.sht31 import Sht31, crc


class Bus:
    """An I2C bus with one sensor: registers that are read, and what was written."""

    def __init__(self, registers=None, answer=b""):
        self.registers = registers or {}
        self.answer = answer
        self.written = []

    def readfrom_mem(self, address, register, count):
        return bytes([self.registers[register + i] for i in range(count)])

    def readfrom(self, address, count):
        return self.answer[:count]

    def writeto(self, address, data):
        self.written.append(bytes(data))


def _registers(kind):
    """The example of the data sheet of the BMP280, and a humidity."""
    registers = {0xD0: kind, 0xF3: 0, 0xA1: 75}
    parts = (
        (0x88, struct.pack("<Hhh", 27504, 26435, -1000)),
        (0x8E, struct.pack("<Hhhhhhhhh", 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)),
        (0xE1, struct.pack("<hBbBbb", 362, 0, 0x13, 0x2C, 0x03, 30)),
        (0xF7, bytes((415148 >> 12, 415148 >> 4 & 255, (415148 & 15) << 4))),
        (0xFA, bytes((519888 >> 12, 519888 >> 4 & 255, (519888 & 15) << 4))),
        (0xFD, bytes((30000 >> 8, 30000 & 255))),
    )
    for start, data in parts:
        for i, byte in enumerate(data):
            registers[start + i] = byte
    return registers


def test_bme280_gives_what_its_data_sheet_says():
    sensor = Bme280(Bus(_registers(0x60)))
    assert sensor.temperature() == 25.08
    assert abs(sensor.pressure() - 1006.53) < 0.02
    assert 30 < sensor.humidity() < 80


def test_bmp280_has_no_humidity_and_others_are_not_taken():
    assert Bme280(Bus(_registers(0x58))).humidity() is None
    try:
        Bme280(Bus(_registers(0x12)))
        raise AssertionError("taken")
    except OSError:
        pass


def test_sht31_gives_what_its_data_sheet_says():
    assert crc(b"\xbe\xef") == 0x92
    hot, damp = b"\x66\x66", b"\x80\x00"
    bus = Bus(answer=hot + bytes((crc(hot),)) + damp + bytes((crc(damp),)))
    sensor = Sht31(bus)
    assert sensor.temperature() == 25.0 and sensor.humidity() == 50.0
    # One measurement serves both.
    assert bus.written == [b"\x24\0"]


def test_what_was_bent_on_the_bus_is_a_fault():
    try:
        Sht31(Bus(answer=b"\x66\x66\x00\x80\x00\x00")).temperature()
        raise AssertionError("taken")
    except OSError:
        pass
