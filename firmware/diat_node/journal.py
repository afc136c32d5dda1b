"""Which commands were begun and how they were answered, so that each is performed once.

A broker may bring a command again for as long as it is good, however many came since. So none is forgotten
before it has expired: from then on a repeat is not done anyway. Two files take turns: when the newer has
its size, and all in the older have expired, that is emptied and goes on. Until then the newer grows, up to a
bound at which no more commands are begun. In RAM there is a small number for each; the answers are on flash.
"""

import json
import os
from binascii import crc32

from diat_node.port import MICRO, text
from diat_node.store import Store

_ANSWER = 1200
_UNWRITTEN = 32 if MICRO else 2000


def _mark(command):
    # 30 bits: a small integer of MicroPython. Two commands may share it: the file decides.
    return crc32(command.encode()) & 0x3FFFFFFF


class Journal:
    """The commands of the past.

    Args:
        folder: where the two files are; None remembers in RAM only.
        clock: tells what has expired.
        size: bytes of a file, if what is in the other has expired; a command takes about 100.
        most: bytes of a file at most.
    """

    def __init__(self, folder, clock, size=6000, most=24000):
        self._folder, self._clock, self._size, self._most = Store(folder).folder, clock, size, most
        self._marks = [[], []]
        self._good_until = [0, 0]
        # Answers that could not be written (flash full, or none): a few, so that repeats are answered.
        self._unwritten = {}
        self._newer, self._bytes, newest = 0, 0, -1
        if folder:
            for which in (0, 1):
                turn, size = self._read(which)
                if turn > newest:
                    newest, self._newer, self._bytes = turn, which, size
        self._turn = max(newest, 0)

    def answer(self, command):
        """How it was answered, as JSON; ``in-doubt`` if nobody can know; None if it is new."""
        if command in self._unwritten:
            return self._unwritten[command]
        mark = _mark(command)
        for which in (self._newer, 1 - self._newer):
            if mark in self._marks[which]:
                found = None
                for line in self._lines(which):
                    try:
                        entry = json.loads(line)
                    except ValueError:
                        continue
                    if isinstance(entry, dict) and entry.get("id") == command:
                        found = line.strip() if "status" in entry else None
                    elif isinstance(entry, list) and entry[0] == command:
                        found = text({"id": command, "status": "in-doubt", "error": "stopped while doing it"})
                if found:
                    return found
        return None

    def begin(self, command, expires=None):
        """Note, before it is performed, a command that must not be performed twice; whether it is noted."""
        if not self._folder:
            return True
        # Its answer must find room as well.
        return self._append(command, text([command, expires]), expires, _ANSWER)

    def finish(self, command, answer, expires=None):
        """Note the answer, a line of JSON."""
        if not self._append(command, answer, expires):
            while len(self._unwritten) >= _UNWRITTEN:
                del self._unwritten[next(iter(self._unwritten))]
            self._unwritten[command] = answer

    def _path(self, which):
        return "%s/done%d" % (self._folder, which)

    def _lines(self, which):
        try:
            with open(self._path(which), "rb") as file:
                while True:
                    line = file.readline()
                    if not line:
                        return
                    if line.endswith(b"\n"):
                        yield line
        except OSError:
            return

    def _read(self, which):
        """Learn what is in a file; which turn it is, and its size. A torn last line counts for nothing."""
        turn, size = -1, 0
        for line in self._lines(which):
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, int):
                turn = entry
            else:
                command = entry.get("id") if isinstance(entry, dict) else entry[0]
                if isinstance(entry, list):
                    self._good_until[which] = max(self._good_until[which], entry[1] or 0)
                if isinstance(command, str) and _mark(command) not in self._marks[which]:
                    self._marks[which].append(_mark(command))
        try:
            size = os.stat(self._path(which))[6]
        except OSError:
            pass
        return turn, size

    def _append(self, command, line, expires, more=0):
        if not self._folder:
            return False
        size = self._bytes + len(line) + 2
        now, until = self._clock.now(), self._good_until[1 - self._newer]
        turn = size > self._size and (not until or (now is not None and now > until))
        if not turn and size + more > self._most:
            return False
        try:
            if turn or not self._bytes:
                if self._bytes:
                    self._turn, self._newer = self._turn + 1, 1 - self._newer
                with open(self._path(self._newer), "wb") as file:
                    self._bytes = file.write(b"%d\n" % self._turn)
                self._marks[self._newer] = []
                self._good_until[self._newer] = 0
            with open(self._path(self._newer), "ab") as file:
                # The line before may have been cut off by a power cut: begin a new one.
                self._bytes += file.write(b"\n" + line + b"\n")
        except OSError:
            return False
        self._good_until[self._newer] = max(self._good_until[self._newer], expires or 0)
        marks = self._marks[self._newer]
        if _mark(command) not in marks:
            marks.append(_mark(command))
        return True
