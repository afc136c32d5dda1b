"""YAML as plain data, within bounds: what people write templates and policies in."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

from diat.kernel.errors import Invalid

LONGEST = 256 * 1024
"""Characters of a template at most: far more than anybody writes, little enough to be read at once."""

DEEPEST = 64
"""Levels of nesting in a template at most."""
_STEEPEST = 4 * DEEPEST
_BRACKETS = re.compile(r"[][{}]")


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
