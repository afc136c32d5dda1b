"""Updates: only what is signed, newer and whole is tried; what does not get well is undone."""

import hashlib
import json
import os
from binascii import hexlify, unhexlify

import boot
from diat_node.node import Node
from diat_node.update import Update, signed, updates
from keys import KEY, SIGNATURES

FILES = {"diat_node/life.mpy": b"new life" * 100, "thing.py": b"node = 1\n"}


def _manifest(n, board="esp32", files=FILES):
    listed = [
        [name, len(files[name]), hexlify(hashlib.sha256(files[name]).digest()).decode()]
        for name in sorted(files)
    ]
    return ('{"board": "%s", "files": %s, "n": %d}' % (board, json.dumps(listed), n)).encode()


def _update(folder):
    return Update(folder, KEY, "esp32")


async def _take(update, n, files=FILES, **more):
    manifest = _manifest(n, **more)

    async def fetch(name, write):
        for at in range(0, len(files[name]), 100):
            write(files[name][at : at + 100])

    return await update.take(manifest, unhexlify(SIGNATURES[manifest.decode()]), fetch)


async def _refused(update, n, why, **more):
    before = update.state
    try:
        await _take(update, n, **more)
        raise AssertionError("taken")
    except ValueError as error:
        assert why in str(error), error
    assert update.state == before


async def test_an_update_is_tried_and_kept_when_well():
    os.mkdir("u1")
    update = _update("u1")
    assert boot.choose("u1") == "u1/a"
    assert await _take(update, 2) == 2
    assert boot.choose("u1") == "u1/b"
    with open("u1/b/diat_node/life.mpy", "rb") as file:
        assert file.read() == FILES["diat_node/life.mpy"]
    assert update.keep() and not update.keep()
    assert update.state == {"slot": "b", "n": 2}
    # The next goes into the other slot.
    await _take(update, 3)
    assert boot.choose("u1") == "u1/a"


async def test_only_what_was_started_on_trial_is_kept():
    os.mkdir("u4")
    update = _update("u4")

    def started():
        node = Node("node")
        node.report = lambda **values: None
        updates(node, update)
        return node

    def well(node):
        for each in node.when_well:
            each()

    before = started()
    await _take(update, 2)
    well(before)
    assert update.state["trial"] == "b"
    trying = started()
    await _take(update, 3)
    well(trying)
    assert update.state["next"] == 3
    well(started())
    assert update.state == {"slot": "b", "n": 3}


async def test_what_does_not_get_well_is_undone_after_three_starts():
    os.mkdir("u2")
    update = _update("u2")
    await _take(update, 2)
    assert [boot.choose("u2") for _ in range(5)] == ["u2/b"] * 3 + ["u2/a"] * 2
    assert update.state == {"slot": "a", "n": 0, "failed": 2} and not update.keep()


async def test_what_is_not_newer_or_for_another_board_or_bent_is_not_taken():
    os.mkdir("u3")
    update = _update("u3")
    await _take(update, 3)
    update.keep()
    await _refused(update, 3, "not newer")
    await _refused(update, 2, "not newer")
    await _refused(update, 4, "is for pico", board="pico")
    bent = dict(FILES)
    bent["thing.py"] = b"node = 2\n"
    manifest = _manifest(5)

    async def fetch(name, write):
        write(bent[name])

    for files, why in ((bent, "not what was signed"), ({"diat_node/life.mpy": b"x" * 999}, "too long")):
        bent = files
        try:
            await update.take(manifest, unhexlify(SIGNATURES[manifest.decode()]), fetch)
            raise AssertionError("taken")
        except ValueError as error:
            assert why in str(error), error
    assert update.state == {"slot": "b", "n": 3}


def test_a_signature_is_of_these_bytes_and_this_key():
    manifest = _manifest(2)
    signature = unhexlify(SIGNATURES[manifest.decode()])
    assert signed(manifest, signature, KEY)
    assert not signed(manifest + b" ", signature, KEY)
    assert not signed(manifest, bytes(256), KEY)
    assert not signed(manifest, signature[:-1], KEY)
    assert not signed(manifest, signature, KEY + 2)
    assert not signed(manifest, b"\xff" * 256, KEY)
