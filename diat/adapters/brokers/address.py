"""Where a broker is reached, and how a person writes that down."""

from __future__ import annotations

import ssl
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from diat.kernel.errors import Invalid

PLAIN_PORT = 1883
TLS_PORT = 8883
_USAGE = "write mqtt://[user:password@]host[:port], or mqtts:// for TLS (/ ? # in a password as %2F %3F %23)"


class BrokerAddress(Struct, frozen=True):
    """Where a client connects; printing it never shows the password.

    Attributes:
        host: name or address, an IPv6 address without brackets.
        port: TCP port.
        username: None to connect without a credential.
        password: None unless there is a user name.
        tls: whether the connection is encrypted.
        pinned: file with the broker's own certificate, which alone is trusted then; None to trust what the
            machine trusts.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: bool = False
    pinned: str | None = None

    def __str__(self) -> str:
        scheme = "mqtts" if self.tls else "mqtt"
        user = f"{self.username}@" if self.username is not None else ""
        return f"{scheme}://{user}{bracketed(self.host)}:{self.port}"

    def __repr__(self) -> str:
        return f"BrokerAddress({self})"

    def encryption(self) -> ssl.SSLContext:
        """How a client encrypts; needed if ``tls``."""
        context = ssl.create_default_context(cafile=self.pinned)
        if self.pinned is not None:
            # Our own broker: it is known by its very certificate, whatever names that one has.
            context.check_hostname = False
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context


def bracketed(host: str) -> str:
    """The host as it stands before ``:port``: an IPv6 address gets brackets."""
    return f"[{host}]" if ":" in host else host


def parse_broker_url(text: str) -> BrokerAddress:
    """Read ``mqtt://[user[:password]@]host[:port]``, or the same with ``mqtts`` for TLS.

    User name and password may be percent-encoded. The port is 1883, with TLS 8883, unless given.

    Raises:
        Invalid: it is something else; the message never repeats the password.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        # Python's own words are left out: they quote a password with a / in it as the port.
        raise Invalid(f"the broker's address is not well formed; {_USAGE}", "broker") from None
    problem = _problem(parts)
    if problem is not None:
        raise Invalid(f"{problem}; {_USAGE}", "broker")
    tls = parts.scheme == "mqtts"
    if port is None:
        port = TLS_PORT if tls else PLAIN_PORT
    return BrokerAddress(
        host=parts.hostname or "",
        port=port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        tls=tls,
    )


def _problem(parts: SplitResult) -> str | None:
    """What keeps the address from being used, None if nothing does."""
    if parts.scheme not in ("mqtt", "mqtts"):
        said = f"{parts.scheme}:// is not" if parts.scheme and parts.netloc else "this is not"
        return f"{said} the address of an MQTT broker"
    if not parts.hostname:
        return "the broker's address names no host"
    if any(c.isspace() for c in parts.hostname):
        return "the broker's host has a space in it"
    if parts.port == 0:
        return "0 is no port of a broker"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return "the broker's address goes on after the port"
    if parts.password is not None and not parts.username:
        return "the broker's address has a password and no user name"
    return None
