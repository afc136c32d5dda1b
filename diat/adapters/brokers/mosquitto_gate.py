"""Who gets in at our own mosquitto: password files and access lists, written from the credentials.

mosquitto has three doors. Ours, on loopback with a secret. The things', where a client's id is its user name,
whatever it says, so that it can be nobody else's. And, on the port after it, the one for things that have no
credential yet: there a client may only announce itself under the id that it gives, and no name that has a
credential. On SIGHUP mosquitto reads the files again and cuts off who is in with what is no longer right.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from diat.adapters.brokers.guarded import Guarded
from diat.adapters.certificates import write_private
from diat.security.credentials import Credential
from diat.security.joining import JOIN
from diat.security.permissions import Permissions, of_joining
from diat.security.thing_passwords import hashed
from diat.wire import topics

GATHERED = 0.3
"""Seconds in which changes that cut nobody off wait for others, and a thing hears its new password."""
TOLD_AGAIN = 2
"""How often mosquitto is told once more: while it reads its files, another SIGHUP is lost on it."""
_CAME = re.compile(
    r": New client connected from \S+ as (?P<id>.+) \(p\d+, c\d, k\d+, u'(?P<user>[^']+)'\)\.?$"
)
_PLATFORM = Permissions(publish=("#", "$diat/#"), subscribe=("#", "$diat/#", "$SYS/#"))


class MosquittoGate:
    """Keeps the files of one mosquitto (a ``Gate``).

    Args:
        directory: of the broker.
        guarded: who decides.

    Attributes:
        secret: the password of the platform's own client, user ``diat``.
    """

    def __init__(self, directory: Path, guarded: Guarded) -> None:
        self.secret = secrets.token_urlsafe(24)
        self._directory = directory
        self._guarded = guarded
        self._changes = threading.Event()
        self._urgent = threading.Event()
        self._over = threading.Event()
        self._held: frozenset[str] = frozenset()
        self._reload: Callable[[], None] = _nothing_runs
        self._thread = threading.Thread(target=self._run, name="diat-broker-gate")

    def prepare(self) -> None:
        """Write the files, before the broker starts."""
        credentials = self._guarded.access.credentials
        holding = [each for each in credentials.everything() if each.revoked is None]
        self._held = frozenset(self._held_out(each.name for each in holding))
        own = [
            each
            for each in holding
            if each.kind in ("thing", "bridge") and each.hash and each.name not in self._held
        ]
        self._write("own", [("diat", hashed(self.secret))], [_lines("diat", _PLATFORM)])
        allowed = self._guarded.access.permissions
        self._write(
            "things",
            [(each.name, each.hash) for each in own],
            [_lines(each.name, allowed(each)) for each in own],
        )
        gateways = [each for each in holding if each.kind == "gateway" and each.name not in self._held]
        self._write(
            "gateways",
            [(each.name, each.hash) for each in gateways],
            [_lines(each.name, allowed(each)) for each in gateways],
        )
        key = credentials.get(JOIN)
        self._write(
            "join", [(JOIN, key.hash)] if key is not None else [], [_joining(credentials.everything())]
        )

    def start(self, reload: Callable[[], None]) -> None:
        """Begin to follow what changes; ``reload`` makes the running broker read the files again."""
        self._reload = reload
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._urgent.set()
        self._changes.set()
        if self._thread.is_alive():
            self._thread.join()

    def changed(self, name: str, *, cut: bool) -> None:
        """A credential was made, renewed or revoked; any thread calls it."""
        if cut:
            self._urgent.set()
        self._changes.set()

    def heard(self, line: str) -> None:
        """A line of the broker's log: perhaps it says who came."""
        found = _CAME.search(line)
        if found is not None and found["user"] not in (JOIN, "diat"):
            self._guarded.came(found["user"], found["id"], True)

    def _held_out(self, names: Iterable[str]) -> Iterator[str]:
        access = self._guarded.access
        return (name for name in names if access.rations.held_out(name, access.now()))

    def _run(self) -> None:
        again = 0
        while not self._over.is_set():
            changed = self._changes.wait(GATHERED if again else 1.0 if self._held else None)
            if changed or self._held != frozenset(self._held_out(self._held)):
                self._urgent.wait(GATHERED)
                self._urgent.clear()
                self._changes.clear()
                self.prepare()
                again = TOLD_AGAIN + 1
            if again and not self._over.is_set():
                again -= 1
                self._reload()

    def _write(self, door: str, passwords: Iterable[tuple[str, str]], rights: Iterable[str]) -> None:
        text = "".join(f"{name}:{kept}\n" for name, kept in passwords)
        write_private(self._directory / f"{door}.passwords", text.encode())
        write_private(self._directory / f"{door}.acl", "".join(rights).encode())


def _lines(user: str, allowed: Permissions) -> str:
    """What a user may do, as mosquitto's access lists have it; what is not named is refused."""
    lines = [f"user {user}"]
    lines += [f"topic write {each}" for each in allowed.publish]
    lines += [f"topic read {each}" for each in allowed.subscribe]
    return "\n".join(lines) + "\n\n"


def _joining(known: Iterable[Credential]) -> str:
    """What who joins may do under the client id that it gives, unless that has, or had, a credential."""
    taken = [each.name for each in known if each.kind == "thing" and (each.used or each.revoked is not None)]
    lines = [f"user {JOIN}"]
    for name in taken:
        lines += [f"topic deny {topics.announcement(name)}", f"topic deny diat/{name}/#"]
    allowed = of_joining("%c")
    lines += [f"pattern write {each}" for each in allowed.publish]
    lines += [f"pattern read {each}" for each in allowed.subscribe]
    return "\n".join(lines) + "\n"


def _nothing_runs() -> None:
    """Stands in until the broker runs."""
