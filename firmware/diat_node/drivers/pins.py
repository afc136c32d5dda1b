"""What hangs on one pin of a chip: contacts and PIR, relays, analogue inputs, dimmers and servos.

``raspberry`` has the same classes for a Raspberry Pi.
"""

from machine import ADC, PWM, Pin


class Contact:
    """An input that is on or off: a button, a reed contact, a PIR.

    Args:
        pin: its number.
        low: whether it is on when the pin is low; then the pin is pulled up.
    """

    def __init__(self, pin, low=False):
        self._pin, self._low = Pin(pin, Pin.IN, Pin.PULL_UP if low else Pin.PULL_DOWN), low

    def read(self):
        """Whether it is on."""
        return bool(self._pin.value()) != self._low


class Relay:
    """An output that is on or off; off at the start. ``low``: it is on when the pin is low."""

    def __init__(self, pin, low=False):
        self._low, self._on = low, False
        self._pin = Pin(pin, Pin.OUT, value=int(low))

    def read(self):
        """Whether it is on."""
        return self._on

    def write(self, on):
        """Switch it."""
        self._pin.value(int(on != self._low))
        self._on = on


class Analogue:
    """A voltage: what the pin reads, 0 to 1, times ``scale`` plus ``offset``; the mean of some looks."""

    def __init__(self, pin, scale=1, offset=0, looks=8):
        self._adc, self._scale, self._offset, self._looks = ADC(Pin(pin)), scale, offset, looks

    def read(self):
        """The value."""
        total = sum([self._adc.read_u16() for _ in range(self._looks)])
        return total / self._looks / 65535 * self._scale + self._offset


class Dimmer:
    """A brightness or a speed, from 0 to 100 per cent."""

    def __init__(self, pin, frequency=1000):
        self._pwm, self._value = PWM(Pin(pin), freq=frequency, duty_u16=0), 0

    def read(self):
        """Per cent."""
        return self._value

    def write(self, value):
        """Set it; what is beyond 0 and 100 is brought to the end."""
        self._value = min(max(value, 0), 100)
        self._pwm.duty_u16(int(self._value * 65535 / 100))
        return self._value


class Servo:
    """An angle from 0 to 180 degrees: a pulse of 0.5 to 2.5 ms, 50 times a second."""

    def __init__(self, pin):
        self._pwm, self._angle = PWM(Pin(pin), freq=50, duty_u16=0), None

    def read(self):
        """The angle that it was set to; None before."""
        return self._angle

    def write(self, angle):
        """Turn it."""
        self._angle = min(max(angle, 0), 180)
        self._pwm.duty_u16(int((0.5 + self._angle / 90) / 20 * 65535))
        return self._angle
