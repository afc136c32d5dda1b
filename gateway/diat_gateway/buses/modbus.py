"""Modbus TCP, described as the W3C WoT Modbus binding does; pymodbus speaks it.

``href`` is ``modbus+tcp://host[:port]/unit[/address][?quantity=n]``; what it does not say, members of the
form do: ``modv:unitID``, ``modv:address``, ``modv:quantity``, ``modv:entity`` or ``modv:function``. Unless
``modv:zeroBasedAddressing`` says otherwise the first register has the address 1, as in the binding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from diat_gateway.buses.networks import Elsewhere, Networks
from diat_gateway.buses.port import BusError, Form, LineError, WrongForm
from diat_gateway.buses.registers import Layout, layout

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

PORT = 502
TIMEOUT = 3_000
LONGEST = 60_000
"""Milliseconds that an answer may take: unless the form says otherwise, and at most."""
_AT_ONCE = {"Coil": 2000, "DiscreteInput": 2000, "HoldingRegister": 125, "InputRegister": 125}
"""What one request may read."""
_BITS = ("Coil", "DiscreteInput")
_FUNCTIONS = {
    "readCoil": "Coil",
    "readDiscreteInput": "DiscreteInput",
    "readHoldingRegisters": "HoldingRegister",
    "readInputRegisters": "InputRegister",
    "writeSingleCoil": "Coil",
    "writeMultipleCoils": "Coil",
    "writeSingleHoldingRegister": "HoldingRegister",
    "writeMultipleHoldingRegisters": "HoldingRegister",
}
_CODES = {1: "readCoil", 2: "readDiscreteInput", 3: "readHoldingRegisters", 4: "readInputRegisters"}
_CODES |= {5: "writeSingleCoil", 6: "writeSingleHoldingRegister", 15: "writeMultipleCoils"}
_CODES |= {16: "writeMultipleHoldingRegisters"}
_REFUSALS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledged, not done yet",
    6: "server device busy",
    8: "memory parity error",
}
_ABSENT = {10: "gateway path unavailable", 11: "gateway target device failed to respond"}
"""Answers of a gateway in the place of a unit that is not there."""


class Register(Struct, frozen=True, kw_only=True):
    """A value in a device: one or more registers or bits that lie together."""

    host: str
    port: int
    unit: int
    entity: str
    address: int
    count: int
    timeout: float
    layout: Layout | None = None
    several: bool = False

    @property
    def line(self) -> tuple[str, int]:
        """The address of its server."""
        return self.host, self.port

    @property
    def end(self) -> int:
        """The address that follows it."""
        return self.address + self.count

    def same(self, wanted: Any, got: Any) -> bool:
        """Whether what was read is what was written, as finely as its registers tell."""
        if self.layout is None:
            return bool(wanted == got)
        try:
            return self.layout.write(wanted) == self.layout.write(got)
        except BusError:
            return False

    def read(self, cells: Sequence[Any]) -> Any:
        """The value that lies in its registers or bits."""
        if self.layout is not None:
            return self.layout.read(cells)
        bits = [bool(each) for each in cells]
        return bits if self.several else bits[0]


class Modbus:
    """A Modbus TCP server, or a gateway to a serial line with many units."""

    schemes: ClassVar[tuple[str, ...]] = ("modbus+tcp",)

    def __init__(self, line: tuple[str, int], networks: Networks) -> None:
        self._host, self._port = line
        self._networks = networks
        self._client: AsyncModbusTcpClient | None = None

    @staticmethod
    def point(form: Form) -> Register:
        """What a form leads to; see ``Bus``."""
        prefix = "modbus" if any(each.startswith("modbus:") for each in form.said) else "modv"
        terms = {name: f"{prefix}:{name}" for name in _TERMS}
        parts, asked, path = _address(form)
        entity = _entity(form, terms)
        if form.op != "readproperty" and entity in ("DiscreteInput", "InputRegister"):
            raise WrongForm(terms["entity"], f"{entity} cannot be written")
        unit = _whole(form, terms["unitID"], path[0] if path else asked.get("unitID"), 1, 0, 255)
        address = _whole(form, terms["address"], path[1] if len(path) > 1 else asked.get("address"), None)
        first = 0 if form.flag(terms["zeroBasedAddressing"], False) else 1
        if address < first:
            raise WrongForm(terms["address"], "the first is 1 unless modv:zeroBasedAddressing is true")
        told = asked.get("quantity", form.said.get(terms["quantity"]))
        quantity = None if told is None else _whole(form, terms["quantity"], told, 1, 1, _AT_ONCE[entity])
        several = entity in _BITS and form.schema.get("type") == "array"
        if entity in _BITS:
            laid, count = None, quantity or 1
            if count > 1 and not several:
                raise WrongForm(terms["quantity"], "several bits are an array")
        else:
            laid = layout(form, terms, quantity)
            count = quantity or laid.words
        if address - first + count > 65_536:
            raise WrongForm(terms["address"], "it goes beyond the last, 65535")
        return Register(
            host=parts[0],
            port=parts[1],
            unit=unit,
            entity=entity,
            address=address - first,
            count=count,
            timeout=form.number(terms["timeout"], TIMEOUT, 10, LONGEST) / 1000,
            layout=laid,
            several=several,
        )

    async def open(self) -> None:
        """Connect; see ``Bus``."""
        # Who has no such device does without the library, and without its memory.
        try:
            from pymodbus.client import AsyncModbusTcpClient
        except ImportError:
            raise LineError("Modbus takes pymodbus: pip install 'diat[buses]'") from None
        await self.close()
        reason = "nobody is there"
        try:
            addresses = await self._networks.addresses(self._host, self._port)
        except (Elsewhere, OSError) as error:
            raise LineError(str(error)) from None
        for address in addresses:
            # How long an answer may take each point says; pymodbus has one time for all.
            client = AsyncModbusTcpClient(
                address, port=self._port, timeout=LONGEST / 1000, retries=0, reconnect_delay=0
            )
            try:
                async with asyncio.timeout(TIMEOUT / 1000):
                    if await client.connect():
                        self._client = client
                        return
            except TimeoutError:
                pass
            finally:
                if self._client is not client:
                    client.close()
            reason = f"{self._host}:{self._port} does not take the connection"
        raise LineError(reason)

    async def poll(self, points: Sequence[Register]) -> Mapping[Register, Any]:
        """Read values, adjacent ones with one request; see ``Bus``."""
        found: dict[Register, Any] = {}
        for group in _groups(points):
            try:
                found |= await self._read(group)
            except LineError:
                raise
            except BusError as error:
                if len(group) == 1:
                    found[group[0]] = error
                    continue
                # One of them is not there: that is no reason to do without the others.
                for each in group:
                    found |= await self._alone(each)
        return found

    async def write(self, point: Register, value: Any) -> Any:
        """Write a value, or 1 for an action that takes none; see ``Bus``."""
        value = True if value is None else value
        if point.layout is None:
            bits = value if isinstance(value, list) else [value]
            if len(bits) != point.count or not all(isinstance(each, bool) for each in bits):
                raise BusError(f"{point.count} times true or false is wanted")
            if point.several:
                await self._ask("write_coils", point, bits)
            else:
                await self._ask("write_coil", point, bits[0])
            return None
        words = point.layout.write(value)
        if len(words) != point.count:
            raise BusError(f"{point.count // point.layout.words} values are wanted")
        if point.count == 1 and not point.several:
            await self._ask("write_register", point, words[0])
        else:
            await self._ask("write_registers", point, words)
        return None

    async def close(self) -> None:
        """Disconnect; see ``Bus``."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _alone(self, point: Register) -> dict[Register, Any]:
        try:
            return await self._read([point])
        except LineError:
            raise
        except BusError as error:
            return {point: error}

    async def _read(self, group: list[Register]) -> dict[Register, Any]:
        start, end = group[0].address, max(each.end for each in group)
        whole = Register(
            host=self._host,
            port=self._port,
            unit=group[0].unit,
            entity=group[0].entity,
            address=start,
            count=end - start,
            timeout=max(each.timeout for each in group),
        )
        answer = await self._ask(_READ[whole.entity], whole)
        cells = answer.bits if whole.entity in _BITS else answer.registers
        if len(cells) < whole.count:
            raise BusError(f"{whole.count} were asked for and {len(cells)} came")
        found: dict[Register, Any] = {}
        for each in group:
            try:
                found[each] = each.read(cells[each.address - start : each.end - start])
            except BusError as error:
                found[each] = error
        return found

    async def _ask(self, how: str, point: Register, *value: Any) -> Any:
        if self._client is None or not self._client.connected:
            raise LineError("the connection is gone")
        from pymodbus.exceptions import ModbusException

        count = {} if value else {"count": point.count}
        request: Callable[..., Any] = getattr(self._client, how)
        try:
            async with asyncio.timeout(point.timeout):
                answer = await request(point.address, *value, device_id=point.unit, **count)
        except TimeoutError:
            # What comes late would be taken for the answer to the next one.
            await self.close()
            raise LineError(f"no answer within {point.timeout:g} s", sent=True) from None
        except (ModbusException, OSError) as error:
            await self.close()
            raise LineError(f"{error}"[:200], sent=True) from None
        if answer.isError():
            code = getattr(answer, "exception_code", 0)
            if code in _ABSENT:
                raise LineError(f"{_ABSENT[code]} (exception {code})")
            raise BusError(f"{_REFUSALS.get(code, 'refused')} (exception {code})")
        return answer


_READ = {
    "Coil": "read_coils",
    "DiscreteInput": "read_discrete_inputs",
    "HoldingRegister": "read_holding_registers",
    "InputRegister": "read_input_registers",
}
_TERMS = (
    "entity",
    "function",
    "unitID",
    "address",
    "quantity",
    "type",
    "timeout",
    "zeroBasedAddressing",
    "mostSignificantByte",
    "mostSignificantWord",
)


def _groups(points: Sequence[Register]) -> Iterator[list[Register]]:
    """Points that one request reads: of one unit and kind, each beginning where another ends or before."""
    ordered = sorted(set(points), key=lambda each: (each.unit, each.entity, each.address, each.count))
    group: list[Register] = []
    end = 0
    for each in ordered:
        if group:
            first = group[0]
            together = (each.unit, each.entity) == (first.unit, first.entity) and each.address <= end
            if not together or max(end, each.end) - first.address > _AT_ONCE[each.entity]:
                yield group
                group, end = [], 0
        group.append(each)
        end = max(end, each.end)
    if group:
        yield group


def _address(form: Form) -> tuple[tuple[str, int], dict[str, str], list[str]]:
    parts = urlsplit(form.href)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = asked.keys() - {"quantity", "address", "unitID"}
    if unknown:
        raise WrongForm("href", f"{sorted(unknown)[0]!r} means nothing here")
    path = [each for each in parts.path.split("/") if each]
    if len(path) > 2:
        raise WrongForm("href", "the path is /unit or /unit/address")
    return (parts.hostname or "", parts.port or PORT), asked, path


def _entity(form: Form, terms: Mapping[str, str]) -> str:
    entity = form.text(terms["entity"])
    if entity:
        if entity not in _AT_ONCE:
            raise WrongForm(terms["entity"], f"{entity!r} is none of {', '.join(_AT_ONCE)}")
        return entity
    function = form.said.get(terms["function"])
    if function is None:
        raise WrongForm(terms["entity"], "say which kind of register it is")
    name = _CODES.get(function, "") if isinstance(function, int) else str(function)
    if name not in _FUNCTIONS:
        raise WrongForm(terms["function"], f"{function!r} is none of {', '.join(_FUNCTIONS)}")
    if name.startswith("write") is (form.op == "readproperty"):
        raise WrongForm(terms["function"], f"{name} is not for {form.op}")
    return _FUNCTIONS[name]


def _whole(
    form: Form, member: str, told: Any, default: int | None, least: int = 0, most: int = 65_536
) -> int:
    """A whole number, from the address if that says it, else from the form."""
    said = told if told is not None else form.said.get(member, default)
    if isinstance(said, str) and said.isascii() and said.isdigit():
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int) or not least <= said <= most:
        raise WrongForm(member, f"a whole number from {least} to {most} is wanted")
    return said
