"""Values in registers: the types of the W3C Modbus binding, in every order of bytes and words."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from diat_gateway.buses.port import BusError, Form, WrongForm

_NUMBERS = {
    "xsd:byte": ">xb",
    "xsd:unsignedByte": ">xB",
    "xsd:short": ">h",
    "xsd:unsignedShort": ">H",
    "xsd:int": ">i",
    "xsd:unsignedInt": ">I",
    "xsd:long": ">q",
    "xsd:unsignedLong": ">Q",
    "xsd:float": ">f",
    "xsd:double": ">d",
}
_WIDE_INTEGERS = {1: "xsd:short", 2: "xsd:int", 4: "xsd:long"}
_WIDE_REALS = {1: "xsd:short", 2: "xsd:float", 4: "xsd:double"}
_TEXTS = ("xsd:string", "xsd:hexBinary")
_ORDERS = {
    "BIG_ENDIAN": (True, True),
    "LITTLE_ENDIAN": (False, False),
    "BIG_ENDIAN_BYTE_SWAP": (False, True),
    "LITTLE_ENDIAN_BYTE_SWAP": (True, False),
}
"""``byteSeq`` of a content type, as node-wot has it: whether the high byte and the high word come first."""


class Layout(Struct, frozen=True, kw_only=True):
    """How a value lies in registers.

    Attributes:
        type: one of the ``xsd:`` types; ``xsd:boolean`` is a register that is 0 or not.
        words: registers that one value takes.
        many: whether it is a list of values, one after the other.
        high_byte_first: within a register.
        high_word_first: of the registers of one value.
        scale: what the number in the register is multiplied by.
        offset: what is added to that.
        boolean: whether what is told is true or false, whatever the type.
        whole: whether what is told is a whole number.
    """

    type: str
    words: int
    many: bool = False
    high_byte_first: bool = True
    high_word_first: bool = True
    scale: float = 1.0
    offset: float = 0.0
    boolean: bool = False
    whole: bool = False

    def read(self, registers: Sequence[int]) -> Any:
        """The value that lies in registers.

        Raises:
            BusError: none does.
        """
        if self.many:
            parts = range(0, len(registers), self.words)
            return [self._read(registers[at : at + self.words]) for at in parts]
        return self._read(registers)

    def write(self, value: Any) -> list[int]:
        """What to write into the registers.

        Raises:
            BusError: the value does not fit.
        """
        if not self.many:
            return self._write(value)
        if not isinstance(value, list):
            raise BusError("a list is wanted")
        return [word for each in value for word in self._write(each)]

    def _read(self, registers: Sequence[int]) -> Any:
        raw = self._bytes(registers)
        if self.type == "xsd:hexBinary":
            return raw.hex().upper()
        if self.type == "xsd:string":
            try:
                return raw.split(b"\0")[0].decode("utf-8")
            except UnicodeDecodeError:
                raise BusError(f"no text: {raw[:32].hex()}") from None
        if self.type == "xsd:boolean":
            return any(raw)
        (number,) = struct.unpack(_NUMBERS[self.type], raw)
        if not math.isfinite(number):
            raise BusError("the registers hold no number")
        if self.boolean:
            return bool(number)
        if self.type == "xsd:float":
            number = float(f"{number:.9g}")
        if self.scale == 1 and self.offset == 0:
            return number
        scaled = float(f"{number * self.scale + self.offset:.12g}")
        return round(scaled) if self.whole else scaled

    def _write(self, value: Any) -> list[int]:
        try:
            raw = self._raw(value)
        except (struct.error, OverflowError, ValueError, TypeError, AttributeError):
            raise BusError(f"{value!r:.100} does not fit into {self.type}") from None
        if len(raw) > 2 * self.words:
            raise BusError(f"{len(raw)} bytes do not fit into {self.words} registers")
        return self._registers(raw.ljust(2 * self.words, b"\0"))

    def _raw(self, value: Any) -> bytes:
        if self.type == "xsd:string":
            return bytes(value.encode())
        if self.type == "xsd:hexBinary":
            return bytes.fromhex(value)
        if self.type == "xsd:boolean":
            return struct.pack(">H", 1 if value else 0)
        number = float(value) if isinstance(value, bool) else value
        if self.scale != 1 or self.offset != 0:
            number = (number - self.offset) / self.scale
        form = _NUMBERS[self.type]
        return struct.pack(form, number if form[-1] in "fd" else round(number))

    def _bytes(self, registers: Sequence[int]) -> bytes:
        ordered = registers if self.high_word_first else registers[::-1]
        order = "big" if self.high_byte_first else "little"
        return b"".join(word.to_bytes(2, order) for word in ordered)  # type: ignore[arg-type]

    def _registers(self, raw: bytes) -> list[int]:
        order = "big" if self.high_byte_first else "little"
        words = [
            int.from_bytes(raw[at : at + 2], order)  # type: ignore[arg-type]
            for at in range(0, len(raw), 2)
        ]
        return words if self.high_word_first else words[::-1]


def layout(form: Form, terms: Mapping[str, str], quantity: int | None) -> Layout:
    """How the value of a form lies in registers.

    Args:
        form: what it says of type and order.
        terms: short names of the members to those in the form.
        quantity: registers in all, None if it does not say.

    Raises:
        WrongForm: that is none.
    """
    many = form.schema.get("type") == "array"
    items = form.schema.get("items") if many else form.schema
    told = items.get("type") if isinstance(items, Mapping) else None
    kind = _type(form, terms["type"], told, quantity)
    if kind in _TEXTS:
        words = quantity or 1
        many = False
    else:
        words = 1 if kind == "xsd:boolean" else len(struct.pack(_NUMBERS[kind], 0)) // 2
        if quantity is not None and (quantity % words or (quantity != words and not many)):
            raise WrongForm(terms["quantity"], f"{kind} takes {words}, not {quantity}")
    byte_first, word_first = _order(form)
    return Layout(
        type=kind,
        words=words,
        many=many,
        high_byte_first=form.flag(terms["mostSignificantByte"], byte_first),
        high_word_first=form.flag(terms["mostSignificantWord"], word_first),
        scale=_scale(form),
        offset=form.number("diat:offset", 0.0, -1e12, 1e12),
        boolean=told == "boolean",
        whole=told == "integer",
    )


def _type(form: Form, member: str, told: Any, quantity: int | None) -> str:
    said = form.text(member)
    if said and ":" not in said:
        said = f"xsd:{said}"
    width = quantity if form.schema.get("type") != "array" else 1
    if not said and width in (None, 1) and told in ("integer", "number"):
        return "xsd:unsignedShort"
    if said == "xsd:integer" or (not said and told == "integer"):
        return _by_width(_WIDE_INTEGERS, width, member)
    if said == "xsd:decimal" or (not said and told == "number"):
        return _by_width(_WIDE_REALS, width, member)
    if said in _NUMBERS or said in _TEXTS or said == "xsd:boolean":
        return said
    if said:
        raise WrongForm(member, f"{said!r} is none of {', '.join([*_NUMBERS, *_TEXTS, 'xsd:boolean'])}")
    return {"boolean": "xsd:boolean", "string": "xsd:string"}.get(str(told), "xsd:unsignedShort")


def _by_width(types: Mapping[int, str], width: int | None, member: str) -> str:
    found = types.get(width or 1)
    if found is None:
        raise WrongForm(member, f"there is no number in {width} registers: say its type")
    return found


def _order(form: Form) -> tuple[bool, bool]:
    for parameter in form.text("contentType").split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name == "byteSeq":
            if value.strip('"') not in _ORDERS:
                raise WrongForm("contentType", f"byteSeq is one of {', '.join(_ORDERS)}")
            return _ORDERS[value.strip('"')]
    return True, True


def _scale(form: Form) -> float:
    scale = form.number("diat:scale", 1.0, -1e12, 1e12)
    if scale == 0:
        raise WrongForm("diat:scale", "0 makes all values one")
    return scale
