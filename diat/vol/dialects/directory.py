"""Entries of the directory: Thing Descriptions that a client brought over REST rather than the thing by MQTT.

An entry with MQTT forms on our own broker is driven by them, as one on ``wot/td/{thing}`` is. One with forms
of a bus that somebody beside this platform speaks (a gateway) is read and driven by him, who speaks for it on
the topics of native things. Of any other the platform keeps and shows the description; whoever finds it uses
its own forms.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from diat.vol.dialects.port import Description, Part, Refusal
from diat.vol.dialects.wot import LOOPBACK, Wot
from diat.wire.envelope import Garbled, read_json
from diat.wot.mqtt import mqtt_form, mqtt_prefixes
from diat.wot.td import AFFORDANCES, Json
from diat.wot.walk import mapping

DIRECTORY = "directory"
ENTRY = "#directory/"
"""How the places of entries begin among the announcements; no topic that anybody can publish on does."""


class Bridge(Protocol):
    """Who speaks for things with forms of protocols that the platform itself does not speak."""

    def faults(self, td: Json) -> Sequence[tuple[str, str]]:
        """What is wrong with the forms that he would use: the place in the description, and what."""

    def describe(self, td: Json) -> Description | None:
        """The thing as he makes it available, its ``wire`` set; None if it has no form that he uses."""


class Nobody:
    """Stands in where nobody speaks any other protocol."""

    def faults(self, td: Json) -> Sequence[tuple[str, str]]:
        """None: nobody would use them."""
        return ()

    def describe(self, td: Json) -> Description | None:
        """Nobody does."""
        return None


class Directory:
    """The dialect of what clients of the directory bring.

    Args:
        brokers: names and addresses, in small letters, by which our own broker is known besides loopback.
        bridge: who speaks further protocols.
    """

    name = DIRECTORY
    whole = False

    def __init__(self, brokers: Collection[str] = (), bridge: Bridge | None = None) -> None:
        self.bridge = bridge or Nobody()
        self._brokers = LOOPBACK | set(brokers)
        self._wot = Wot(brokers)

    def hear(self, topic: str, payload: bytes) -> Part | Refusal | None:
        """Read an entry; it was found valid when it was brought."""
        if not topic.startswith(ENTRY):
            return None
        td = read_json(payload)
        if isinstance(td, Garbled) or not isinstance(td, dict):
            return Refusal("not a JSON object")
        return entry(td)

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe the thing: what was brought is the description."""
        td = parts[-1].body
        if self._speaks(td):
            return self._wot.describe(parts)
        bridged = self.bridge.describe(td)
        if bridged is not None:
            return bridged
        brought = {key: value for key, value in td.items() if key != "id"}
        names = frozenset(name for kind in AFFORDANCES for name in mapping(td.get(kind)))
        return Description(td=brought, unreached=names)

    def _speaks(self, td: Json) -> bool:
        """Whether it has a form for MQTT on our broker."""
        base, prefixes = td.get("base"), mqtt_prefixes(td.get("@context"))
        holders = [td, *(each for kind in AFFORDANCES for each in mapping(td.get(kind)).values())]
        return any(
            said is not None and said.host in self._brokers
            for holder in holders
            for form in mapping(holder).get("forms") or ()
            for said in [mqtt_form(mapping(form), base if isinstance(base, str) else "", prefixes)]
        )


def entry(td: Json) -> Part:
    """A description with an id as an entry of the directory."""
    thing = td["id"]
    return Part(topic=f"{ENTRY}{thing}", identifiers=(f"{ENTRY}{thing}",), claim=thing, body=td)
