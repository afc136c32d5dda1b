"""Our own scripts and styles: who has them asks no more, and who is to have others asks for others."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles


class KeptFiles(StaticFiles):
    """Files that a browser keeps for good; their path must name what is in them (``files_key``)."""

    def file_response(self, *args: Any, **more: Any) -> Response:
        """A file."""
        answer = super().file_response(*args, **more)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def files_key(directory: Path) -> str:
    """A short name for what the files of a directory are just now."""
    digest = hashlib.sha256()
    for path in sorted(directory.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
