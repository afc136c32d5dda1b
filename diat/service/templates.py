"""The templates that services can be made from: the shipped ones and people's own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from typing import Any

import msgspec
import yaml
from pydantic import ValidationError

from diat.cvol.template import Template
from diat.kernel.errors import NO_SUCH_FIELD, Conflict, Invalid, NotFound
from diat.kernel.overlay import Ledger, Overlay
from diat.service.unifying import must_be_pattern

LONGEST = 256 * 1024
"""Characters of a template at most: far more than anybody writes, little enough to be read at once."""

DEEPEST = 64
"""Levels of nesting in a template at most."""
_STEEPEST = 4 * DEEPEST
_BRACKETS = re.compile(r"[][{}]")


class Templates:
    """All templates by name; changed by the writer alone, read by any thread."""

    def __init__(self, ledger: Ledger, own: Iterable[Template] = ()) -> None:
        self._shipped = {template.name: template for template in shipped()}
        self._own: Overlay[str, Template] = ledger.overlay("templates", ((t.name, t) for t in own))

    def get(self, name: str) -> Template:
        """A template as the writer sees it.

        Raises:
            NotFound: there is none of this name.
        """
        found = self._own.get(name) or self._shipped.get(name)
        if found is None:
            known = ", ".join(sorted({*self._shipped, *self._own.committed}))
            raise NotFound(f"there is no template {name!r}; known: {known}")
        return found

    def everything(self) -> list[Template]:
        """All committed templates by name; any thread may ask."""
        return sorted([*self._shipped.values(), *self._own.committed.values()], key=lambda each: each.name)

    def in_order(self) -> list[Template]:
        """All templates as the writer sees them: the shipped ones, then people's own, each by name."""
        own = sorted((template for _, template in self._own.items()), key=lambda each: each.name)
        return [*self._shipped.values(), *own]

    def is_shipped(self, name: str) -> bool:
        """Whether it came with the platform."""
        return name in self._shipped

    def add(self, template: Template, *, again: bool = False) -> Template:
        """Take in a template.

        Args:
            template: a new one.
            again: this may be a repeat; one that is there already and equal will do.

        Raises:
            Conflict: there is one of this name already.
        """
        if again and self._own.get(template.name) == template:
            return template
        if template.name in self._shipped or self._own.get(template.name) is not None:
            raise Conflict(f"there is a template {template.name!r} already")
        self._own.put(template.name, template)
        return template

    def remove(self, name: str) -> None:
        """Drop a template of people's own.

        Raises:
            NotFound: there is none of this name.
            Conflict: it came with the platform.
        """
        if name in self._shipped:
            raise Conflict(f"{name!r} came with the platform")
        if self._own.get(name) is None:
            raise NotFound(f"there is no template {name!r}")
        self._own.remove(name)


def shipped() -> list[Template]:
    """The templates that come with the platform."""
    folder = resources.files("diat") / "templates"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return [read_template(file.read_text("utf-8")) for file in files]


def read_template(source: str) -> Template:
    """Read a template from YAML (or JSON, which is YAML).

    Raises:
        Invalid: it is none; ``field`` names the place.
    """
    try:
        template = Template.model_validate(read_yaml(source))
    except RecursionError:
        raise Invalid("nested too deeply") from None
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"]]
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = NO_SUCH_FIELD
        head, colon, rest = message.partition(": ")
        # Our own validators lead with the place below the field that they look at.
        if first["type"] == "value_error" and colon and " " not in head:
            path.append(head)
            message = rest
        raise Invalid(message, ".".join(path)) from None
    for at, pattern in enumerate(template.achieves):
        must_be_pattern(pattern, f"achieves.{at}")
    return template


class _PlainLoader(yaml.SafeLoader):
    """YAML as the plain data that JSON knows: no aliases, and ``on``, ``no`` and dates are words."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            # A few of them, nested, are billions of nodes.
            raise yaml.YAMLError("anchors and aliases are not taken")
        if self._depth >= DEEPEST:
            raise yaml.YAMLError("nested too deeply")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


_PlainLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("int", "float", "null")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _depth(source: str) -> int:
    """How deep brackets lie within one another, those in texts counted too: YAML takes its square in time."""
    deepest = depth = 0
    for bracket in _BRACKETS.findall(source):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def read_yaml(source: str) -> Any:
    """A YAML or JSON text as plain data.

    Raises:
        Invalid: it is none, or too long.
    """
    if len(source) > LONGEST:
        raise Invalid(f"at most {LONGEST} characters are taken")
    if _depth(source) > _STEEPEST:
        raise Invalid("nested too deeply")
    try:
        read = yaml.load(source, _PlainLoader)
        return msgspec.json.decode(msgspec.json.encode(read))
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, OverflowError) as error:
        raise Invalid(f"not YAML that is plain data: {error}"[:300]) from None
