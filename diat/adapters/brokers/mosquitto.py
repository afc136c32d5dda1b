"""A private mosquitto, where it is installed: for MQTT 5, MQTT 3.1, and topics with spaces."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from diat.adapters.brokers.address import BrokerAddress
from diat.adapters.brokers.guarded import Guarded
from diat.adapters.brokers.listening import free_port
from diat.adapters.brokers.mosquitto_gate import MosquittoGate
from diat.adapters.brokers.own import PAYLOAD_LIMIT, OwnBroker, Recipe, reachable
from diat.adapters.certificates import Tls
from diat.kernel.errors import SetupError

# Debian and Homebrew put it where a user's PATH does not lead.
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


def mosquitto(
    directory: Path, host: str, port: int, guarded: Guarded | None = None, tls: Tls | None = None
) -> OwnBroker:
    """A mosquitto that listens on ``host:port`` and keeps everything in ``directory``.

    A kill -9 of it loses what was acknowledged since it last saved (30 s); its orderly end, ours included,
    loses nothing.

    Raises:
        SetupError: it is not installed.
    """
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(_PLACES))
    if program is None:
        raise SetupError(
            "mosquitto is not installed: install the Debian package mosquitto (apt install mosquitto), "
            "or leave --broker away for the embedded broker"
        )
    gate = MosquittoGate(directory, guarded) if guarded is not None else None
    own = free_port() if gate is not None else port
    address = BrokerAddress(reachable(host), port)
    if gate is not None:
        address = BrokerAddress("127.0.0.1", own, "diat", gate.secret)

    listeners = _open(host, port, tls)
    if gate is not None:
        listeners = _doors(directory, host, port, own, tls) + _gateways(directory, guarded, tls)

    def explained(line: str) -> str | None:
        if gate is not None:
            gate.heard(line)
        return explain(line)

    return OwnBroker(
        Recipe(
            name="mosquitto",
            version_flag="-h",
            program=(program, "-c"),
            directory=directory,
            listen=(host, port),
            config=render_config(directory, listeners),
            address=address,
            explain=explained,
            gate=gate,
        )
    )


def render_config(directory: Path, listeners: str) -> str:
    """The configuration, with the reasons for it. Observed with mosquitto 2.0.11."""
    return f"""\
{listeners}
{"user root" if os.geteuid() == 0 else "# not started by root: it stays who we are"}

# The whole database is written again each time, changed or not: often wears out an SD card, seldom loses
# more when mosquitto itself is killed.
persistence true
persistence_location {directory}/
autosave_interval 30

# With a limit, messages with QoS 1 for a slow or absent client are dropped without a word.
max_queued_messages 0
max_inflight_messages 1000

# Without it, steps of 40 ms in a chain of messages.
set_tcp_nodelay true

# 8 MiB for the payload, and room for the topic. Not message_size_limit: what passes that one is acknowledged
# and dropped.
max_packet_size {PAYLOAD_LIMIT + (68 << 10)}

log_dest stderr
log_type error
log_type warning
log_type notice
"""


def _open(host: str, port: int, tls: Tls | None) -> str:
    """One door, for anybody."""
    return f"listener {port} {host}\nallow_anonymous true\n{_encryption(tls)}"


def _doors(directory: Path, host: str, port: int, own: int, tls: Tls | None) -> str:
    """Three doors (``mosquitto_gate``); the last is for things that have no credential yet."""
    encryption = _encryption(tls)
    return f"""\
per_listener_settings true

listener {own} 127.0.0.1
{_door(directory, "own")}
listener {port} {host}
use_username_as_clientid true
{_door(directory, "things")}{encryption}
listener {port + 1} {host}
{_door(directory, "join")}{encryption}"""


def _gateways(directory: Path, guarded: Guarded | None, tls: Tls | None) -> str:
    """A fourth door, for gateways: a certificate is asked for besides the password."""
    gateways = guarded.gateways if guarded is not None else None
    if gateways is None or tls is None:
        return ""
    return f"""
listener {gateways.port} {gateways.host}
cafile {gateways.authority}
require_certificate true
use_username_as_clientid true
{_door(directory, "gateways")}{_encryption(tls)}"""


def _door(directory: Path, name: str) -> str:
    return f"""\
allow_anonymous false
password_file {directory}/{name}.passwords
acl_file {directory}/{name}.acl
"""


def _encryption(tls: Tls | None) -> str:
    if tls is None:
        return ""
    return f"certfile {tls.certificate}\nkeyfile {tls.key}\ntls_version tlsv1.2\n"


_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (
            r"^Client (?P<id>.+) disconnected due to oversize packet",
            "client {id!r} was cut off: it sent a message of more than 8 MiB; let it send less at once, or "
            "use --broker mqtt://HOST with a broker that takes more",
        ),
        (
            r"^Client <unknown> disconnected due to protocol error",
            "a client was refused that does not speak MQTT (perhaps TLS or HTTP): check its port",
        ),
        (
            r"^Client (?P<id>.+) disconnected due to (?:malformed packet|protocol error)",
            "client {id!r} was cut off: it sent what MQTT does not allow, such as + or # in the topic of a "
            "message, or a topic that is not UTF-8; rename the thing",
        ),
        (
            r"^Client (?P<id>.+) already connected, closing old connection",
            "client {id!r} connected while it was connected: if this goes on, two clients share the id and "
            "cut each other off; give each its own",
        ),
        (r"^Error: (?P<text>.+)", "the broker: {text}"),
    )
)


def explain(line: str) -> str | None:
    """One line of the log as a sentence, or None if nobody need know."""
    _, _, text = line.partition(": ")
    for pattern, sentence in _SENTENCES:
        found = pattern.search(text)
        if found is not None:
            return sentence.format(**found.groupdict())[:300]
    return None
