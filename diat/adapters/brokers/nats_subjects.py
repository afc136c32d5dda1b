"""MQTT topics and filters as nats-server knows them: subjects, by its own documented mapping."""

from __future__ import annotations

from diat.security.permissions import Permissions

DELIVERY = "$MQTT.sub.>"
"""Where the server itself brings messages with QoS 1 or 2; a client that subscribes there is refused."""
_UNCARRIED = frozenset(" *>\t\r\n")


def subject(topic: str) -> str | None:
    """A topic or filter as a subject; None if the server cannot carry it as what it says."""
    if not topic or _UNCARRIED & set(topic):
        return None
    levels = topic.split("/")
    if any(not level for level in levels):
        return None
    wild = {"+": "*", "#": ">"}
    return ".".join(wild.get(level, level.replace(".", "//")) for level in levels)


def as_subjects(filters: tuple[str, ...]) -> list[str]:
    """Filters as the subjects that they match: ``a/#`` matches ``a`` as well."""
    found: list[str] = []
    for each in filters:
        said = subject(each)
        if said is None:
            continue
        if said.endswith(".>"):
            found.append(said[:-2])
        found.append(said)
    return list(dict.fromkeys(found))


def user_permissions(allowed: Permissions) -> dict[str, object]:
    """What a client may do, as the server's user tokens have it; what is not named is refused."""
    nothing = {"deny": [">"]}
    publish, subscribe = as_subjects(allowed.publish), as_subjects(allowed.subscribe)
    return {
        "pub": {"allow": publish} if publish else nothing,
        "sub": {"allow": [*subscribe, DELIVERY]} if subscribe else nothing,
    }
