"""A command from its bytes to its answer, performed once (``journal``).

The answer is ``completed``, ``failed`` (with why), ``expired`` or ``in-doubt``. A command without an id can
be answered to nobody and is dropped; one too large to be kept is answered if its id stands at its beginning.
"""

import json

from diat_node.port import number, text

_LONGEST = 1024


class Commands:
    """Takes commands for a node.

    Args:
        perform: ``await perform(name, command)`` does it and gives the output; ``name`` is that of the
            action, empty for ``set``. A ``ValueError`` fails it.
        repeatable: ``repeatable(name, command)``: whether doing it twice does no harm.
        journal: remembers.
        clock: tells whether a command is too late.

    Attributes:
        dropped: how many could not be answered.
    """

    def __init__(self, perform, repeatable, journal, clock):
        self._perform, self._repeatable = perform, repeatable
        self._journal, self._clock = journal, clock
        self.dropped = 0

    async def take(self, name, payload, whole=True):
        """Do what is asked unless it was done; the answer as JSON, None if there is nobody to answer."""
        command, fault = _read(payload, whole)
        which = command.get("id")
        if not isinstance(which, str) or not 0 < len(which) <= 64:
            self.dropped += 1
            return None
        known = self._journal.answer(which)
        if known is not None:
            return known
        answer = {"id": which, "status": "failed"}
        expires = command.get("expires")
        if expires is not None and not number(expires):
            fault, expires = fault or "expires must be a time", None
        if fault:
            answer["error"] = fault
        elif expires is not None and self._clock.now() is None:
            answer["error"] = "the time is not known"
        elif expires is not None and self._clock.now() > expires:
            answer["status"] = "expired"
        elif not self._repeatable(name, command) and not self._journal.begin(which, expires):
            answer["error"] = "no room to note it"
        else:
            await self._do(name, command, answer)
        line = text(answer)
        if len(line) > _LONGEST:
            line = text({"id": which, "status": answer["status"], "error": "output too large"})
        self._journal.finish(which, line, expires)
        return line

    async def _do(self, name, command, answer):
        try:
            output = await self._perform(name, command)
            if output is not None:
                text(output)
                answer["output"] = output
            answer["status"] = "completed"
        except Exception as error:
            # Whatever a driver raises is an answer, not the end of the node.
            answer["error"] = (str(error) or type(error).__name__)[:200]


def _read(payload, whole):
    if not whole:
        return {"id": _id_in(payload)}, "too large"
    try:
        command = json.loads(payload)
    except (ValueError, RuntimeError):  # RuntimeError: nested too deeply
        return {"id": _id_in(payload)}, "not JSON"
    if not isinstance(command, dict):
        return {}, "not an object"
    return command, ""


def _id_in(payload):
    """The id of what cannot be read, if it comes early and is plain."""
    start = payload.find(b'"id"')
    if start < 0:
        return None
    part = bytes(payload[start + 4 : start + 80]).split(b'"')
    try:
        return part[1].decode() if len(part) > 2 and part[0].strip() == b":" else None
    except ValueError:
        return None
