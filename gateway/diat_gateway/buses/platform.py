"""The buses of a gateway whose platform runs in the same process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from diat.daemon import Daemon
from diat.vol.dialects.directory import DIRECTORY, ENTRY
from diat.wire.envelope import read_json
from diat.wot.td import Json
from diat_gateway.buses.runner import Buses


def serve(buses: Buses, daemon: Daemon, files: Sequence[Path] = ()) -> None:
    """Have buses speak for what is in a platform's directory and in files; ``stop`` them before the platform.

    Args:
        buses: the same that the daemon was given as its ``bridge``.
        daemon: started already.
        files: Thing Descriptions and directories of them.
    """

    def trouble(thing: str, line: str) -> None:
        daemon.submit(lambda: daemon.things.diagnostics.note(thing, line, daemon.clock()))

    buses.start(
        daemon.own_address,
        f"{daemon.name}-buses",
        files=files,
        entries=_Entries(daemon).look,
        data=daemon.settings.data,
        trouble=trouble,
    )


class _Entries:
    """Things of the directory that buses speak for; a description is read again when it is another one."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._read: dict[str, tuple[bytes, Json]] = {}

    def look(self) -> Mapping[str, Json]:
        """By name in topics, each as it was brought, with its forms."""
        registry = self._daemon.things.registry
        found: dict[str, tuple[bytes, Json]] = {}
        for each in registry.everything():
            if each.record.dialect != DIRECTORY or not each.wire or not each.taking_part:
                continue
            brought = registry.announcements.standing_at(f"{ENTRY}{each.id}")
            if brought is None:
                continue
            known = self._read.get(each.wire)
            if known is None or known[0] != brought.payload:
                known = (brought.payload, read_json(brought.payload))
            found[each.wire] = known
        self._read = found
        return {name: td for name, (_, td) in found.items()}
