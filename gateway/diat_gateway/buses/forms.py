"""The forms of a Thing Description that lead to a bus: found, checked, and turned into points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from diat.wot.td import Json
from diat.wot.walk import mapping
from diat_gateway.buses.networks import Networks
from diat_gateway.buses.port import Bus, Form, Point, WrongForm

EVERY = 10_000
"""Milliseconds between two polls, unless the form says otherwise."""
FASTEST, SLOWEST = 50, 86_400_000
_POLLING = ("modv:pollingTime", "modbus:pollingTime", "diat:pollingTime")
_READS = frozenset({"readproperty", "observeproperty"})

Kinds = Mapping[str, type[Bus[Any]]]
"""Scheme of an address to the bus that speaks it."""


class Access(Struct, frozen=True, kw_only=True):
    """How a property is read and written, or an action invoked.

    Attributes:
        bus: the kind of line.
        read: where it is read; None if it is not.
        write: where it is written, or invoked; None if it is not.
        every: seconds between two polls.
    """

    bus: type[Bus[Any]]
    read: Point | None = None
    write: Point | None = None
    every: float = EVERY / 1000


class Plan(Struct, frozen=True, kw_only=True):
    """What of a thing is reached by buses.

    Attributes:
        properties: by name.
        actions: by name; their ``write`` is what invokes them.
        faults: the place in the description, and what is wrong there.
    """

    properties: dict[str, Access]
    actions: dict[str, Access]
    faults: list[tuple[str, str]]

    @property
    def any(self) -> bool:
        """Whether a bus has to do with it at all."""
        return bool(self.properties or self.actions or self.faults)


def plan(td: Json, kinds: Kinds, networks: Networks) -> Plan:
    """What of a description is reached by these buses, and what is wrong with the forms that name them."""
    faults: list[tuple[str, str]] = []
    properties: dict[str, Access] = {}
    actions: dict[str, Access] = {}
    for name, affordance in _affordances(td, "properties"):
        reads = affordance.get("writeOnly") is not True
        writes = affordance.get("readOnly") is not True
        for place, form, bus in _forms(td, "properties", name, affordance, kinds):
            known = properties.get(name, Access(bus=bus))
            if known.bus is not bus:
                continue  # the first form's bus is used for both ways
            read, write, every = known.read, known.write, known.every
            said = _operations(form)
            try:
                _must_lead_home(form, networks)
                every_ms = _every(form)
                if reads and read is None and (not said or said & _READS):
                    read, every = bus.point(_as(form, "readproperty", affordance)), every_ms / 1000
                if writes and write is None and (not said or "writeproperty" in said):
                    write = _writable(bus, form, affordance, told=bool(said))
            except WrongForm as wrong:
                faults.append((f"{place}.{wrong.member}", wrong.reason))
                continue
            if read is not None or write is not None:
                properties[name] = Access(bus=bus, read=read, write=write, every=every)
    for name, affordance in _affordances(td, "actions"):
        for place, form, bus in _forms(td, "actions", name, affordance, kinds):
            try:
                _must_lead_home(form, networks)
                point = bus.point(_as(form, "invokeaction", mapping(affordance.get("input"))))
            except WrongForm as wrong:
                faults.append((f"{place}.{wrong.member}", wrong.reason))
                continue
            actions.setdefault(name, Access(bus=bus, write=point))
    return Plan(properties=properties, actions=actions, faults=faults)


def without_forms(td: Json, planned: Plan) -> Json:
    """The description as the thing speaks for itself: native, so without forms, security and ``base``.

    What can only be read is ``readOnly``; a value counts as fresh for three polls.
    """
    told = {
        key: value
        for key, value in td.items()
        if key not in ("forms", "base", "security", "securityDefinitions")
    }
    for kind in ("properties", "actions", "events"):
        if isinstance(td.get(kind), dict):
            told[kind] = {
                name: {key: value for key, value in mapping(each).items() if key != "forms"}
                for name, each in td[kind].items()
            }
    for name, access in planned.properties.items():
        said = told["properties"][name]
        if access.write is None:
            said["readOnly"] = True
        if access.read is None:
            said["writeOnly"] = True
        else:
            said.setdefault("diat:silence", 3 * access.every + access.read.timeout)
    return told


def _writable(bus: type[Bus[Any]], form: Form, affordance: Json, *, told: bool) -> Point | None:
    """Where it is written; a form that does not say for what it is may be for reading alone."""
    try:
        point: Point = bus.point(_as(form, "writeproperty", affordance))
    except WrongForm:
        if told:
            raise
        return None
    return point


def _affordances(td: Json, kind: str) -> Iterator[tuple[str, Json]]:
    for name, affordance in mapping(td.get(kind)).items():
        if isinstance(affordance, dict):
            yield name, affordance


def _forms(
    td: Json, kind: str, name: str, affordance: Json, kinds: Kinds
) -> Iterator[tuple[str, Form, type[Bus[Any]]]]:
    """Place, form and bus of each form of an affordance that names one of the buses."""
    base = td.get("base")
    listed = affordance.get("forms")
    for index, said in enumerate(listed if isinstance(listed, list) else []):
        href = mapping(said).get("href")
        if not isinstance(href, str):
            continue
        # urljoin knows no scheme of a bus; an address that has one is whole.
        whole = href if "://" in href or not isinstance(base, str) else _joined(base, href)
        bus = kinds.get(whole.partition("://")[0].lower())
        if bus is not None:
            yield f"{kind}.{name}.forms.{index}", Form(whole, "", said, {}), bus


def _joined(base: str, href: str) -> str:
    scheme, separator, rest = base.partition("://")
    return f"{scheme}://" + urljoin(f"http://{rest}", href).removeprefix("http://") if separator else href


def _as(form: Form, op: str, schema: Mapping[str, Any]) -> Form:
    return Form(form.href, op, form.said, schema)


def _operations(form: Form) -> set[str]:
    said = form.said.get("op")
    return {each for each in (said if isinstance(said, list) else [said]) if isinstance(each, str)}


def _every(form: Form) -> float:
    for member in _POLLING:
        if member in form.said:
            return form.number(member, EVERY, FASTEST, SLOWEST)
    return EVERY


def _must_lead_home(form: Form, networks: Networks) -> None:
    try:
        parts = urlsplit(form.href)
        host, _ = parts.hostname, parts.port
    except ValueError as wrong:
        raise WrongForm("href", str(wrong)) from None
    if not host:
        raise WrongForm("href", "it names no host")
    if parts.username is not None:
        raise WrongForm("href", "an address must not carry a password: it would be shown to everybody")
    if (elsewhere := networks.fault(host)) is not None:
        raise WrongForm("href", elsewhere)
