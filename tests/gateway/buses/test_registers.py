"""Values of every type, in every order of bytes and words, as the W3C Modbus binding names them."""

import struct

import pytest
from diat_gateway.buses.modbus import Modbus
from diat_gateway.buses.port import BusError, Form, WrongForm
from hypothesis import given
from hypothesis import strategies as st

RANGES = {
    "xsd:byte": (-(2**7), 2**7 - 1),
    "xsd:unsignedByte": (0, 2**8 - 1),
    "xsd:short": (-(2**15), 2**15 - 1),
    "xsd:unsignedShort": (0, 2**16 - 1),
    "xsd:int": (-(2**31), 2**31 - 1),
    "xsd:unsignedInt": (0, 2**32 - 1),
    "xsd:long": (-(2**63), 2**63 - 1),
    "xsd:unsignedLong": (0, 2**64 - 1),
}


def point(kind="integer", *, href="modbus+tcp://127.0.0.1:502/1", op="readproperty", **said):
    form = {"modv:entity": "HoldingRegister", "modv:address": 1} | {
        (name if ":" in name else f"modv:{name}"): value for name, value in said.items()
    }
    schema = kind if isinstance(kind, dict) else {"type": kind}
    return Modbus.point(Form(href, op, form, schema))


@given(st.sampled_from(sorted(RANGES)), st.booleans(), st.booleans(), st.data())
def test_whole_numbers_come_back_as_they_went(name, byte_first, word_first, data):
    value = data.draw(st.integers(*RANGES[name]))
    laid = point(type=name, mostSignificantByte=byte_first, mostSignificantWord=word_first).layout
    assert laid.read(laid.write(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.booleans())
def test_reals_come_back_as_they_went(value, byte_first, word_first):
    orders = {"mostSignificantByte": byte_first, "mostSignificantWord": word_first}
    assert (laid := point("number", type="xsd:double", **orders).layout).read(laid.write(value)) == value


# What a device's manual says of 12345.67 (0x4640E6AE), told by another library than ours: struct.
@pytest.mark.parametrize(
    ("order", "registers"),
    [
        ({}, [0x4640, 0xE6AE]),
        ({"mostSignificantWord": False}, [0xE6AE, 0x4640]),
        ({"mostSignificantByte": False}, [0x4046, 0xAEE6]),
        ({"mostSignificantWord": False, "mostSignificantByte": False}, [0xAEE6, 0x4046]),
        ({"contentType": "application/octet-stream;byteSeq=LITTLE_ENDIAN"}, [0xAEE6, 0x4046]),
        ({"contentType": "application/octet-stream;byteSeq=LITTLE_ENDIAN_BYTE_SWAP"}, [0xE6AE, 0x4640]),
    ],
)
def test_every_order_is_the_one_of_the_manual(order, registers):
    assert struct.pack(">f", 12345.67).hex() == "4640e6ae"
    named = {("contentType" if k == "contentType" else k): v for k, v in order.items()}
    content = named.pop("contentType", None)
    more = {"modv:type": "xsd:float"} | {f"modv:{k}": v for k, v in named.items()}
    if content:
        more["contentType"] = content
    form = Form(
        "modbus+tcp://127.0.0.1:502/1",
        "readproperty",
        {"modv:entity": "HoldingRegister", "modv:address": 1} | more,
        {"type": "number"},
    )
    laid = Modbus.point(form).layout
    assert laid.read(registers) == pytest.approx(12345.67, rel=1e-7)
    assert laid.write(12345.67) == registers


def test_scale_and_offset_are_of_the_number_in_the_register():
    laid = point("number", type="xsd:short", **{"diat:scale": 0.1, "diat:offset": -40}).layout
    assert laid.read([615]) == 21.5
    assert laid.write(21.5) == [615]
    assert laid.write(21.52) == [615]


def test_what_the_schema_says_is_enough_where_the_type_is_not_told():
    assert point("integer").layout.type == "xsd:unsignedShort"
    assert point("number", quantity=2).layout.type == "xsd:float"
    assert point("number", quantity=4).layout.type == "xsd:double"
    assert point("integer", quantity=2).layout.type == "xsd:int"
    assert point("boolean").layout.read([1]) is True
    assert point("string", quantity=3).layout.read([0x4142, 0x4300, 0]) == "ABC"
    assert point("string", type="xsd:hexBinary", quantity=2).layout.read([0x0102, 0xFF00]) == "0102FF00"


def test_lists_lie_one_after_the_other():
    kind = {"type": "array", "items": {"type": "integer"}}
    laid = point(kind, type="xsd:int", quantity=4).layout
    assert laid.write([1, -2]) == [0, 1, 0xFFFF, 0xFFFE]
    assert laid.read([0, 1, 0xFFFF, 0xFFFE]) == [1, -2]


@pytest.mark.parametrize("value", ["warm", 70_000, -1, None, [1], 10**400])
def test_what_does_not_fit_is_refused(value):
    with pytest.raises(BusError):
        point(type="xsd:unsignedShort").layout.write(value)


def test_no_number_is_no_value():
    with pytest.raises(BusError):
        point("number", type="xsd:float").layout.read([0x7FC0, 0])


@pytest.mark.parametrize(
    ("said", "member"),
    [
        ({"entity": "Register"}, "modv:entity"),
        ({"type": "xsd:complex"}, "modv:type"),
        ({"type": "xsd:float", "quantity": 3}, "modv:quantity"),
        ({"address": 0}, "modv:address"),
        ({"address": "x"}, "modv:address"),
        ({"address": 65_536, "quantity": 2, "type": "xsd:int"}, "modv:address"),
        ({"quantity": 126, "type": "xsd:string"}, "modv:quantity"),
        ({"timeout": -1}, "modv:timeout"),
        ({"mostSignificantByte": "yes"}, "modv:mostSignificantByte"),
        ({"diat:scale": 0}, "diat:scale"),
        ({"href": "modbus+tcp://127.0.0.1/256"}, "modv:unitID"),
        ({"href": "modbus+tcp://127.0.0.1/1/2/3"}, "href"),
        ({"href": "modbus+tcp://127.0.0.1/1?colour=red"}, "href"),
        ({"op": "writeproperty", "entity": "InputRegister"}, "modv:entity"),
    ],
)
def test_what_is_wrong_with_a_form_is_named(said, member):
    with pytest.raises(WrongForm) as wrong:
        point("number" if "type" in said else "integer", **said)
    assert wrong.value.member == member


def test_addresses_begin_with_one_unless_they_are_said_to_begin_with_zero():
    assert point(address=1).address == 0
    assert point(address=0, zeroBasedAddressing=True).address == 0
    there = point(href="modbus+tcp://127.0.0.1:1502/7/10?quantity=2", type="xsd:int")
    assert (there.port, there.unit, there.address, there.count) == (1502, 7, 9, 2)
