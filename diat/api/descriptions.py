"""Thing Descriptions as they are served: with forms that work, and what the directory knows of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from diat.api.forms import Forms
from diat.api.ports import Platform
from diat.kernel.clock import rfc3339
from diat.vol.announcements import Announced
from diat.vol.dialects.directory import ENTRY
from diat.vol.thing import VirtualObject
from diat.vol.twin import Twin
from diat.wire.envelope import encode
from diat.wot.registration import DISCOVERY
from diat.wot.td import AFFORDANCES, CONTEXT

Json = dict[str, Any]

KEPT = 4_000
"""Descriptions of which the lasting part is kept as text."""
LONGEST = 16 * 1024
"""Bytes of such a text at most; a usual one has 3 KiB."""


def description(platform: Platform, each: VirtualObject, base: str) -> Json:
    """The description of a thing, enriched with what the directory knows of it.

    Args:
        platform: where it is.
        each: the thing.
        base: the address that the client reached the platform by, without a slash at its end.
    """
    return {**_lasting(each, base, mqtt_url(platform, base), platform.lan), **_at_present(platform, each)}


def description_text(platform: Platform, each: VirtualObject, base: str) -> bytes:
    """The same as JSON text, of which all that lasts is written once: a page may have a thousand."""
    broker = mqtt_url(platform, base)
    lasting = _kept_text(each, base, broker, platform.lan) or encode(
        _lasting(each, base, broker, platform.lan)
    )
    return lasting[:-1] + b"," + encode(_at_present(platform, each))[1:]


@lru_cache(maxsize=KEPT)
def _kept_text(each: VirtualObject, base: str, broker: str | None, lan: bool) -> bytes | None:
    text = encode(_lasting(each, base, broker, lan))
    return text if len(text) <= LONGEST else None


def _lasting(each: VirtualObject, base: str, broker: str | None, lan: bool) -> Json:
    """What of a description is the same for as long as its virtual object stands."""
    forms = Forms(each, base, broker, lan=lan)
    td: Json = {key: value for key, value in each.td.items() if key not in AFFORDANCES and key != "base"}
    td["@context"] = _enriched(td["@context"])
    for kind in AFFORDANCES:
        group = each.td.get(kind)
        if isinstance(group, dict) and group:
            td[kind] = {
                name: {**said, "forms": forms.of(kind, name)}
                for name, said in group.items()
                if isinstance(said, dict)
            }
    for name, said in td.get("actions", {}).items():
        if name not in each.description.unreached:
            # What is invoked through the platform is answered before it is done.
            said["synchronous"] = False
    td.pop("forms", None)
    if whole := forms.of_the_whole():
        td["forms"] = whole
    td |= forms.security
    td["diat:dialect"] = each.record.dialect
    td["diat:admission"] = each.record.admission
    for member in ("registration", "diat:provenance", "diat:status", "diat:heard", "diat:gateway"):
        td.pop(member, None)
    return td


def _at_present(platform: Platform, each: VirtualObject) -> Json:
    """What of a description is another from moment to moment."""
    twin = platform.things.twin(each.id)
    now = platform.clock()
    said: Json = {
        "registration": registration(each, now),
        "diat:provenance": provenance(platform, each),
        "diat:status": status_of(twin, now, platform.stale_after),
    }
    gateway = platform.things.tiers.gateway_of(each.id)
    if gateway is not None:
        said["diat:gateway"] = gateway
    return {**said, "diat:heard": rfc3339(twin.heard)} if twin.heard else said


def mqtt_url(platform: Platform, base: str) -> str | None:
    """Where a client that reached the platform by ``base`` reaches the broker; None without values there."""
    if not platform.things.mirror.on:
        return None
    broker = platform.broker
    if broker.host in ("0.0.0.0", "::"):
        broker = msgspec.structs.replace(broker, host=urlsplit(base).hostname or broker.host)
    return str(broker)


def registration(each: VirtualObject, now: int) -> Json:
    """The registration information of W3C WoT Discovery."""
    record = each.record
    shown: Json = {"created": rfc3339(record.created), "modified": rfc3339(record.modified)}
    said = each.td.get("registration")
    if record.expires is not None:
        shown["expires"] = rfc3339(record.expires)
        if isinstance(said, dict) and said.get("ttl") is not None:
            shown["ttl"] = said["ttl"]
    return {**shown, "retrieved": rfc3339(now)}


def provenance(platform: Platform, each: VirtualObject) -> Json:
    """Where the description comes from, and who admitted the thing."""
    sources = platform.things.registry.announcements.committed(each.id)
    return {
        "sources": [_source(announced) for announced in sources],
        "admittedBy": each.record.decided_by,
        "reason": each.record.reason,
    }


def status_of(twin: Twin, now: int, stale_after: float) -> str:
    """``online``, ``offline``, ``sleeping``, ``unknown``; ``stale`` if it should be there and is silent."""
    if twin.status == "online" and twin.heard and now - twin.heard > stale_after * 1000:
        return "stale"
    return twin.status


def _source(announced: Announced) -> Json:
    said: Json = {"dialect": announced.dialect}
    if not announced.topic.startswith(ENTRY):
        said["topic"] = announced.topic
    return {**said, "first": rfc3339(announced.since), "last": rfc3339(announced.received)}


def _enriched(context: Any) -> list[Any]:
    listed = list(context) if isinstance(context, list) else [context]
    if DISCOVERY not in listed:
        listed.insert(listed.index(CONTEXT) + 1, DISCOVERY)
    return listed
