"""ESP32 development board (30 or 38 pins). Take what your wiring says."""

from machine import I2C, Pin

LED = 2
RELAY = 26
BUTTON = 0
PIR = 27
LIGHT = 34  # an input only, on the converter that works beside Wi-Fi
WIRE = 4
STRIP = 13
SERVO = 18


def i2c():
    """The bus on its usual pins."""
    return I2C(0, scl=Pin(22), sda=Pin(21), freq=400_000)
