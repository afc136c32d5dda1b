"""Updates over the air: files of a signed list go to the slot that rests, are tried, and kept or undone.

The action ``update`` is added by ``updates``; the platform invokes it like any other. The list is signed with
RSA-2048 and SHA-256 (``pow`` is all that takes), its number must grow, each file has its SHA-256. There is
one moment at which the new slot counts: when ``update.json`` is replaced. ``boot.py`` tries it three times;
it is kept once it has run for a minute and was on line, else the old one comes back.
"""

import asyncio
import hashlib
import json
import os
from binascii import hexlify

from diat_node.store import Store

_DIGEST = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
_PATIENCE = 20
_ATTEMPTS = 6
_MOST_FILES, _LONGEST = 64, 8000
TRIES = 3
HEALTHY_WITHIN = 600
"""Seconds in which a new version must have been on line."""


def signed(data, signature, key):
    """Whether this is the signature (PKCS #1 v1.5, SHA-256) of the holder of a public key (its modulus)."""
    size = len(signature)
    if size != 256 or key < 1 << 2040:
        return False
    number = int.from_bytes(signature, "big")
    if number >= key:
        return False
    block = b"\0\1" + b"\xff" * (size - 54) + b"\0" + _DIGEST + hashlib.sha256(data).digest()
    return pow(number, 65537, key).to_bytes(size, "big") == block


class Update:
    """The slots ``a`` and ``b`` in a folder, and which of them runs.

    Args:
        folder: where the slots and ``update.json`` are.
        key: the modulus of the public key.
        board: the kind of board that updates must be for.
    """

    def __init__(self, folder, key, board):
        self._store, self._key, self.board = Store(folder), key, board

    @property
    def state(self):
        """``slot`` that runs, its number ``n``, and, while one is tried, ``trial``, ``next`` and ``left``."""
        return self._store.load("update", {"slot": "a", "n": 0})

    def check(self, manifest, signature):
        """The list of a manifest; ValueError with why it is not taken."""
        if not signed(manifest, signature, self._key):
            raise ValueError("the signature is wrong")
        listed = json.loads(manifest)
        if listed["board"] != self.board:
            raise ValueError("it is for " + str(listed["board"]))
        if listed["n"] <= self.state["n"]:
            raise ValueError("it is not newer than %d" % self.state["n"])
        if len(listed["files"]) > _MOST_FILES:
            raise ValueError("it has too many files")
        for name, _, _ in listed["files"]:
            if name.startswith("/") or ".." in name or "\\" in name:
                raise ValueError("a file may not be called " + name)
        return listed

    async def take(self, manifest, signature, fetch):
        """Take an update, to run after a reset: ``await fetch(name, write)`` gives a file to ``write``."""
        listed = self.check(manifest, signature)
        state = self.state
        slot = "b" if state["slot"] == "a" else "a"
        root = self._store.folder + "/" + slot
        _empty(root)
        for name, size, digest in listed["files"]:
            _make_folders(root, name)
            with open(root + "/" + name, "wb") as file:  # noqa: ASYNC230 - a chip has no other way
                taken = _Taken(name, size, file)
                await fetch(name, taken.write)
            if taken.size != size or hexlify(taken.hash.digest()).decode() != digest:
                raise ValueError(name + " is not what was signed")
        state = {"slot": state["slot"], "n": state["n"], "trial": slot, "next": listed["n"], "left": TRIES}
        if not self._store.save("update", state):
            raise ValueError("the flash is full")
        return listed["n"]

    def keep(self):
        """The version that is tried is well: it stays. Whether there was one."""
        state = self.state
        if "trial" not in state:
            return False
        return self._store.save("update", {"slot": state["trial"], "n": state["next"]})


class _Taken:
    """A file that comes in parts."""

    def __init__(self, name, most, file):
        self._name, self._most, self._file = name, most, file
        self.hash, self.size = hashlib.sha256(), 0

    def write(self, data):
        """Take a part of it; ValueError if that is more than there should be."""
        self.size += len(data)
        if self.size > self._most:
            raise ValueError(self._name + " is too long")
        self.hash.update(data)
        self._file.write(data)


def updates(node, update):
    """Let a node be updated, by the action ``update`` whose input says where the files of a release are.

    The property ``firmware`` is the number of what runs and is well, ``undone`` that of what was tried last
    and did not get well, 0 if it did. The description says the kind of board.
    """

    async def do(given):
        async def fetch(name, write):
            await download(given["from"] + "/" + name, write, node.life.config.get("ca"))

        async def take():
            manifest, signature = bytearray(), bytearray()
            await fetch("manifest.json", _into(manifest))
            await fetch("manifest.sig", _into(signature))
            return await update.take(bytes(manifest), bytes(signature), fetch)

        for attempt in range(_ATTEMPTS):
            try:
                number = await take()
                break
            except OSError:
                # Who serves it may be starting anew.
                if attempt == _ATTEMPTS - 1:
                    raise
                await asyncio.sleep(1 << attempt)
        node.ending = asyncio.create_task(_reset_soon(node.life))
        return number

    trying = update.state.get("next")

    def keep():
        # What was taken since this start is yet to be tried.
        if update.state.get("next") == trying and update.keep():
            node.report(firmware=update.state["n"])

    async def watch():
        await asyncio.sleep(HEALTHY_WITHIN)
        if "trial" in update.state:
            node.life.end()

    schema = {"type": "object", "required": ["from"], "properties": {"from": {"type": "string"}}}
    # Done again after a power cut it begins anew in the slot that rests.
    node.action("update", do, input=schema, output={"type": "integer"}, idempotent=True)
    node.property("firmware", lambda: update.state["n"], type="integer", every=600)
    node.property("undone", lambda: update.state.get("failed", 0), type="integer", every=600)
    node.more["diat:board"] = update.board
    if trying:
        node.when_started.append(watch)
        node.when_well.append(keep)


def _into(kept):
    def write(data):
        kept.extend(data)
        if len(kept) > _LONGEST:
            raise ValueError("the manifest is too long")

    return write


async def _reset_soon(life):
    # The answer goes out first; if it does not, it is noted, and is given when the command comes again.
    await asyncio.sleep(2)
    life.end()


async def download(url, write, ca=None):
    """Get a file by HTTP, a part at a time; OSError if it cannot be had whole.

    With ``https`` the server must have a certificate of the authority ``ca``. What comes is signed anyway.
    """
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    host, _, port = place.partition(":")
    usual, secure = 80, {}
    if scheme == "https" and ca:
        from diat_node.tls import trusting

        usual, secure = 443, {"ssl": trusting(ca)}
    elif scheme != "http":
        raise ValueError("only http, or https with ca")
    connecting = asyncio.open_connection(host, int(port or usual), **secure)
    reader, writer = await asyncio.wait_for(connecting, _PATIENCE)
    try:
        writer.write(("GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n" % (path, place)).encode())
        await writer.drain()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if len(head) > 2000:
                raise OSError("no HTTP")
            head += await asyncio.wait_for(reader.readexactly(1), _PATIENCE)
        lines = bytes(head).decode().lower().split("\r\n")
        if lines[0].split(" ")[1] != "200":
            raise OSError(lines[0])
        (left,) = [int(line.split(":")[1]) for line in lines if line.startswith("content-length:")]
        while left:
            part = await asyncio.wait_for(reader.readexactly(min(left, 512)), _PATIENCE)
            left -= len(part)
            write(part)
    except (EOFError, IndexError, ValueError):
        raise OSError("the file was cut off")
    finally:
        writer.close()


def _make_folders(root, name):
    path = root
    for part in [""] + name.split("/")[:-1]:
        path = path + "/" + part if part else path
        try:
            os.mkdir(path)
        except OSError:
            pass


def _empty(folder):
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = folder + "/" + name
        try:
            os.remove(path)
        except OSError:
            _empty(path)
            os.rmdir(path)
