"""The kinds of features: the DataSchema of their values, with its meaning, and how these travel in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, Struct

from diat.vol.dialects.commands import boolean, channels, finite, tidy, verbal
from diat.vol.dialects.effects import LOCK
from diat.vol.dialects.meaning import EXPOSE, Meaning, measured, quantity, wanted, watched
from diat.vol.dialects.messages import Value
from diat.vol.dialects.values import (
    Choice,
    Either,
    alike,
    counts_from_zero,
    number,
    plain,
    text,
)
from diat.vol.dialects.words import Unfit, quoted
from diat.vol.dialects.zigbee2mqtt import nested
from diat.vol.dialects.zigbee2mqtt.exposes import Feature
from diat.vol.dialects.zigbee2mqtt.units import code_of

# Channels of a light's colour, with their greatest values.
_COLOURS = {"color_xy": {"x": 1, "y": 1}, "color_hs": {"hue": 360, "saturation": 100}}


class Kind(Struct, frozen=True, kw_only=True):
    """How the values of a feature look.

    Attributes:
        schema: DataSchema with its meaning.
        decode: from the JSON value in a message; raises ``Unfit``.
        encode: to the JSON value in a command; raises ``Unfit``.
        name: what the property is called if not as in the messages; ``title`` likewise.
        turned: whether true and false have changed places against the announcement.
        notes: what of the announcement was not understood.
    """

    schema: dict[str, Any]
    decode: Callable[[Any], Value]
    encode: Callable[[Any], Any]
    name: str | None = None
    title: str | None = None
    turned: bool = False
    notes: tuple[str, ...] = ()


def kind_of(feature: Feature) -> Kind | str:
    """The kind of a feature; one line if it cannot be used."""
    if feature.group == "light" and feature.kind == "composite" and feature.name in _COLOURS:
        return _colour(_COLOURS[feature.name], feature.endpoint)
    make = _MAKERS.get(feature.kind)
    if make is None:
        return f"features of type {quoted(feature.kind)} are not known"
    try:
        return make(feature)
    except Unfit as unfit:
        return str(unfit)


def _binary(feature: Feature) -> Kind:
    on, off = feature.said.get("value_on"), feature.said.get("value_off")
    if on is None or alike(on, off):
        raise Unfit("it does not say what is true and what is false")
    if off is None:  # there is nothing but to start it
        return Kind(
            schema={"enum": [on]} | ({"type": "string"} if isinstance(on, str) else {}),
            decode=Choice((on,)),
            encode=Choice((on,)),
        )
    name = title = None
    kind = None if feature.settable else watched((feature.name,), EXPOSE)
    turned = on is False and off is True
    if turned and (kind is None or kind.kind != "Opening"):
        on, off = True, False  # only where true is the quiet state does it count the other way round
        turned = False
    elif turned:
        name, title = f"opening_{feature.endpoint}" if feature.endpoint else "opening", "Opening"
    elif feature.group == "lock" and feature.base == "state":
        name, title = f"unlocked_{feature.endpoint}" if feature.endpoint else "unlocked", "Unlocked"
        kind, on, off, turned = Meaning(LOCK, EXPOSE), off, on, True
    toggle = feature.said.get("value_toggle")
    neither = ("", *([toggle] if toggle is not None and not alike(toggle, on) else []))
    return Kind(
        schema=quantity(kind) | {"type": "boolean"},
        decode=Either(on, off, neither),
        encode=lambda value: on if boolean(value) else off,
        name=name,
        title=title,
        turned=turned,
    )


def _numeric(feature: Feature) -> Kind:
    said = feature.said
    code, notes = code_of(said.get("unit"))
    names = (feature.name,) if code or not said.get("unit") else ()
    kind = (wanted if feature.settable else measured)(names, code, EXPOSE)
    schema: dict[str, Any] = {**quantity(kind), "type": "number"}
    if code:
        schema["unit"] = code
    limits = nested.limits(said)
    step = said.get("value_step")
    if isinstance(step, int | float) and not isinstance(step, bool):
        if feature.settable and counts_from_zero(limits.get("minimum"), limits.get("maximum"), step):
            limits["multipleOf"] = step
    elif step is not None:
        notes = (*notes, f"its step {quoted(step)} is not a number")
    return Kind(
        schema=schema | _with_presets(limits, said.get("presets")),
        decode=number,
        encode=lambda value: tidy(finite(value)),
        notes=notes,
    )


def _with_presets(limits: dict[str, Any], presets: Any) -> dict[str, Any]:
    """The range, beside which stand the values that have names of their own."""
    named = []
    for preset in presets[: nested.MAX_CHOICES] if isinstance(presets, list) else ():
        name, value = (preset.get("name"), preset.get("value")) if isinstance(preset, dict) else (None, None)
        if isinstance(name, str) and isinstance(value, int | float) and not isinstance(value, bool):
            named.append({"const": value, "title": name})
    low, high = limits.get("minimum"), limits.get("maximum")
    outside = [
        each
        for each in named
        if (low is not None and each["const"] < low) or (high is not None and each["const"] > high)
    ]
    return {"oneOf": [limits, *outside]} if outside else limits


def _enum(feature: Feature) -> Kind:
    listed = feature.said.get("values")
    values = (
        [v for v in listed[: nested.MAX_CHOICES] if isinstance(v, str | int | float)]
        if isinstance(listed, list)
        else []
    )
    if not values:
        raise Unfit("it lists no values")
    if any(isinstance(value, str) and "*" in value for value in values):
        # A pattern, such as recall_*.
        return Kind(schema={"type": "string"}, decode=_some_text, encode=verbal)
    return Kind(schema=nested.one_of(values), decode=_Word(tuple(values)), encode=Choice(tuple(values)))


class _Word(Struct, frozen=True):
    """What a device tells where words are listed; devices know more of them than their converters list."""

    listed: tuple[Any, ...]

    def __call__(self, value: Any) -> Value:
        """Decode."""
        if value == "" and "" not in self.listed:
            return UNSET  # that is how an action tells that it is over
        if any(alike(value, word) for word in self.listed):
            return value
        if not isinstance(value, str) or not any(isinstance(word, str) for word in self.listed):
            raise Unfit(f"{quoted(value)} is none of its options")
        return text(value)


def _some_text(value: Any) -> Value:
    return text(value) if value != "" else UNSET


def _text(_: Feature) -> Kind:
    return Kind(schema={"type": "string"}, decode=text, encode=verbal)


def _list(feature: Feature) -> Kind:
    return Kind(schema=nested.schema(feature.said), decode=_decode_list, encode=_decode_list)


def _decode_list(value: Any) -> Value:
    if not isinstance(value, list):
        raise Unfit(f"{quoted(value)} is not a list")
    return plain(value)


def _composite(feature: Feature) -> Kind:
    return Kind(schema=nested.schema(feature.said), decode=_decode_object, encode=_decode_object)


def _decode_object(value: Any) -> Value:
    if not isinstance(value, dict):
        raise Unfit(f"{quoted(value)} is not an object")
    return plain(value)


def _colour(tops: dict[str, int], endpoint: str | None) -> Kind:
    def decode(value: Any) -> Value:
        if not isinstance(value, dict):
            raise Unfit(f"{quoted(value)} is not a colour")
        found = {channel: value.get(channel, value.get(f"{channel}_{endpoint}")) for channel in tops}
        # A light that is in another colour mode tells that one's channels only.
        return UNSET if None in found.values() else {c: number(level) for c, level in found.items()}

    return Kind(
        schema={
            "type": "object",
            "properties": {c: {"type": "number", "minimum": 0, "maximum": top} for c, top in tops.items()},
            "required": list(tops),
        },
        decode=decode,
        encode=lambda value: channels(value, tops),
    )


_MAKERS: dict[str, Callable[[Feature], Kind]] = {
    "binary": _binary,
    "numeric": _numeric,
    "enum": _enum,
    "text": _text,
    "list": _list,
    "composite": _composite,
}
