"""The forms of a thing as it is served: those of the platform first, then those that the thing brought.

The platform's own forms need no credential on loopback, and a bearer token beyond. Those that a thing brought
are for whoever can use them; they keep what security the thing demands.
"""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import quote, urljoin

from diat.api.ports import segment
from diat.vol.thing import Property, VirtualObject
from diat.wire import topics
from diat.wot.walk import mapping

Json = dict[str, Any]
Kind = Literal["properties", "actions", "events"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_NOSEC = {"scheme": "nosec"}
BEARER = {"scheme": "bearer", "in": "header", "name": "Authorization", "format": "opaque"}


class Forms:
    """The forms of one thing.

    Args:
        each: the thing.
        base: the address that the client reached the platform by.
        broker: ``mqtt://host:port`` of our broker if bare values are published there, else None.
        lan: whether the platform asks for a credential.
    """

    def __init__(self, each: VirtualObject, base: str, broker: str | None, *, lan: bool = False) -> None:
        self._each = each
        self._home = f"{base}/things/{segment(each.id)}"
        self._broker = broker
        own = each.td.get("base")
        self._base = own if isinstance(own, str) else ""
        defined = mapping(each.td.get("securityDefinitions"))
        scheme = BEARER if lan else _NOSEC
        kind = "bearer" if lan else "nosec"
        self._ours = next(
            name
            for name in (f"{kind}_sc", f"diat_{kind}_sc", f"diat_own_{kind}_sc")
            if defined.get(name, scheme) == scheme
        )
        self._defined = {**defined, self._ours: scheme}

    @property
    def security(self) -> Json:
        """What stands in the description on security."""
        return {"securityDefinitions": self._defined, "security": [self._ours]}

    def of(self, kind: str, name: str) -> list[Json]:
        """The forms of an affordance."""
        brought = self._brought(self._each.td[kind][name])
        if name in self._each.description.unreached and brought:
            return brought
        if kind == "properties":
            return [*self._property(self._each.properties[name]), *brought]
        return [self._action(name) if kind == "actions" else self._event(name), *brought]

    def of_the_whole(self) -> list[Json]:
        """The forms of the thing as a whole."""
        brought = self._brought(self._each.td)
        if not self._each.properties or self._each.description.unreached >= self._each.properties.keys():
            return brought
        everything = {
            "href": f"{self._home}/properties",
            "op": ["readallproperties"],
            "contentType": "application/json",
        }
        return [everything, *brought]

    def _property(self, prop: Property) -> list[Json]:
        href = f"{self._home}/properties/{segment(prop.name)}"
        operations = ["readproperty"] * prop.readable + ["writeproperty"] * prop.writable
        forms: list[Json] = [
            {"href": href, "op": operations or ["readproperty"], "contentType": "application/json"}
        ]
        if prop.readable:
            forms.append(_stream(f"{href}/observe", "observeproperty", "unobserveproperty"))
        if prop.readable and self._broker is not None:
            topic = topics.value(str(self._each.record.no), prop.name)
            forms.append(
                {
                    # Some clients take the topic from the address, some from the binding's own term.
                    "href": f"{self._broker}/{quote(topic)}",
                    "op": ["readproperty", "observeproperty", "unobserveproperty"],
                    "contentType": "application/json",
                    "mqv:filter": topic,
                    "mqv:controlPacket": "subscribe",
                    "mqv:retain": True,
                }
            )
        return forms

    def _action(self, name: str) -> Json:
        return {
            "href": f"{self._home}/actions/{segment(name)}",
            "op": ["invokeaction"],
            "htv:methodName": "POST",
            "contentType": "application/json",
        }

    def _event(self, name: str) -> Json:
        return _stream(f"{self._home}/events/{segment(name)}", "subscribeevent", "unsubscribeevent")

    def _brought(self, holder: Json) -> list[Json]:
        """The forms that the thing itself brought, usable without its base and its security as a whole."""
        forms = holder.get("forms")
        demanded = self._each.td.get("security")
        found = []
        for form in forms if isinstance(forms, list) else []:
            if not isinstance(form, dict):
                continue
            usable = {**form, "href": self._absolute(form)}
            if demanded is not None and "security" not in form and demanded not in (self._ours, [self._ours]):
                usable["security"] = demanded
            found.append(usable)
        return found

    def _absolute(self, form: Json) -> str:
        href = str(form.get("href", ""))
        scheme = _SCHEME.match(self._base)
        if _SCHEME.match(href) or scheme is None:
            return href
        # The rules of RFC 3986 are the same for every scheme, but Python applies them only to some.
        joined = urljoin(f"http:{self._base[scheme.end() :]}", href)
        return f"{scheme[1]}:{joined.removeprefix('http:')}"


def _stream(href: str, *operations: str) -> Json:
    """A form of server-sent events; its content type is that of the values that they carry."""
    return {
        "href": href,
        "op": list(operations),
        "subprotocol": "sse",
        "contentType": "application/json",
    }
