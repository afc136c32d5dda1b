"""A Raspberry Pi with 40 pins, by their BCM numbers. Take what your wiring says."""

from diat_node.drivers.raspberry import I2C

LED = 25
RELAY = 26
BUTTON = 17
PIR = 27
SERVO = 18


def i2c():
    """The bus on its usual pins."""
    return I2C(1)
