"""The classes of ``pins`` on a Raspberry Pi, by gpiozero; and its I2C as chips have it, by smbus2."""

import gpiozero


class Contact:
    """As in ``pins``."""

    def __init__(self, pin, low=False):
        self._device = gpiozero.DigitalInputDevice(pin, pull_up=low)

    def read(self):
        """Whether it is on."""
        return bool(self._device.value)


class Relay:
    """As in ``pins``."""

    def __init__(self, pin, low=False):
        self._device = gpiozero.DigitalOutputDevice(pin, active_high=not low)

    def read(self):
        """Whether it is on."""
        return bool(self._device.value)

    def write(self, on):
        """Switch it."""
        self._device.value = on


class Dimmer:
    """As in ``pins``."""

    def __init__(self, pin, frequency=100):
        self._device = gpiozero.PWMOutputDevice(pin, frequency=frequency)

    def read(self):
        """Per cent."""
        return round(self._device.value * 100, 3)

    def write(self, value):
        """Set it."""
        self._device.value = min(max(value, 0), 100) / 100
        return self.read()


class Servo:
    """As in ``pins``."""

    def __init__(self, pin):
        self._device = gpiozero.AngularServo(
            pin,
            initial_angle=None,
            min_angle=0,
            max_angle=180,
            min_pulse_width=0.0005,
            max_pulse_width=0.0025,
        )

    def read(self):
        """The angle; None before it was set."""
        angle = self._device.angle
        return None if angle is None else round(angle, 3)

    def write(self, angle):
        """Turn it."""
        self._device.angle = min(max(angle, 0), 180)
        return self.read()


class I2C:
    """A bus with the three methods that drivers use."""

    def __init__(self, bus=1):
        import smbus2

        self._bus, self._message = smbus2.SMBus(bus), smbus2.i2c_msg

    def writeto(self, address, data):
        """Write bytes."""
        self._bus.i2c_rdwr(self._message.write(address, list(data)))

    def readfrom(self, address, count):
        """Read bytes."""
        message = self._message.read(address, count)
        self._bus.i2c_rdwr(message)
        return bytes(list(message))

    def readfrom_mem(self, address, register, count):
        """Read bytes from a register on."""
        ask, answer = self._message.write(address, [register]), self._message.read(address, count)
        self._bus.i2c_rdwr(ask, answer)
        return bytes(list(answer))
