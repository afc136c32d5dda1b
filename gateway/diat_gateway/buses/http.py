"""Devices with an HTTP interface of their own, asked again and again; httpx speaks it.

A form has ``href`` and, where they are not the usual ones, ``htv:methodName`` and ``contentType``
(``application/json`` or ``text/plain``). ``diat:pointer`` (RFC 6901) says where in a JSON document the value
is: of the answer when it is read, of the body when it is written. Properties with the same address are read
with one request. Redirects are not followed, no proxy is used, and an answer has 1 MiB at most.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from msgspec import Struct

from diat.kernel.lazy import Lazy
from diat.wire.envelope import Garbled, read_json
from diat_gateway.buses.networks import Elsewhere, Networks
from diat_gateway.buses.port import BusError, Form, LineError, WrongForm

if TYPE_CHECKING:
    import httpx
    import jsonpath
else:
    httpx = Lazy("httpx")
    jsonpath = Lazy("jsonpath")

TIMEOUT = 5_000
"""Milliseconds that an answer may take, unless the form says otherwise."""
LARGEST = 1024 * 1024
"""Bytes of an answer at most."""
_USUAL = {"readproperty": "GET", "writeproperty": "PUT", "invokeaction": "POST"}
_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
_KINDS = {"application/json": True, "text/plain": False}


class Resource(Struct, frozen=True, kw_only=True):
    """A value behind an address.

    Attributes:
        url: what to ask.
        method: how.
        json: whether the body is JSON, not plain text.
        pointer: where in the document the value is; empty if it is all of it.
        type: of the value, as its data schema says; "" if it does not.
        scale: what a number is multiplied by.
        offset: what is added to that.
        timeout: seconds that an answer may take.
    """

    url: str
    method: str
    json: bool
    pointer: str
    type: str
    scale: float
    offset: float
    timeout: float

    @property
    def line(self) -> tuple[str, str]:
        """Scheme and server."""
        parts = urlsplit(self.url)
        return parts.scheme, parts.netloc

    def read(self, body: bytes) -> Any:
        """The value in an answer.

        Raises:
            BusError: there is none.
        """
        if not self.json:
            return _typed(body.decode("utf-8", "replace").strip(), self.type, self.scale, self.offset)
        document = read_json(body)
        if isinstance(document, Garbled):
            raise BusError(f"the answer is not JSON: {document.reason}"[:200])
        value = _at(document, self.pointer)
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if numeric and (self.scale != 1 or self.offset != 0):
            value = float(f"{value * self.scale + self.offset:.12g}")
        if isinstance(value, float) and self.type == "integer" and value.is_integer():
            return int(value)
        return value

    def same(self, wanted: Any, got: Any) -> bool:
        """Whether what was read is what was written."""
        if isinstance(wanted, int | float) and isinstance(got, int | float):
            return math.isclose(wanted, got, rel_tol=1e-6, abs_tol=1e-9)
        return bool(wanted == got)

    def body(self, value: Any) -> bytes:
        """What to send to write a value."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            raw = (value - self.offset) / self.scale if self.scale != 1 or self.offset != 0 else value
            value = int(raw) if isinstance(raw, float) and raw.is_integer() else raw
        if not self.json:
            return (value if isinstance(value, str) else json.dumps(value)).encode()
        for name in reversed(jsonpath.JSONPointer(self.pointer).parts):
            value = {name: value}
        return json.dumps(value).encode()


class Http:
    """An HTTP server."""

    schemes: ClassVar[tuple[str, ...]] = ("http", "https")

    def __init__(self, line: tuple[str, str], networks: Networks) -> None:
        self._scheme, self._host = line[0], urlsplit(f"//{line[1]}").hostname or ""
        self._port = urlsplit(f"//{line[1]}").port or (443 if self._scheme == "https" else 80)
        self._networks = networks
        self._client: httpx.AsyncClient | None = None
        self._address = ""

    @staticmethod
    def point(form: Form) -> Resource:
        """What a form leads to; see ``Bus``."""
        method = form.text("htv:methodName", _USUAL[form.op]).upper()
        if method not in _METHODS or (form.op == "readproperty" and method not in ("GET", "POST")):
            raise WrongForm("htv:methodName", f"{method[:20]!r} is not for {form.op}")
        kind = form.text("contentType", "application/json").partition(";")[0].strip().lower()
        if kind not in _KINDS and not kind.endswith("+json"):
            raise WrongForm("contentType", f"{kind[:100]!r} is not application/json nor text/plain")
        pointer = form.text("diat:pointer")
        if pointer and pointer[0] != "/":
            raise WrongForm("diat:pointer", "a JSON pointer is wanted, as /sensors/0/value")
        if "{" in form.href:
            raise WrongForm("href", "variables in the address are not filled in")
        told = form.schema.get("type")
        scale = form.number("diat:scale", 1.0, -1e12, 1e12)
        if scale == 0:
            raise WrongForm("diat:scale", "0 makes all values one")
        return Resource(
            url=form.href,
            method=method,
            json=_KINDS.get(kind, True),
            pointer=pointer,
            type=told if isinstance(told, str) else "",
            scale=scale,
            offset=form.number("diat:offset", 0.0, -1e12, 1e12),
            timeout=form.number("diat:timeout", TIMEOUT, 10, 60_000) / 1000,
        )

    async def open(self) -> None:
        """Look the server up, and check that it is in the house; see ``Bus``."""
        await self.close()
        try:
            self._address = (await self._networks.addresses(self._host, self._port))[0]
        except (Elsewhere, OSError) as error:
            raise LineError(str(error)) from None
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False)

    async def poll(self, points: Sequence[Resource]) -> Mapping[Resource, Any]:
        """Read values, those at the same address with one request; see ``Bus``."""
        together: dict[tuple[str, str], list[Resource]] = {}
        for each in points:
            together.setdefault((each.method, each.url), []).append(each)
        found: dict[Resource, Any] = {}
        for group in together.values():
            try:
                body = await self._ask(group[0], None)
            except LineError:
                raise
            except BusError as error:
                found |= dict.fromkeys(group, error)
                continue
            for each in group:
                try:
                    found[each] = each.read(body)
                except BusError as error:
                    found[each] = error
        return found

    async def write(self, point: Resource, value: Any) -> Any:
        """Send a value; what was answered, if it is JSON; see ``Bus``."""
        body = None if value is None else point.body(value)
        answer = read_json(await self._ask(point, body))
        return None if isinstance(answer, Garbled) else answer

    async def close(self) -> None:
        """Disconnect; see ``Bus``."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ask(self, point: Resource, body: bytes | None) -> bytes:
        if self._client is None:
            raise LineError("it is closed")
        url = httpx.URL(point.url)
        headers = {"Host": url.netloc.decode("ascii"), "User-Agent": "diat"}
        if body is not None:
            headers["Content-Type"] = "application/json" if point.json else "text/plain; charset=utf-8"
        request = self._client.build_request(
            point.method,
            url.copy_with(host=self._address),
            content=body,
            headers=headers,
            timeout=point.timeout,
            extensions={"sni_hostname": url.host} if url.scheme == "https" else {},
        )
        try:
            # httpx counts the time of each step: who sends a byte now and then would never be done.
            async with asyncio.timeout(point.timeout):
                answer = await self._client.send(request, stream=True)
                try:
                    told = await _limited(answer)
                finally:
                    await answer.aclose()
        except httpx.ConnectError as error:
            raise LineError(f"it does not take the connection: {error}"[:200]) from None
        except (TimeoutError, httpx.TimeoutException):
            raise LineError(f"no answer within {point.timeout:g} s", sent=True) from None
        except (httpx.HTTPError, OSError) as error:
            raise LineError(f"{type(error).__name__}: {error}"[:200], sent=True) from None
        if not answer.is_success:
            raise BusError(f"it answered {answer.status_code}")
        return told


async def _limited(answer: httpx.Response) -> bytes:
    """The body, if it is not too long."""
    told = bytearray()
    async for some in answer.aiter_bytes():
        told += some
        if len(told) > LARGEST:
            raise BusError(f"the answer is longer than {LARGEST} bytes")
    return bytes(told)


def _at(document: Any, pointer: str) -> Any:
    try:
        return jsonpath.JSONPointer(pointer).resolve(document)
    except jsonpath.JSONPointerError:
        raise BusError(f"the answer has nothing at {pointer[:200]}") from None


def _typed(text: str, kind: str, scale: float, offset: float) -> Any:
    """Plain text as the type that the schema says."""
    if kind == "boolean":
        known = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
        if text.lower() not in known:
            raise BusError(f"{text[:100]!r} is neither true nor false")
        return known[text.lower()]
    if kind in ("number", "integer"):
        try:
            number = float(text) * scale + offset
        except ValueError:
            raise BusError(f"{text[:100]!r} is no number") from None
        if not math.isfinite(number):
            raise BusError(f"{text[:100]!r} is no number")
        number = float(f"{number:.12g}")
        return int(number) if kind == "integer" and number.is_integer() else number
    return text
