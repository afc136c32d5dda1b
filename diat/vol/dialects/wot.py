"""Foreign things: a Thing Description with forms of its own on ``wot/td/{thing}``, which it is driven by.

Forms of MQTT say on which topics bare values travel. Forms of other protocols stay in the description for
whoever can use them; the platform does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from diat.vol.dialects.described import hear_description
from diat.vol.dialects.meaning import with_meaning
from diat.vol.dialects.port import Description, Inlet, Outlet, Part, Refusal, Withdrawal
from diat.vol.dialects.words import quoted
from diat.vol.dialects.wot_messages import Coding, Feed, ObjectInlet, ValueInlet, ValueOutlet, coding
from diat.wire import topics
from diat.wot.frozen import one_line
from diat.wot.mqtt import MqttForm, mqtt_form, mqtt_prefixes, topic_fault
from diat.wot.walk import mapping

Json = Mapping[str, Any]

MAX_NOTES = 50
_CONTRADICTION = "a form whose operation, packet and access contradict one another"
LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1"})
_READING = frozenset({"readproperty", "observeproperty"})
_READING_ALL = frozenset({"readallproperties", "observeallproperties", "readmultipleproperties"})
_OURS = ("diat/", topics.TD_PREFIX)
"""Where native things and the platform speak; what comes or goes there is no bare value."""


class Wot:
    """The dialect of things that bring a whole Thing Description with MQTT forms.

    Args:
        brokers: names and addresses, in small letters, by which our own broker is known besides loopback.
    """

    name = "wot"
    whole = False

    def __init__(self, brokers: Collection[str] = ()) -> None:
        self._brokers = LOOPBACK | set(brokers)

    def hear(self, topic: str, payload: bytes) -> Part | Withdrawal | Refusal | None:
        """Read an announcement on ``wot/td/{thing}``; the native dialect sees to all others."""
        return hear_description(topic, payload, native=False)

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe the thing: its own description, and what its MQTT forms say."""
        td = {key: value for key, value in parts[-1].body.items() if key != "id"}
        return _Reader(td, self._brokers).description()


class _Reader:
    """The work of reading one description."""

    def __init__(self, td: dict[str, Any], brokers: Collection[str]) -> None:
        self._td = td
        self._base = td["base"] if isinstance(td.get("base"), str) else ""
        self._prefixes = mqtt_prefixes(td.get("@context"))
        self._brokers = brokers
        self._feeds: dict[str, dict[tuple[str, bool], Feed]] = {}
        self._outlets: dict[str, ValueOutlet] = {}
        self._notes: dict[str, None] = {}

    def description(self) -> Description:
        properties = mapping(self._td.get("properties"))
        reached = [
            *((name, self._property(name, each)) for name, each in properties.items()),
            *((name, self._action(name, each)) for name, each in mapping(self._td.get("actions")).items()),
            *((name, self._event(name, each)) for name, each in mapping(self._td.get("events")).items()),
        ]
        unreached = [name for name, has_form in reached if not has_form]
        if unreached:
            self._note(f"no MQTT form: {', '.join(quoted(name) for name in unreached[:20])}")
        inlets: list[Inlet] = [ValueInlet(topic, tuple(fed.values())) for topic, fed in self._feeds.items()]
        inlets += self._all(frozenset(properties))
        sources: dict[str, set[str]] = {}
        for inlet in inlets:
            for name in _fed(inlet):
                sources.setdefault(name, set()).add(inlet.topic)
        left = frozenset(unreached) - sources.keys()
        return Description(
            td=with_meaning(self._usable(properties, sources.keys(), left)),
            inlets=tuple(inlets),
            outlets={name: _confirmed(outlet, name, sources) for name, outlet in self._outlets.items()},
            notes=tuple(self._notes),
            unreached=left,
        )

    # --- affordances; the answer is whether it has an MQTT form ---

    def _property(self, name: str, affordance: Json) -> bool:
        found = False
        for form, said in self._forms(affordance):
            found = True
            if _operations(form, "readproperty") == ("unobserveproperty",):
                continue  # nobody here stops observing
            reads, writes = _directions(form, said, affordance)
            if reads and (taken := self._coding(name, form, affordance.get("type"), reading=True)):
                self._feed(said, Feed(name, taken))
            if writes and name not in self._outlets:
                self._outlet(name, form, said, affordance.get("type"), idempotent=True)
            if not (reads or writes):
                self._note(f"{quoted(name)}: {_CONTRADICTION}")
        return found

    def _action(self, name: str, affordance: Json) -> bool:
        found = False
        for form, said in self._forms(affordance):
            found = True
            if "invokeaction" not in _operations(form, "invokeaction"):
                continue
            if said.packet not in (None, "publish"):
                self._note(f"{quoted(name)}: {_CONTRADICTION}")
            elif name in mapping(self._td.get("properties")):
                self._note(f"{quoted(name)}: a property has the same name, so the action cannot be invoked")
            elif name not in self._outlets:
                repeatable = affordance.get("idempotent") is True or affordance.get("safe") is True
                kind = mapping(affordance.get("input")).get("type")
                self._outlet(name, form, said, kind, idempotent=repeatable, action=True)
        return found

    def _event(self, name: str, affordance: Json) -> bool:
        found = False
        for form, said in self._forms(affordance):
            found = True
            if "subscribeevent" not in _operations(form, "subscribeevent"):
                continue
            data = mapping(affordance.get("data"))
            if said.packet not in (None, "subscribe"):
                self._note(f"{quoted(name)}: {_CONTRADICTION}")
            elif taken := self._coding(name, form, data.get("type"), reading=True):
                self._feed(said, Feed(name, taken, event=True, bare=not data))
        return found

    def _all(self, names: frozenset[str]) -> Iterator[Inlet]:
        """Inlets of the forms of the thing as a whole."""
        for form, said in self._forms(self._td):
            operations = _operations(form)
            if not _READING_ALL & set(operations):
                if any(not each.startswith("un") for each in operations):
                    self._note(f"{', '.join(operations)[:100]}: a form of the whole thing that is not used")
                continue
            if isinstance(taken := coding(form, "object", reading=True), str):
                self._note(taken)
            elif taken.form == "text":
                self._note("all properties as plain text cannot be told apart")
            else:
                for topic in said.filters or (said.topic or "",):
                    if self._fit("all properties", topic):
                        yield ObjectInlet(topic, names)

    # --- pieces ---

    def _forms(self, holder: Json) -> Iterator[tuple[Json, MqttForm]]:
        forms = holder.get("forms")
        for form in forms if isinstance(forms, list) else []:
            said = mqtt_form(mapping(form), self._base, self._prefixes)
            if said is not None:
                if said.host not in self._brokers:
                    self._note(f"its forms name the broker {quoted(said.host)}, which is taken to be ours")
                yield form, said

    def _feed(self, said: MqttForm, feed: Feed) -> None:
        for topic in said.filters or (said.topic or "",):
            if self._fit(feed.name, topic):
                self._feeds.setdefault(topic, {}).setdefault((feed.name, feed.event), feed)

    def _outlet(
        self, name: str, form: Json, said: MqttForm, kind: Any, *, idempotent: bool, action: bool = False
    ) -> None:
        topic = said.topic or (said.filters[0] if len(said.filters) == 1 else "")
        taken = self._coding(name, form, kind, reading=False)
        if taken is None or not self._fit(name, topic):
            return
        self._outlets[name] = ValueOutlet(
            topic=topic,
            coding=taken,
            qos=1 if said.qos is None else said.qos,
            retain=said.retain,
            idempotent=idempotent,
            action=action,
        )

    def _coding(self, name: str, form: Json, kind: Any, *, reading: bool) -> Coding | None:
        found = coding(form, kind, reading=reading)
        if isinstance(found, str):
            self._note(f"{quoted(name)}: {found}")
            return None
        return found

    def _fit(self, name: str, topic: str) -> bool:
        wrong = topic_fault(topic)
        if wrong is None and topic.startswith(_OURS):
            wrong = "a topic of native things and of the platform"
        if wrong is not None:
            self._note(f"{quoted(name)}: {quoted(topic)}: {wrong}")
        return wrong is None

    def _usable(self, properties: Json, read: Collection[str], left: Collection[str]) -> dict[str, Any]:
        """The description, with properties marked by what the platform can do with them."""
        marked = {}
        for name, affordance in properties.items():
            marked[name] = affordance
            if name in left:
                continue
            if name not in self._outlets and affordance.get("writeOnly") is not True:
                marked[name] = {**affordance, "readOnly": True}
            elif name in self._outlets and name not in read and affordance.get("readOnly") is not True:
                marked[name] = {**affordance, "writeOnly": True}
        return {**self._td, "properties": marked} if marked else self._td

    def _note(self, note: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes[one_line(note)] = None


def _operations(form: Json, *usual: str) -> tuple[str, ...]:
    said = form.get("op")
    if said is None:
        return usual
    return tuple(each for each in (said if isinstance(said, list) else [said]) if isinstance(each, str))


def _directions(form: Json, said: MqttForm, affordance: Json) -> tuple[bool, bool]:
    """Whether a form of a property is for reading, and whether it is for writing."""
    operations = set(_operations(form, "readproperty", "writeproperty"))
    reads = bool(operations & _READING) and affordance.get("writeOnly") is not True
    writes = "writeproperty" in operations and affordance.get("readOnly") is not True
    if form.get("op") is None and said.packet is None and said.filters:
        return reads, False  # a filter is for subscribing
    if said.packet is not None and not (form.get("op") is not None and reads and writes):
        return reads and said.packet == "subscribe", writes and said.packet == "publish"
    return reads, writes


def _fed(inlet: Inlet) -> frozenset[str]:
    if isinstance(inlet, ObjectInlet):
        return inlet.names
    if isinstance(inlet, ValueInlet):
        return frozenset(feed.name for feed in inlet.feeds if not feed.event)
    return frozenset()


def _confirmed(outlet: ValueOutlet, name: str, sources: Mapping[str, set[str]]) -> Outlet:
    """The outlet of a property, confirmed by its reading unless that is our own message coming back."""
    heard = sources.get(name, set())
    if outlet.action or not heard or outlet.topic in heard:
        return outlet
    return msgspec.structs.replace(outlet, confirmed_by=name)
