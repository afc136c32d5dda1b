"""The MQTT binding of the Web of Things: what a form says of topics.

After the W3C's draft of the binding (``mqv:topic``, ``mqv:filter``, ``mqv:controlPacket``, ``mqv:qos``,
``mqv:retain``) and the spellings of earlier drafts: the prefix ``mqtt:``, ``controlPacketValue``,
``commandCode`` and ``methodCode`` with the numbers of MQTT, and the topic as the path of ``href``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal
from urllib.parse import unquote, urljoin, urlsplit

from msgspec import Struct

Packet = Literal["publish", "subscribe", "unsubscribe"]

_SCHEMES = ("mqtt", "mqtts")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PACKETS: dict[str, Packet] = {
    "publish": "publish",
    "subscribe": "subscribe",
    "unsubscribe": "unsubscribe",
    "3": "publish",
    "8": "subscribe",
    "10": "unsubscribe",
}
_PACKET_TERMS = ("controlPacket", "controlPacketValue", "commandCode", "methodCode")
_QOS = re.compile(r"(?:\w+:)?([0-2])")
_USUAL_PREFIXES = ("mqv", "mqtt")
MAX_TOPIC = 65_535
"""Bytes of a topic at most, by the protocol."""


class MqttForm(Struct, frozen=True, kw_only=True):
    """What a form says of MQTT.

    Attributes:
        host: the broker's name or address, in small letters.
        topic: the topic it names, None if it names none.
        filters: what it names to subscribe to.
        packet: what a client is to send, None if that is left to the operation.
        qos: quality of service, None if it does not say.
        retain: whether the broker keeps the message.
    """

    host: str
    topic: str | None
    filters: tuple[str, ...]
    packet: Packet | None
    qos: int | None
    retain: bool


def mqtt_form(form: Mapping[str, Any], base: str, prefixes: Collection[str]) -> MqttForm | None:
    """Read a form of a Thing Description; None if it is not about MQTT.

    Args:
        form: the form.
        base: the ``base`` of its description, empty if it has none.
        prefixes: prefixes of terms of the MQTT binding, as ``mqtt_prefixes`` finds them.
    """
    terms = _Terms(form, prefixes)
    address = _address(str(form.get("href", "")), base)
    if address is None:
        return None
    host, path = address
    topic = terms.text("topic") or path or None
    named = terms.get("filter")
    filters = [each for each in (named if isinstance(named, list) else [named]) if isinstance(each, str)]
    return MqttForm(
        host=host,
        topic=topic,
        filters=tuple(filters),
        packet=next((p for term in _PACKET_TERMS if (p := _packet(terms.get(term)))), None),
        qos=_qos(terms.get("qos")),
        retain=terms.get("retain") in (True, "true", 1),
    )


def mqtt_prefixes(context: Any) -> frozenset[str]:
    """The prefixes of terms of the MQTT binding: the usual ones, and those that the context defines."""
    found = set(_USUAL_PREFIXES)
    for entry in context if isinstance(context, list) else [context]:
        if isinstance(entry, Mapping):
            found |= {
                prefix for prefix, vocabulary in entry.items() if "/mqtt" in str(vocabulary)[:1000].lower()
            }
    return frozenset(found)


def topic_fault(topic: str) -> str | None:
    """Why nothing can be published there, nor a subscription stand for one topic; None if it can."""
    if not topic:
        return "it names no topic"
    if "+" in topic or "#" in topic:
        return "a filter with wildcards does not say whose value it is"
    try:
        size = len(topic.encode())
    except UnicodeEncodeError:
        size = MAX_TOPIC + 1
    if "\0" in topic or size > MAX_TOPIC:
        return "no valid MQTT topic"
    if "{" in topic and "}" in topic:
        return "a topic with variables"
    return None


class _Terms:
    """The terms of the binding in a form, whatever prefix they bear."""

    def __init__(self, form: Mapping[str, Any], prefixes: Collection[str]) -> None:
        self._said = {
            term: value
            for key, value in form.items()
            for prefix, colon, term in [key.partition(":")]
            if colon and prefix in prefixes
        }

    def get(self, term: str) -> Any:
        return self._said.get(term)

    def text(self, term: str) -> str | None:
        value = self._said.get(term)
        return value if isinstance(value, str) and value else None


def _address(href: str, base: str) -> tuple[str, str] | None:
    """Broker and topic of an address, resolved against the base; None if it is not one of MQTT's."""
    whole = href if _SCHEME.match(href) else base
    scheme, _, rest = whole.partition(":")
    if scheme.lower() not in _SCHEMES:
        return None
    try:
        if whole is base and href:
            # The rules of RFC 3986 are the same for every scheme, but Python applies them only to some.
            rest = urljoin(f"http:{rest}", href.replace("#", "%23")).removeprefix("http:")
        parts = urlsplit(f"http:{rest}".replace("#", "%23"))
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return host, unquote(parts.path.removeprefix("/") + query)


def _packet(value: Any) -> Packet | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return _PACKETS.get(str(value)[:40].lower().rpartition(":")[2])


def _qos(value: Any) -> int | None:
    """``quality:1`` in the present draft; a bare number, or one as text, before."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    said = _QOS.fullmatch(str(value)[:40])
    return int(said[1]) if said else None
