# A sensor that says what the test put on its pin: degrees in tenths; per cent is twice that.
import _host


class DHT22:
    def __init__(self, pin):
        self._pin = pin

    def measure(self):
        self._tenths = _host.adc(self._pin.id)
        if self._tenths < 0:
            raise OSError(110)

    def temperature(self):
        return self._tenths / 10

    def humidity(self):
        return self._tenths / 5
