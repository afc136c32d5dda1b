"""What Thing Models take from others: whole models by ``tm:extends``, pieces by ``tm:ref``.

Nothing is fetched: a resolver hands over the models that it has. What refers to itself is refused, and so is
what grows without measure, for a few references to one another can describe a document of any size.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urljoin

from diat.kernel.errors import Invalid
from diat.wot.frozen import one_line, too_deep
from diat.wot.td import merge_patch
from diat.wot.walk import mapping

Json = dict[str, Any]
Resolver = Callable[[str], Json | None]
"""Gives the Thing Model at an address, None if it has none."""

EXTENDS = "tm:extends"
REF = "tm:ref"
MAX_STEPS = 50
"""Models that extend one another, and references that lead on to one another."""
MAX_SIZE = 100_000
"""Values of the outcome."""

_NOT_INHERITED = ("id", "version", "$comment")
"""What a model says of itself alone."""
_UNITED = ("@context", "@type", "tm:optional", "tm:required")


def composed(model: Mapping[str, Any], resolver: Resolver) -> Json:
    """The model with all that it takes from others in it, and no ``tm:extends`` or ``tm:ref`` left.

    Raises:
        Invalid: something that it refers to is missing, is none of its kind, or leads back to itself.
    """
    imports = _Imports(resolver)
    try:
        whole = imports.extended(model, "")
        return dict(imports.referred(whole, whole, "", (), ""))
    except RecursionError:
        raise Invalid("with all that it refers to it is nested too deeply") from None


def extended_links(model: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Index and address of each link to a model that it extends."""
    links = model.get("links")
    for index, link in enumerate(links if isinstance(links, list) else []):
        if mapping(link).get("rel") == EXTENDS and isinstance(link.get("href"), str):
            yield index, link["href"]


def at_pointer(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901).

    Raises:
        LookupError: there is none.
    """
    if pointer and not pointer.startswith("/"):
        raise LookupError(pointer)
    value = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and len(name) < 10:
            value = value[int(name)]
        else:
            raise LookupError(pointer)
    return value


class _Imports:
    """The work of one composition: what is known already, and how much was taken."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: dict[str, Json] = {}
        self._open: set[str] = set()
        self._taken = 0

    def extended(self, model: Mapping[str, Any], address: str) -> Json:
        """The model laid over those that it extends, in the order of their links."""
        whole: Json = {}
        for index, href in extended_links(model):
            field = f"links.{index}.href"
            target = _joined(address, href, field)
            below = self._whole(target, field)
            whole = _over(whole, self.referred(below, below, target, (), field))
        return _over(whole, model)

    def referred(
        self,
        value: Any,
        document: Mapping[str, Any],
        address: str,
        chain: tuple[tuple[str, str], ...],
        where: str,
    ) -> Any:
        """The value with what it refers to in it."""
        self._taken += 1
        if self._taken > MAX_SIZE:
            raise Invalid(f"with all that it refers to it has more than {MAX_SIZE} values", where)
        if isinstance(value, list):
            return [
                self.referred(inner, document, address, chain, _inside(where, index))
                for index, inner in enumerate(value)
            ]
        if not isinstance(value, Mapping):
            return value
        own = {
            name: self.referred(inner, document, address, chain, _inside(where, name))
            for name, inner in value.items()
            if name != REF
        }
        if REF not in value:
            return own
        taken = self._piece(value[REF], document, address, chain, where)
        return merge_patch(taken, own) if own else taken

    def _piece(
        self,
        reference: Any,
        document: Mapping[str, Any],
        address: str,
        chain: tuple[tuple[str, str], ...],
        where: str,
    ) -> Any:
        field = _inside(where, REF)
        file, mark, pointer = reference.partition("#") if isinstance(reference, str) else ("", "", "")
        if not mark:
            raise Invalid("it must be a file, # and a JSON pointer", field)
        target = _joined(address, file, field) if file else address
        step = (target, unquote(pointer))
        if step in chain:
            raise Invalid(one_line(f"{reference} leads back to itself"), field)
        if len(chain) >= MAX_STEPS:
            raise Invalid(f"more than {MAX_STEPS} references lead on to one another", field)
        holder = self._whole(target, field) if file and target != address else document
        try:
            piece = at_pointer(holder, step[1])
        except LookupError:
            raise Invalid(one_line(f"there is nothing at {reference}"), field) from None
        return self.referred(piece, holder, target, (*chain, step), where)

    def _whole(self, address: str, field: str) -> Json:
        """The model at an address, laid over those that it extends."""
        if address in self._known:
            return self._known[address]
        if address in self._open:
            raise Invalid(one_line(f"{address} extends itself, or needs itself for what it extends"), field)
        if len(self._open) >= MAX_STEPS:
            raise Invalid(f"more than {MAX_STEPS} models extend one another", field)
        model = self._resolver(address)
        if not isinstance(model, Mapping):
            raise Invalid(one_line(f"there is no Thing Model {address}"), field)
        if too_deep(model):
            raise Invalid(one_line(f"{address} is nested too deeply"), field)
        self._open.add(address)
        self._known[address] = self.extended(model, address)
        self._open.remove(address)
        return self._known[address]


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Json:
    """What ``above`` says, and what it leaves ``below`` to say."""
    inherited = {name: value for name, value in below.items() if name not in _NOT_INHERITED}
    # A merge patch takes null for removal; a model that is laid over nothing means what it says.
    whole: Json = dict(merge_patch(inherited, above)) if inherited else dict(above)
    for name in _UNITED:
        if name in below and name in above:
            entries = [*_listed(below[name]), *_listed(above[name])]
            whole[name] = list({json.dumps(entry, sort_keys=True): entry for entry in entries}.values())
    links = [*_listed(below.get("links", [])), *_listed(above.get("links", []))]
    whole["links"] = [link for link in links if mapping(link).get("rel") != EXTENDS]
    if not whole["links"]:
        del whole["links"]
    return whole


def _joined(address: str, reference: str, field: str) -> str:
    try:
        return urljoin(address, reference)
    except ValueError:
        raise Invalid(one_line(f"{reference} is no URI"), field) from None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _inside(where: str, step: str | int) -> str:
    return f"{where}.{step}" if where else str(step)
