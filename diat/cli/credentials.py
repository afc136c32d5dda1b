"""How the command line comes by its credential: it is told, or it can read the platform's data directory."""

from __future__ import annotations

import os
from pathlib import Path

OWNER_TOKEN = "owner-token"
"""File in the data directory; whoever can read it is the owner of the platform. Another one at each start."""


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
