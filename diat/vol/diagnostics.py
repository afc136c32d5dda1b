"""What went wrong, kept where a person looks for it: the last few lines on each thing."""

from __future__ import annotations

from msgspec import Struct

from diat.kernel.overlay import Ledger, Overlay

KEPT = 20
"""Different lines kept for one thing."""
STRANGERS = ""
"""The key for what belongs to no thing we know."""


class Diagnostic(Struct, frozen=True):
    """One line for a person, with how often and when it was last so.

    Attributes:
        text: what is wrong.
        count: how often it came.
        first: when it first came, Unix milliseconds.
        last: when it last came, Unix milliseconds.
    """

    text: str
    count: int
    first: int
    last: int


class Diagnostics:
    """The last diagnostics of each thing; equal lines are counted, not repeated."""

    def __init__(self, ledger: Ledger, kept: dict[str, tuple[Diagnostic, ...]]) -> None:
        self._lines: Overlay[str, tuple[Diagnostic, ...]] = ledger.overlay("diagnostics", kept.items())
        self._described: Overlay[str, tuple[str, ...]] = ledger.overlay()
        self.total = 0
        """Lines noted since the start, for the metrics."""

    def note(self, thing: str, text: str, now: int) -> None:
        """Note a line on a thing (its id, or ``STRANGERS``)."""
        self.total += 1
        text = text[:500].encode("utf-8", "replace").decode()
        lines = list(self._lines.get(thing) or ())
        for at, line in enumerate(lines):
            if line.text == text:
                del lines[at]
                lines.append(Diagnostic(text, line.count + 1, line.first, now))
                break
        else:
            lines.append(Diagnostic(text, 1, now, now))
        self._lines.put(thing, tuple(lines[-KEPT:]))

    def describe(self, thing: str, before: tuple[str, ...], notes: tuple[str, ...], now: int) -> None:
        """Note what of a thing's description was not understood; what is understood by now is forgotten.

        Args:
            thing: its id.
            before: the notes of its committed description.
            notes: those of the description that it has now.
            now: Unix milliseconds.
        """
        gone = {*before, *(self._described.get(thing) or ())} - set(notes)
        if gone:
            left = tuple(line for line in self._lines.get(thing) or () if line.text not in gone)
            if left:
                self._lines.put(thing, left)
            else:
                self._lines.remove(thing)
        self._described.put(thing, notes)
        for note in notes:
            self.note(thing, note, now)

    def of(self, thing: str) -> tuple[Diagnostic, ...]:
        """The committed lines of a thing, oldest first; any thread may ask."""
        return self._lines.committed.get(thing, ())

    def everywhere(self) -> dict[str, tuple[Diagnostic, ...]]:
        """The committed lines of all things; any thread may ask."""
        return dict(self._lines.committed)
