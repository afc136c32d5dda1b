"""What a broker of ours that asks for credentials is given."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from diat.vol.access import Access


class Guarded(Struct, frozen=True):
    """Who decides on clients, and who is told of them.

    Attributes:
        access: decides; asked in any thread.
        came: told who came in: name of the credential, client id, whether with the present password.
    """

    access: Access
    came: Callable[[str, str, bool], None]
