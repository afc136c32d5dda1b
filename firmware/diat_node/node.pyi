"""Types for editors and checkers; the chip does not carry them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Json = Any

class Property:
    name: str
    schema: dict[str, Json]
    rule: Any
    def __init__(
        self,
        name: str,
        schema: dict[str, Json],
        read: Callable[[], Json | Awaitable[Json]] | None,
        write: Callable[[Any], Json | Awaitable[Json]] | None,
        every: float,
    ) -> None: ...

class Action:
    def __init__(
        self, name: str, do: Callable[..., Json | Awaitable[Json]], schema: dict[str, Json]
    ) -> None: ...

class Node:
    thing: str | None
    properties: dict[str, Property]
    actions: dict[str, Action]
    events: dict[str, Mapping[str, Json]]
    when_started: list[Callable[[], Awaitable[None]]]
    when_well: list[Callable[[], Any]]
    def __init__(
        self, thing: str | None = None, title: str | None = None, place: str | None = None, **more: Json
    ) -> None: ...
    def property(
        self,
        name: str,
        read: Callable[[], Json | Awaitable[Json]] | None = None,
        write: Callable[[Any], Json | Awaitable[Json]] | None = None,
        type: str = "number",
        unit: str | None = None,
        quantity: str | None = None,
        every: float = 10,
        affects: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        **schema: Json,
    ) -> None: ...
    def action(
        self,
        name: str,
        do: Callable[..., Json | Awaitable[Json]] | None = None,
        input: Mapping[str, Json] | None = None,
        output: Mapping[str, Json] | None = None,
        idempotent: bool = False,
        safe: bool = False,
        **more: Json,
    ) -> Callable[..., Any]: ...
    def event(
        self, name: str, data: Mapping[str, Json] | None = None, **more: Json
    ) -> Callable[..., int | None]: ...
    def report(self, **values: Json) -> None: ...
    def td(self) -> dict[str, Json]: ...
    def run(self, config: Mapping[str, Any] | None = None) -> None: ...
