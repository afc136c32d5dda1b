"""ESPHome with its Home Assistant discovery: one retained, abbreviated message for each entity.

Topics are ``{node}/{component}/{entity}/state`` and ``…/command``; states are retained, as ESPHome has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from diat.simulation.link import Address, Inbound, LastWill, Link
from diat.wire.envelope import encode, read_json

Json = dict[str, Any]
Taker = Callable[[str], Mapping[str, str | Json] | None]
"""Takes a command's payload; answers with what is told by it, by the last levels of the topic."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """One entity of a node.

    Attributes:
        component: Home Assistant's kind, such as ``sensor``.
        config: what its announcement says; ``~`` in a topic stands for the entity's own.
        told: what it tells at first, by the last levels of the topic.
        takes: for each command topic, by its last levels, what it does.
    """

    component: str
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, str | Json] = field(default_factory=dict)
    takes: Mapping[str, Taker] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """Its name in topics."""
        return self.name.lower().replace(" ", "_")


class EsphomeNode:
    """One ESPHome node; one MQTT connection.

    Attributes:
        commands: ``(entity/last levels, payload)`` of what was performed, oldest first.
        told: what was told last, in the same way.
    """

    def __init__(self, address: Address, node: str, mac: str, entities: Sequence[Entity]) -> None:
        self._node = node
        self._mac = mac
        self._entities = {entity.slug: entity for entity in entities}
        self.commands: list[tuple[str, str]] = []
        self.told: dict[str, str | Json] = {}
        self._link = Link(
            address,
            f"{node}-{mac}",
            will=LastWill(f"{node}/status", b"offline"),
            subscriptions=(f"{node}/+/+/command", f"{node}/+/+/+/command"),
            on_message=self._arrived,
            on_connected=self._announce,
        )

    def start(self) -> None:
        """Connect and announce, now or as soon as there is a broker; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Say ``offline`` and leave."""
        if self._link.wait_connected(0):
            self._link.publish(f"{self._node}/status", b"offline", retain=True)
        self._link.close()

    def tell(self, entity: str, last: str, said: str | Json) -> None:
        """Tell a state."""
        each = self._entities[entity]
        self.told[f"{entity}/{last}"] = said
        payload = said if isinstance(said, str) else encode(said)
        # What happens is not kept for those who come later.
        self._link.publish(f"{self._home(each)}/{last}", payload, retain=each.component != "event")

    def _announce(self) -> None:
        self._link.publish(f"{self._node}/status", b"online", retain=True)
        for slug, each in self._entities.items():
            config = {
                "~": self._home(each),
                **each.config,
                "name": each.name,
                "avty_t": f"{self._node}/status",
                "uniq_id": f"ESP{each.component}{slug}",
                "dev": {
                    "ids": self._mac,
                    "name": self._node,
                    "sw": "2026.8.0",
                    "mdl": "esp32",
                    "mf": "Espressif",
                    "cns": [["mac", self._mac]],
                },
            }
            topic = f"homeassistant/{each.component}/{self._node}/{slug}/config"
            self._link.publish(topic, encode(config), retain=True)
            for last, said in each.told.items():
                self.tell(slug, last, said)

    def _arrived(self, message: Inbound) -> None:
        _, _, slug, *rest = message.topic.split("/")
        each, last = self._entities.get(slug), "/".join(rest)
        take = each.takes.get(last) if each is not None else None
        if take is None or message.retained:
            return
        payload = message.payload.decode(errors="replace")
        said = take(payload)
        if said is None:
            return
        self.commands.append((f"{slug}/{last}", payload))
        for where, what in said.items():
            self.tell(slug, where, what)

    def _home(self, each: Entity) -> str:
        return f"{self._node}/{each.component}/{each.slug}"


def one_of(*words: str, last: str = "state", told: Callable[[str], str] = str) -> Taker:
    """A command that is one of these words, and is told as it came or as ``told`` makes it."""
    return lambda payload: {last: told(payload)} if payload in words else None


def between(low: float, high: float, last: str = "state") -> Taker:
    """A command that is a number of this range."""

    def take(payload: str) -> Mapping[str, str | Json] | None:
        try:
            return {last: payload} if low <= float(payload) <= high else None
        except ValueError:
            return None

    return take


def lamp(state: Json) -> Taker:
    """The command of a light of the JSON schema; ``state`` is changed by it."""

    def take(payload: str) -> Mapping[str, str | Json] | None:
        said = read_json(payload.encode())
        if not isinstance(said, dict):
            return None
        state.update(said)
        if "color" in said:
            state["color_mode"] = "rgb"
        elif "color_temp" in said:
            state["color_mode"] = "color_temp"
        return {"state": dict(state)}

    return take
