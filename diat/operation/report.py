"""What goes along with the report of a bug: one ZIP file, in which no secret is."""

from __future__ import annotations

import io
import json
import shutil
import sys
import threading
import traceback
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from diat.security.logs import cleaned

_SHORTEST = 6
"""Characters that a secret has at least to be looked for: a shorter one is part of many words."""
TAIL = 200_000
"""Bytes of the end of a log file that are taken."""


def packed(parts: Mapping[str, Any], secrets: Iterable[str]) -> bytes:
    """A ZIP file of texts and of what becomes JSON; a ``.jsonl`` has a line for each item.

    Args:
        parts: file name to content.
        secrets: what must not be in it, besides what looks like a secret.
    """
    hidden = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, _without(_text(name, _clean(content)), hidden))
    return out.getvalue()


def sizes(data: Path) -> dict[str, Any]:
    """Bytes of what lies in a data directory, and how many are free."""
    usage = shutil.disk_usage(data)
    found = {each.name: _size(each) for each in sorted(data.iterdir())}
    return {"bytes": found, "disk": {"total": usage.total, "free": usage.free}}


def tail(path: Path) -> str:
    """The end of a text file; empty if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, io.SEEK_END)
            file.seek(max(0, file.tell() - TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def threads() -> str:
    """Where each thread is just now."""
    names = {each.ident: each.name for each in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001 - the way that the documentation of Python names
    return "\n".join(
        f"{names.get(ident, ident)}\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in frames.items()
    )


def _text(name: str, content: Any) -> str:
    if isinstance(content, str):
        return content
    if name.endswith(".jsonl"):
        return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in content)
    return json.dumps(content, indent=1, ensure_ascii=False, default=str)


def _clean(content: Any) -> Any:
    """What looks like a secret taken out of each text; the rest stays what it was."""
    if isinstance(content, str):
        return cleaned(content)
    if isinstance(content, Mapping):
        return {name: _clean(each) for name, each in content.items()}
    if isinstance(content, list | tuple):
        return [_clean(each) for each in content]
    return content


def _without(text: str, hidden: Iterable[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, "***")
    return text


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
        return path.stat().st_size
    except OSError:
        return 0
