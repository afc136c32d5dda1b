"""What a broker of ours that asks for credentials is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from diat.vol.access import Access


class Gateways(Struct, frozen=True):
    """Where gateways come in, each with a certificate.

    Attributes:
        host: interface.
        port: TCP port.
        authority: PEM file of the authority that signed their certificates.
    """

    host: str
    port: int
    authority: Path


class Guarded(Struct, frozen=True):
    """Who decides on clients, and who is told of them.

    Attributes:
        gateways: where gateways come in; None for nowhere.
        access: decides; asked in any thread.
        came: told who came in: name of the credential, client id, whether with the present password.
    """

    access: Access
    came: Callable[[str, str, bool], None]
    gateways: Gateways | None = None
