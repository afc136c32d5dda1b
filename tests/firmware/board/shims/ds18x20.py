# Two sensors on a wire; what they say is on their pin, in sixteenths.
import _host


class DS18X20:
    def __init__(self, bus):
        self._bus = bus

    def scan(self):
        return [bytearray(b"\x28second"), bytearray(b"\x28first0")]

    def convert_temp(self):
        _host.event("convert")

    def read_temp(self, address):
        return _host.adc(self._bus.pin.id) / 16 + (address == b"\x28second")
