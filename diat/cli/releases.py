"""What ``diat node release`` does: files for the air, their list, and its signature."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from diat.cli.boards import COMPUTER, compiled, sources
from diat.kernel.errors import SetupError

_BITS = 2048


def write_release(key: Path, number: int, board: str, firmware: Path, output: Path) -> int:
    """Write the files of a release, ``manifest.json`` and ``manifest.sig``; the public key's modulus.

    Raises:
        SetupError: the key is none, or the firmware does not compile.
    """
    private = _key(key)
    files = (sources if board == COMPUTER else compiled)(firmware, output)
    listed = [
        [str(path.relative_to(output)), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()]
        for path in files
    ]
    manifest = json.dumps({"n": number, "board": board, "files": listed}, separators=(",", ":")).encode()
    (output / "manifest.json").write_bytes(manifest)
    (output / "manifest.sig").write_bytes(private.sign(manifest, padding.PKCS1v15(), hashes.SHA256()))
    return private.public_key().public_numbers().n


def read_release(folder: Path) -> dict[str, Any]:
    """A release as ``POST /releases`` takes it.

    Raises:
        SetupError: there is none in this folder.
    """
    try:
        manifest = (folder / "manifest.json").read_text("ascii")
        names = [name for name, _, _ in json.loads(manifest)["files"]]
        files = {name: _base64(folder / name) for name in names}
        return {"manifest": manifest, "signature": _base64(folder / "manifest.sig"), "files": files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(f"there is no release in {folder}: {error}") from None


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _key(path: Path) -> rsa.RSAPrivateKey:
    if not path.exists():
        made = rsa.generate_private_key(65537, _BITS)
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.touch(mode=0o600)
        path.write_bytes(pem)
        return made
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SetupError(f"{path} is no private key: {error}") from error
    if not isinstance(found, rsa.RSAPrivateKey) or found.key_size != _BITS:
        raise SetupError(f"{path} is no RSA key of {_BITS} bits")
    return found
