"""The dialect: announcements in, one description for each thing out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from diat.vol.dialects.affordances import GROUPS
from diat.vol.dialects.commands import CommandOutlet
from diat.vol.dialects.homeassistant import availability
from diat.vol.dialects.homeassistant.announcement import Place, part, place
from diat.vol.dialects.homeassistant.components import component, makers, missing
from diat.vol.dialects.homeassistant.components.attributes import WORD as ATTRIBUTES
from diat.vol.dialects.homeassistant.device import merged, spoken_identifiers, terms
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet
from diat.vol.dialects.inlets import Feed, state_inlets
from diat.vol.dialects.messages import Rendered
from diat.vol.dialects.naming import Candidate, base_name, prefixes_of, settled
from diat.vol.dialects.port import Description, Outlet, Part, Refusal, Withdrawal
from diat.vol.dialects.words import Unfit, word

_CATEGORIES = frozenset({"config", "diagnostic"})


class _Draft(Struct, frozen=True):
    """A facet on its way to becoming an affordance."""

    entity: Entity
    facet: Facet


class HomeAssistant:
    """MQTT discovery as devices announce themselves to Home Assistant.

    Args:
        prefix: the topic under which they do.
    """

    name = "homeassistant"
    whole = False

    def __init__(self, prefix: str = "homeassistant") -> None:
        self._prefix = prefix

    def hear(self, topic: str, payload: bytes) -> Part | Withdrawal | Refusal | None:
        """Read an announcement on ``<prefix>/<component>/[<node_id>/]<object_id>/config``."""
        here = place(topic, self._prefix)
        return part(here, payload) if isinstance(here, Place) else here

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe one thing from all its parts, in whatever order they come."""
        parts = sorted(parts, key=lambda one: one.topic)
        device = merged(one.body.get("device", {}) for one in parts)
        entities = list(_entities(parts, word(device.get("name"))))
        notes: list[str] = []
        drafts = list(_drafts(entities, notes))
        names = settled(_candidates(drafts, parts, device))
        groups: dict[str, dict[str, Any]] = {"property": {}, "action": {}, "event": {}}
        outlets: dict[str, Outlet] = {}
        feeds = []
        for name, draft in sorted(zip(names, drafts, strict=True), key=lambda pair: pair[0]):
            facet = draft.facet
            groups[facet.kind][name] = _affordance(draft)
            if facet.command:
                confirmed_by = name if facet.sources and facet.confirmed else None
                outlets[name] = CommandOutlet(
                    facet.command, confirmed_by, facet.kind == "property" or facet.idempotent
                )
            feeds += [
                (each, Feed(name, _label(draft), each.extract, facet.kind == "event", each.blank))
                for each in facet.sources
            ]
        sources, unclear = availability.inlets(entities)
        mode, unclear_mode = availability.mode(entities)
        td: dict[str, Any] = {
            "title": _title(device, entities, parts),
            **terms(device, _spoken(parts, device)),
            **{GROUPS[kind]: made for kind, made in groups.items() if made},
        }
        return Description(
            td=td,
            inlets=(*state_inlets(feeds), *sources),
            outlets=outlets,
            availability=mode,
            notes=tuple(dict.fromkeys([*notes, *unclear, *unclear_mode])),
        )


def _components(parts: Iterable[Part]) -> Iterator[tuple[Part, dict[str, Any]]]:
    return ((one, said) for one in parts for said in one.body.get("components", ()))


def _entities(parts: Iterable[Part], device_name: str | None) -> Iterator[Entity]:
    for one, said in _components(parts):
        yield Entity(
            topic=one.topic,
            component=said["component"],
            object_id=said["object_id"],
            config=said["config"],
            device_name=device_name,
        )


def _drafts(entities: Iterable[Entity], notes: list[str]) -> Iterator[_Draft]:
    """What the entities make; what cannot be used is noted and leaves the rest of its entity alone."""
    told: set[Any] = set()
    for entity in entities:
        found = component(entity.component, entity.config)
        reason = found if isinstance(found, str) else missing(entity.component, entity.config)
        if isinstance(found, str) or reason:
            notes.append(f"{entity.label}: {reason}")
            continue
        of_entity, facets = list[str](), list[Facet]()
        for make in makers(found):
            try:
                facet = make(entity)
            except Unfit as unfit:
                of_entity.append(str(unfit))
                continue
            if facet:
                of_entity += facet.notes
                facets.append(facet)
        if not facets and not of_entity:
            of_entity.append("it names nothing that could be told or commanded")
        notes.extend(f"{entity.label}: {note}" for note in (*of_entity, *entity.doubts))
        yield from (_Draft(entity, facet) for facet in facets if not _repeated(facet, told))


def _repeated(facet: Facet, told: set[Any]) -> bool:
    """Whether another entity of the device tells the same attributes."""
    if facet.word != ATTRIBUTES or facet.source is None or not isinstance(facet.source.extract, Rendered):
        return False
    template = facet.source.extract.template
    what = (facet.source.topic, template and template.source)
    repeated = what in told
    told.add(what)
    return repeated


def _candidates(drafts: Iterable[_Draft], parts: Sequence[Part], device: dict[str, Any]) -> list[Candidate]:
    owners = [word(device.get("name")), *(name for one in parts for name in one.identifiers)]
    owners += [said.get("node_id") for _, said in _components(parts)]
    prefixes = prefixes_of(owners)
    return [
        Candidate(
            draft.entity.topic,
            draft.entity.component,
            base_name(draft.entity.object_id, draft.entity.component, prefixes),
            draft.facet.word,
        )
        for draft in drafts
    ]


def _affordance(draft: _Draft) -> dict[str, Any]:
    """The affordance as it stands in the Thing Description."""
    entity, facet = draft.entity, draft.facet
    title = f"{entity.title} {facet.word.replace('_', ' ')}".strip()
    said: dict[str, Any] = {"title": title, **facet.schema}
    if facet.kind == "property" and facet.command is None:
        said["readOnly"] = True
        said.pop("diat:affects", None)
    if "diat:affects" in said:
        said["diat:channel"] = entity.object_id
    if facet.kind == "property" and not facet.sources:
        said["writeOnly"] = True
    if facet.kind == "action" and facet.idempotent:
        said["idempotent"] = True
    if facet.sources and facet.kind == "property" and (silence := entity.seconds("expire_after")):
        said["diat:silence"] = silence
    if (category := entity.word("entity_category")) in _CATEGORIES:
        said["diat:entityCategory"] = category
    return said


def _label(draft: _Draft) -> str:
    return f"{draft.entity.label} {draft.facet.word}".strip()


def _title(device: dict[str, Any], entities: Sequence[Entity], parts: Sequence[Part]) -> str:
    """What people call the thing: by its device's name, else by its only or first entity's."""
    names = (
        word(device.get("name")),
        *(entity.title for entity in entities),
        *(one.identifiers[0] for one in parts),
    )
    return next((name for name in names if name), "Thing")


def _spoken(parts: Sequence[Part], device: dict[str, Any]) -> list[str]:
    found: dict[str, None] = {}
    for one, said in _components(parts):
        found |= dict.fromkeys(spoken_identifiers(one.body.get("device", {}), said.get("node_id")))
    found |= dict.fromkeys(spoken_identifiers(device, None))
    unique_ids = (word(said["config"].get("unique_id")) for _, said in _components(parts))
    return [*found, *(name for name in dict.fromkeys(unique_ids) if name and name not in found)]
