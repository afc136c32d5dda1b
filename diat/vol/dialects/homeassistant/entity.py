"""One component of an announcement: typed access to its config."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from diat.vol.dialects.jinja.templates import Template, compile_template
from diat.vol.dialects.words import Unfit, as_text, is_topic, quoted, word

STATE_NAMES = frozenset({"value", "value_json"})
"""What templates of state messages may ask for."""
COMMAND_NAMES = frozenset({"value"})
"""What templates of commands may ask for."""

RAW = ""
"""The encoding of messages that are not text."""
MAX_CHOICES = 1_000

_ENCODINGS = frozenset(
    {RAW, "utf-8", "utf8", "ascii", "us-ascii", "latin-1", "iso-8859-1", "utf-16", "windows-1252"}
)


class Entity(Struct, frozen=True, kw_only=True):
    """A component of an announcement.

    Attributes:
        topic: where it was announced.
        component: its kind, such as ``sensor``.
        object_id: its id in the topic, or its key in the device form.
        config: what was announced, written out.
        device_name: the name of the device that it is of.
        doubts: notes on its templates, which come up as these are compiled.

    Methods that read a key raise ``Unfit`` if what stands there cannot be used, and answer None or the
    default if nothing stands there.
    """

    topic: str
    component: str
    object_id: str
    config: dict[str, Any]
    device_name: str | None = None
    doubts: list[str] = []

    @property
    def label(self) -> str:
        """How notes name it."""
        return f"{self.component} {quoted(self.object_id)}"

    @property
    def title(self) -> str:
        """Its name for people; an entity with ``"name": null`` is the main one and goes by the device's."""
        if name := word(self.config.get("name")):
            return name
        if "name" in self.config and self.device_name:
            return self.device_name
        words = word(self.config.get("device_class")) or self.object_id
        return words.replace("_", " ").capitalize()

    @property
    def entity_id(self) -> str:
        """The id that its templates may ask for: what Home Assistant would call it."""
        return self.word("default_entity_id") or f"{self.component}.{self.object_id}".lower()

    def word(self, key: str) -> str | None:
        """A name or an id."""
        return word(self.config.get(key))

    def text(self, key: str, default: str = "") -> str:
        """Text as it stands."""
        value = self.config.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise Unfit(f"{key} must be text, not {quoted(value)}")
        return value

    def number(self, key: str) -> int | float | None:
        """A finite number, also one written as text."""
        value = self.config.get(key)
        if value is None:
            return None
        try:
            number = float(value) if isinstance(value, str | int) and not isinstance(value, bool) else value
        except (ValueError, OverflowError):
            number = None
        if not isinstance(number, float) or not math.isfinite(number):
            raise Unfit(f"{key} must be a number, not {quoted(value)}")
        return int(number) if number.is_integer() else number

    def seconds(self, key: str) -> int | float | None:
        """A number of seconds above 0; None if there is none that can be used."""
        try:
            seconds = self.number(key)
        except Unfit:
            return None
        return seconds if seconds is not None and seconds > 0 else None

    def words(self, key: str) -> list[str] | None:
        """A list of choices, each once; one that stands by itself is a list too."""
        value = self.config.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            raise Unfit(f"{key} must be a list, not {quoted(value)}")
        if len(value) > MAX_CHOICES:
            raise Unfit(f"{key} lists more than {MAX_CHOICES}")
        return list(dict.fromkeys(as_text(one) for one in value))

    def state_topic(self, key: str) -> str | None:
        """A topic to listen to, without wildcards."""
        return self._topic(key)

    def command_topic(self, key: str) -> str | None:
        """A topic to publish on."""
        return self._topic(key)

    def template(
        self, *keys: str, names: frozenset[str] = STATE_NAMES, known: Mapping[str, Any] | None = None
    ) -> Template | None:
        """The compiled template that stands under the first of these keys that is there.

        Args:
            keys: where it may stand.
            names: the variables that each message, or each command, brings.
            known: those that are the same for all of them, beside the entity's own name and id.
        """
        for key in keys:
            if source := self.text(key):
                template = compile_template(source)
                own = {"entity_id": self.entity_id, "name": self.title, **(known or {})}
                if unknown := template.unknown(names | own.keys()):
                    self.doubts.append(
                        f"{key} asks for {quoted(unknown[0])}, which is not known here: where it needs that, "
                        "it says nothing"
                    )
                return template.knowing(names, own)
        return None

    @property
    def encoding(self) -> str:
        """In which its messages are written."""
        encoding = self.text("encoding", "utf-8").lower()
        if encoding not in _ENCODINGS:
            raise Unfit(f"the encoding {quoted(encoding)} is not understood")
        return encoding

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Whether it says so."""
        value = self.config.get(key)
        return value if isinstance(value, bool) else default

    @property
    def qos(self) -> int:
        """For commands: what is asked for, at least 1."""
        qos = self.config.get("qos")
        return 2 if qos == 2 else 1

    @property
    def retain(self) -> bool:
        """Whether commands are to be retained."""
        return self.config.get("retain") is True

    def _topic(self, key: str) -> str | None:
        value = self.config.get(key)
        if value is None:
            return None
        if not is_topic(value):
            raise Unfit(f"{key} {quoted(value)} is not a topic that messages can be on")
        return str(value)
