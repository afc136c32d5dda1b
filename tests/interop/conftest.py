"""An outside client: node-wot, installed by its lock file once and kept in the user's cache.

Fixtures:
    node_wot: a folder with the client and everything that it needs; skips where there is no node, or, outside
        of CI, no registry to install it from.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.conftest import _until, house, place, thing

__all__ = ["_until", "house", "place", "thing"]

HERE = Path(__file__).parent / "node"
FILES = ("package.json", "package-lock.json", ".npmrc")
INSTALLED_WITHIN = 180


@pytest.fixture(scope="session")
def node_wot(needed) -> Path:
    node, npm = needed("node", "nodejs"), needed("npm", "npm")
    pinned = b"".join((HERE / name).read_bytes() for name in FILES)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diat-tests"
    folder = cache / f"node-wot-{hashlib.sha256(pinned).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    # Several test processes may want it at once.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in FILES:
                shutil.copy(HERE / name, folder)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            path = os.pathsep.join((str(node.parent), os.environ.get("PATH", "")))
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                timeout=INSTALLED_WITHIN,
                check=False,
            )
            if done.returncode and os.environ.get("CI", "").lower() not in {"1", "true"}:
                pytest.skip(f"npm ci did not succeed: {done.stderr[-500:]}")
            assert done.returncode == 0, done.stderr[-2000:]
            (folder / "installed").touch()
    shutil.copy(HERE / "client.js", folder)
    return folder
