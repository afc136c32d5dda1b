"""The join key as people are shown it: in a file of its own, readable by us alone, not in the database."""

from __future__ import annotations

import io
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from diat.adapters.brokers.address import BrokerAddress, bracketed
from diat.adapters.certificates import write_private
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import segno
else:
    segno = Lazy("segno")

_FILE, _BROKER = "join-key", "broker-secret"


def keep_key(data: Path, key: str) -> None:
    """Keep the key, in the place of the one before it."""
    write_private(data / _FILE, f"{key}\n".encode())


def kept_key(data: Path) -> str | None:
    """The key; None if there is none."""
    try:
        return (data / _FILE).read_text("utf-8").strip()
    except OSError:
        return None


def broker_secret(data: Path) -> str:
    """What a broker of somebody else's shows when it asks us; made if there is none."""
    path = data / _BROKER
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32).encode())
    return path.read_text("utf-8").strip()


def invitation(broker: BrokerAddress, key: str) -> str:
    """What a thing needs to join, as one address: ``mqtts://join:KEY@host:port``."""
    scheme = "mqtts" if broker.tls else "mqtt"
    return f"{scheme}://join:{key}@{bracketed(broker.host)}:{broker.port}"


def as_qr(text: str) -> str:
    """A text as a QR code for a terminal."""
    out = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(out, compact=True)
    return out.getvalue()


def as_svg(text: str) -> str:
    """A text as a QR code, an SVG of its own."""
    return str(segno.make(text, error="m", micro=False).svg_inline(scale=4))
