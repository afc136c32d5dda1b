"""Availability: the topics on which a thing, or what stands between, says whether it can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct

from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.inlets import received
from diat.vol.dialects.messages import Rendered, TwoStates
from diat.vol.dialects.port import Uptake
from diat.vol.dialects.words import Unfit, quoted, spellings

Mode = Literal["all", "any", "latest"]
MAX_SOURCES = 32
_MODES: dict[Any, Mode] = {"all": "all", "any": "any", "latest": "latest"}


class AvailabilityInlet(Struct, frozen=True):
    """Reads one source of availability."""

    topic: str
    extract: Rendered
    encoding: str

    def read(self, payload: bytes) -> Uptake:
        """Say whether it says that the thing can be reached."""
        try:
            available = self.extract(received(payload, self.encoding)) if payload else UNSET
        except Unfit as unfit:
            return Uptake(notes=(f"availability: {unfit}",))
        return Uptake(available=None if available is UNSET else bool(available))


def inlets(entities: Iterable[Entity]) -> tuple[list[AvailabilityInlet], list[str]]:
    """An inlet for each source that the entities name, each once, and what of them was not understood."""
    found: dict[Any, AvailabilityInlet] = {}
    notes: dict[str, None] = {}
    for entity in entities:
        for source in _sources(entity):
            try:
                key, inlet = _inlet(source)
            except Unfit as unfit:
                notes[f"availability: {unfit}"] = None
            else:
                found.setdefault(key, inlet)
    return list(found.values()), list(notes)


def mode(entities: Sequence[Entity]) -> tuple[Mode, list[str]]:
    """How the sources are put together: as the entities say, ``latest`` if none does."""
    said = {
        quoted(given): given for e in entities if (given := e.config.get("availability_mode")) is not None
    }
    known = {_MODES[given] for given in said.values() if isinstance(given, str) and given in _MODES}
    notes = [
        f"the availability mode {name} is not understood"
        for name, given in said.items()
        if not isinstance(given, str) or given not in _MODES
    ]
    if len(known) > 1:
        return "all", [*notes, "its entities have different availability modes; all sources are asked for"]
    return next(iter(known), "latest"), notes


def _sources(entity: Entity) -> Iterator[Entity]:
    """Each source as if it were an entity, so that its keys are read in the same way."""
    config = entity.config
    listed = config.get("availability")
    for source in listed[:MAX_SOURCES] if isinstance(listed, list) else [listed]:
        if isinstance(source, dict):
            yield _entity(entity, {"encoding": config.get("encoding"), **source})
    if config.get("availability_topic") is not None:
        keys = {
            "topic": "availability_topic",
            "value_template": "availability_template",
            **{key: key for key in ("payload_available", "payload_not_available", "encoding")},
        }
        yield _entity(entity, {key: config[said] for key, said in keys.items() if said in config})


def _entity(entity: Entity, config: dict[str, Any]) -> Entity:
    return Entity(topic=entity.topic, component=entity.component, object_id=entity.object_id, config=config)


def _inlet(source: Entity) -> tuple[Any, AvailabilityInlet]:
    topic = source.state_topic("topic")
    if topic is None:
        raise Unfit("a source has no topic")
    states = TwoStates(
        spellings(source.config.get("payload_available", "online")),
        spellings(source.config.get("payload_not_available", "offline")),
    )
    template = source.template("value_template")
    inlet = AvailabilityInlet(topic, Rendered(states, template), source.encoding)
    return (topic, template and template.source, states.on, states.off, inlet.encoding), inlet
