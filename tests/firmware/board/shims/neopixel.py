import _host


class NeoPixel:
    def __init__(self, pin, count):
        self._pin, self._pixels = pin, [(0, 0, 0)] * count

    def fill(self, colour):
        self._pixels = [colour] * len(self._pixels)

    def write(self):
        _host.event("strip " + str(self._pixels))
