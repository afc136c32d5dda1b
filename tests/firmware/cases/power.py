"""Power that fails at an operation: what the firmware's modules do to flash goes through here.

``sweep`` first counts the operations of a scenario, then has it once for each of them and each phase, in
which the power fails there: before it, in the middle of a write, or after it. From then on nothing is written.
"""

import os

PHASES = ("before", "torn")
WITH_DEEDS = PHASES + ("after",)
"""What happens between two operations on flash, and not on it, is before or after that."""


class Cut(BaseException):
    """The power failed: nothing of the firmware may catch it."""


class Power:
    """Fails at the operation numbered ``at``, counted from when ``crossed`` was emptied.

    Args:
        at: which operation; 0 for none.
        phase: ``before`` it, in its middle (``torn``), or ``after`` it.
        of: count only operations of this name.

    Attributes:
        crossed: names of the operations so far.
        dead: whether the power has failed.
        on_cut: called when it fails.
    """

    def __init__(self, at=0, phase="before", of=None):
        self.at, self.phase, self._of = at, phase, of
        self.crossed = []
        self.dead = False
        self.on_cut = []

    def feed(self, *modules):
        """Let them write through here."""
        for each in modules:
            flash = Flash(self, each.__name__.split(".")[-1])
            each.open, each.os = flash.open, flash
        return self

    def cross(self, name, whole, half=None):
        """An operation."""
        if self.dead:
            raise Cut
        if self._of is None or name == self._of:
            self.crossed.append(name)
            if len(self.crossed) == self.at:
                self._fail(whole, half)
        return whole()

    def _fail(self, whole, half):
        if self.phase == "after":
            done = whole()
            if isinstance(done, _Through):
                done.close()
        elif self.phase == "torn" and half:
            half()
        self.dead = True
        for each in self.on_cut:
            each()
        raise Cut


class Flash:
    """Stands in for ``open`` and ``os`` of a module."""

    def __init__(self, power, module):
        self._power, self._module = power, module
        self.stat, self.listdir = os.stat, os.listdir

    def cross(self, name, whole, half=None):
        return self._power.cross(self._module + " " + name, whole, half)

    def open(self, path, mode="r"):
        if "r" in mode:
            return open(path, mode)
        return self.cross("open " + mode, lambda: _Through(self, open(path, mode)))

    def mkdir(self, path):
        self.cross("mkdir", lambda: os.mkdir(path))

    def rmdir(self, path):
        self.cross("rmdir", lambda: os.rmdir(path))

    def remove(self, path):
        self.cross("remove", lambda: os.remove(path))

    def rename(self, old, new):
        self.cross("rename", lambda: os.rename(old, new))


class _Through:
    """A file whose writes reach the flash at once."""

    def __init__(self, flash, file):
        self._flash, self._file = flash, file

    def write(self, data):
        return self._flash.cross("write", lambda: self._put(data), lambda: self._put(data[: len(data) // 2]))

    def _put(self, data):
        done = self._file.write(data)
        self._file.flush()
        return done

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._file.close()


async def sweep(name, modules, scenario, check, phases=PHASES):
    """``scenario(folder)`` with the power failing at each point; then ``check(folder, result, cut)``.

    ``scenario`` gives what it fills as it goes at once, and a coroutine to await. ``cut`` is where the power
    failed: the number of the operation, how many there are, its name and the phase.
    """
    turn = 0

    async def run(at, phase):
        folder = "%s%d" % (name, turn)
        os.mkdir(folder)
        power = Power(at, phase).feed(*modules)
        result, coming = scenario(folder)
        try:
            await coming
        except Cut:
            pass
        finally:
            Power().feed(*modules)
        return folder, result, power.crossed

    folder, result, crossed = await run(0, "before")
    await check(folder, result, None)
    assert crossed
    for at in range(1, len(crossed) + 1):
        for phase in phases:
            if phase == "torn" and not crossed[at - 1].endswith("write"):
                continue
            turn += 1
            folder, result, _ = await run(at, phase)
            await check(folder, result, (at, len(crossed), crossed[at - 1], phase))
    return crossed
