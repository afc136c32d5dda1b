"""Whether a daemon can listen where it was told to."""

from __future__ import annotations

import errno
import random
import socket
from contextlib import suppress

from diat.kernel.errors import SetupError


def require_free(host: str, port: int, flag: str) -> None:
    """Make sure that we could listen there now.

    Args:
        host: name or address of an interface of this machine.
        port: TCP port.
        flag: the flag by which a person chooses another, ``--mqtt``.

    Raises:
        SetupError: we could not; the message names the flag.
    """
    try:
        _socket_for(host, port).close()
    except OSError as error:
        raise SetupError(_sentence(error, host, port, flag)) from None


def taken(port: int, flag: str) -> str:
    """The sentence for a port that somebody else listens on."""
    return f"port {port} is in use: choose another with {flag} PORT"


def free_port(host: str = "127.0.0.1") -> int:
    """A port on which nobody listens at this moment.

    It lies below those that outgoing connections get, so that none takes it meanwhile, and is drawn by
    chance, so that others who look at the same time find another.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(20_000, 32_000)
        with suppress(OSError):
            _socket_for(host, port).close()
            return port


def _sentence(error: OSError, host: str, port: int, flag: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return taken(port, flag)
        case errno.EACCES:
            return f"port {port} needs more rights than we have: choose one above 1023 with {flag} PORT"
        case _:
            return f"cannot listen on {host}:{port} ({error.strerror}): choose another with {flag} HOST:PORT"


def _socket_for(host: str, port: int) -> socket.socket:
    family, kind, _, _, where = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind)
    try:
        # As the brokers do it: connections of an earlier run in TIME_WAIT do not count, a listener does.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
    except OSError:
        sock.close()
        raise
    return sock
