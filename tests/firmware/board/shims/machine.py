# `machine` of the board; what is done with it, the test sees.
import _host

PWRON_RESET = 1
WDT_RESET = 3
DEEPSLEEP_RESET = 4


class Reset(BaseException):
    pass


def reset_cause():
    return _host.cause()


def reset():
    _host.event("reset")
    raise Reset("reset")


def deepsleep(ms=0):
    _host.event("deepsleep %d" % ms)
    raise Reset("deepsleep")


def unique_id():
    return b"\2board"


class Pin:
    IN = 0
    OUT = 1
    PULL_UP = 1
    PULL_DOWN = 2

    def __init__(self, id, mode=-1, pull=-1, value=None):
        self.id = id
        if value is not None:
            self.value(value)

    def value(self, to=None):
        return _host.pin(self.id, -1 if to is None else int(to))

    __call__ = value


class ADC:
    def __init__(self, pin, **more):
        self.id = pin.id if isinstance(pin, Pin) else pin

    def read_u16(self):
        return _host.adc(self.id)


class WDT:
    def __init__(self, id=0, timeout=5000):
        _host.event("watchdog %d" % timeout)

    def feed(self):
        _host.fed()


class PWM:
    def __init__(self, pin, freq=0, duty_u16=0):
        self.id = pin.id
        _host.event("pwm %s %d" % (self.id, freq))
        self.duty_u16(duty_u16)

    def duty_u16(self, to):
        _host.pin(self.id, to)
