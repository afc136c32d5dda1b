"""Raspberry Pi Pico W. Take what your wiring says."""

from machine import I2C, Pin

LED = "LED"
RELAY = 15
BUTTON = 14
PIR = 16
LIGHT = 26
WIRE = 17
STRIP = 18
SERVO = 19


def i2c():
    """The bus on its usual pins."""
    return I2C(0, scl=Pin(5), sda=Pin(4), freq=400_000)
