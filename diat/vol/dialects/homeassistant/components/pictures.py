"""``camera`` and ``image``: that a picture came, of which kind and size; or where one is to be had.

The picture itself is neither a value to compare nor one to keep in a history, so it is told by its digest.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from msgspec import Struct

from diat.vol.dialects.homeassistant.entity import RAW, Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, source, told
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.messages import Message, Value, some_text
from diat.vol.dialects.words import Unfit, quoted

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "contentType": {"type": "string"},
        "size": {"type": "integer", "minimum": 1, "unit": "By"},
        "sha256": {"type": "string", "minLength": 64, "maxLength": 64},
    },
    "required": ["contentType", "size", "sha256"],
}
# How files of these kinds begin, and what stands further on in those that begin with their own length.
_BEGINNINGS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
    b"<svg": "image/svg+xml",
}
_FURTHER_ON = {(8, b"WEBP"): "image/webp", (4, b"ftypavif"): "image/avif", (4, b"ftypheic"): "image/heic"}


class _Picture(Struct, frozen=True):
    """What a message says of the picture in it."""

    encoded: bool
    usual: str

    def __call__(self, message: Message) -> Value:
        """Read."""
        picture = message.raw if message.raw is not None else message.text.encode()
        if self.encoded:
            try:
                picture = base64.b64decode(b"".join(picture.split()), validate=True)
            except binascii.Error:
                raise Unfit(f"{quoted(picture)} is not base64") from None
            if not picture:
                raise Unfit("the picture is empty")
        return {
            "contentType": content_type(picture) or self.usual,
            "size": len(picture),
            "sha256": hashlib.sha256(picture).hexdigest(),
        }


def content_type(picture: bytes) -> str | None:
    """Of which kind a picture is, as its first bytes say."""
    for beginning, kind in _BEGINNINGS.items():
        if picture.startswith(beginning):
            return kind
    for (place, sign), kind in _FURTHER_ON.items():
        if picture.startswith(sign, place):
            return kind
    return None


def _picture(entity: Entity, topic_key: str) -> Facet | None:
    topic = entity.state_topic(topic_key)
    if topic is None:
        return None
    encoded = entity.word("image_encoding") == "b64"
    usual = entity.word("content_type") or ("image/jpeg" if topic_key == "image_topic" else "")
    read = _Picture(encoded, usual or "application/octet-stream")
    return Facet(schema=_SCHEMA, source=Source(topic, read, RAW))


def _camera(entity: Entity) -> Facet | None:
    return _picture(entity, "topic")


def _image(entity: Entity) -> Facet | None:
    return _picture(entity, "image_topic")


def _url(entity: Entity) -> Facet | None:
    values = source(entity, "url_topic", some_text, "url_template")
    return told(Facet(word="url", schema={"type": "string", "format": "uri"}, source=values))


CAMERA: tuple[FacetMaker, ...] = (_camera,)
IMAGE: tuple[FacetMaker, ...] = (_image, _url)
