"""What was observed and the broker does not have yet: a buffer in RAM, its overflow in segments on flash.

A record has the boot ``b`` and a number ``n`` that counts up in it. A segment is one full buffer: written at
once, with a checksum, and removed when the broker has all of it, or when there are too many. What is given up
is kept as ranges of numbers until that is told. No write happens while the broker keeps up.
"""

import os
import struct
from binascii import crc32

from diat_node.store import Store

_SEGMENT = "<IQII"  # checksum of all that follows, boot, first n, last n
_HEAD = struct.calcsize(_SEGMENT)
_RECORD = "<HBq"  # bytes of name and body, bytes of the name, stamp
_OWN = struct.calcsize(_RECORD)
_RANGES = 16


class Ring:
    """The records that wait, oldest first.

    Args:
        boot: ``b`` of what is pushed.
        folder: where segments go; None: the buffer is all there is.
        size: bytes of the buffer, and so of a segment; below 4 KiB a segment is one block of flash.
        segments: how many of them at most.
        last: the ``n`` given last in this boot.

    Attributes:
        n: the number given last.
        lost: what was given up and not yet told, ``[boot, first, last]`` each.
    """

    def __init__(self, boot, folder=None, size=4000, segments=8, last=0):
        self.boot, self.n = boot, last
        self._buffer = bytearray(size)
        self._from = self._to = 0
        self._first = last + 1
        self._most = segments
        self._store = Store(folder)
        self._segments = []
        self.lost = self._store.load("lost", [])
        if folder:
            self._find()
        # Where the oldest segment is read from, and the n that is there; what the broker has of it.
        self._at, self._past = None, 0

    def __len__(self):
        return self.n - self._first + 1 + sum([last - first + 1 for _, _, first, last in self._segments])

    def push(self, body, stamp, name=""):
        """Keep a record: the JSON of the values, or the data of an event of that name. Gives its ``n``.

        Raises:
            ValueError: it would take more than half of the buffer.
        """
        name = name.encode()
        size = _OWN + len(name) + len(body)
        if size > len(self._buffer) // 2 or len(name) > 255:
            raise ValueError("too large")
        self._make_room(size)
        self.n += 1
        to = self._to
        struct.pack_into(_RECORD, self._buffer, to, len(name) + len(body), len(name), stamp)
        self._buffer[to + _OWN : to + _OWN + len(name)] = name
        self._buffer[to + _OWN + len(name) : to + size] = body
        self._to = to + size
        return self.n

    def peek(self, most=8, room=700):
        """The oldest records, ``(boot, n, stamp, name, body)`` each: values that fit, or one event."""
        if self._segments:
            return self._from_segment(most, room)
        buffer, at, n, found = memoryview(self._buffer)[: self._to], self._from, self._first, []
        while at < self._to:
            length, named, stamp = struct.unpack_from(_RECORD, buffer, at)
            at += _OWN
            room -= length + 60
            if found and (named or room < 0 or len(found) >= most):
                break
            name, body = bytes(buffer[at : at + named]).decode(), bytes(buffer[at + named : at + length])
            found.append((self.boot, n, stamp, name, body))
            if named:
                break
            at += length
            n += 1
        return found

    def done(self, boot, n):
        """The broker has everything up to this record."""
        while self._segments:
            _, of, first, last = self._segments[0]
            if of != boot or n < first:
                return
            if n < last:
                self._past = n
                return
            self._drop_segment()
        while boot == self.boot and self._first <= n and self._from < self._to:
            self._step()

    def told(self, boot, first, last):
        """The broker knows that these were given up."""
        for each in self.lost:
            if each[0] == boot and each[1] == first:
                each[1] = last + 1
        self.lost = [each for each in self.lost if each[1] <= each[2]]
        self._save_lost()

    def spill(self):
        """Put what is in the buffer on flash, as before a reset; whether it is there."""
        if self._from == self._to:
            return True
        if not self._store.folder:
            return False
        while len(self._segments) >= self._most:
            self._drop_oldest()
        if not self._write():
            if not self._segments:
                return False
            self._drop_oldest()
            if not self._write():
                return False
        self._from = self._to = 0
        self._first = self.n + 1
        return True

    def _make_room(self, size):
        if self._from == self._to:
            self._from = self._to = 0
        if self._to + size <= len(self._buffer):
            return
        kept = self._to - self._from
        self._buffer[:kept] = self._buffer[self._from : self._to]
        self._from, self._to = 0, kept
        if kept + size <= len(self._buffer):
            return
        if not self.spill():
            first = self._first
            while len(self._buffer) - (self._to - self._from) < size and self._from < self._to:
                self._step()
            self._give_up(self.boot, first, self._first - 1)
            self._make_room(size)

    def _step(self):
        self._from += _OWN + struct.unpack_from("<H", self._buffer, self._from)[0]
        self._first += 1

    def _path(self, number):
        return "%s/%08x.seg" % (self._store.folder, number)

    def _write(self):
        number = self._segments[-1][0] + 1 if self._segments else 1
        head = struct.pack("<QII", self.boot, self._first, self.n)
        body = memoryview(self._buffer)[self._from : self._to]
        try:
            with open(self._path(number), "wb") as file:
                file.write(struct.pack("<I", crc32(body, crc32(head)) & 0xFFFFFFFF) + head)
                file.write(body)
        except OSError:
            try:
                os.remove(self._path(number))
            except OSError:
                pass
            return False
        self._segments.append((number, self.boot, self._first, self.n))
        return True

    def _find(self):
        for name in sorted(os.listdir(self._store.folder)):
            if name.endswith(".seg"):
                number = int(name[:-4], 16)
                with open(self._path(number), "rb") as file:
                    head = file.read(_HEAD)
                if len(head) < _HEAD:
                    os.remove(self._path(number))  # cut off before its head was written
                else:
                    self._segments.append((number,) + struct.unpack(_SEGMENT, head)[1:])

    def _sound(self, number):
        """Whether the segment is as it was written."""
        with open(self._path(number), "rb") as file:
            told, crc = struct.unpack("<I", file.read(4))[0], 0
            while True:
                part = file.read(256)
                if not part:
                    return told == crc & 0xFFFFFFFF
                crc = crc32(part, crc)

    def _from_segment(self, most, room):
        number, boot, first, last = self._segments[0]
        if self._at is None:
            try:
                sound = self._sound(number)
            except (OSError, ValueError):
                sound = False
            if not sound:
                self._drop_oldest()
                return self.peek(most, room)
            self._at = (_HEAD, first)
        found = []
        with open(self._path(number), "rb") as file:
            at, n = self._at
            file.seek(at)
            while n <= last:
                length, named, stamp = struct.unpack(_RECORD, file.read(_OWN))
                record = file.read(length)
                if n > self._past or n < first:
                    room -= length + 60
                    if found and (named or room < 0 or len(found) >= most):
                        break
                    if not found:
                        self._at = (at, n)
                    found.append((boot, n, stamp, record[:named].decode(), record[named:]))
                    if named:
                        break
                at += _OWN + length
                n += 1
        return found

    def _drop_segment(self):
        number = self._segments.pop(0)[0]
        self._at, self._past = None, 0
        try:
            os.remove(self._path(number))
        except OSError:
            pass

    def _drop_oldest(self):
        _, boot, first, last = self._segments[0]
        self._give_up(boot, max(first, self._past + 1), last)
        self._drop_segment()

    def _give_up(self, boot, first, last):
        if first > last:
            return
        for each in self.lost:
            if each[0] == boot and each[2] + 1 == first:
                each[2] = last
                break
        else:
            self.lost.append([boot, first, last])
            del self.lost[:-_RANGES]
        self._save_lost()

    def _save_lost(self):
        # Without segments nothing outlives a reset, and the platform sees the end of the boot itself.
        if self._store.folder:
            self._store.save("lost", self.lost)
