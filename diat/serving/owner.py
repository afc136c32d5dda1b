"""How the command line finds a platform and its credential: it is told, or reads the data directory."""

from __future__ import annotations

import os
from pathlib import Path

OWNER_TOKEN = "owner-token"
"""File in the data directory; whoever can read it is the owner of the platform. Another one at each start."""

ADDRESS = "address"
"""File in the data directory: where on this machine the running platform's REST is."""


def keep(path: Path, secret: str) -> None:
    """Write a secret for nobody but this user to read."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, secret.encode())
    finally:
        os.close(file)
    draft.replace(path)


def credential(said: str | None, data: Path | None) -> str | None:
    """The token to come with: the one that was said, else that of the owner if it can be read, else none."""
    if said:
        return said.strip()
    if data is None:
        return None
    try:
        return (data.expanduser() / OWNER_TOKEN).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def address(data: Path) -> str | None:
    """Where the platform with this data directory is reached from this machine; None if it does not run."""
    try:
        return (data.expanduser() / ADDRESS).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
