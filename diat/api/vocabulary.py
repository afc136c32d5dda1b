"""``/vocab``: the terms that we add to Thing Descriptions, as JSON-LD and as a page for people."""

from __future__ import annotations

import json
from functools import lru_cache
from html import escape
from importlib import resources
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from starlette.exceptions import HTTPException

from diat.api.access import for_roles

router = APIRouter(tags=["operation"])
JSON_LD = "application/ld+json"
HTML = "text/html"
_ANSWERS = {
    JSON_LD: JSON_LD,
    "application/json": "application/json",
    HTML: HTML,
    "application/*": JSON_LD,
    "text/*": HTML,
    "*/*": JSON_LD,
}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Vocabulary of DIAT</title>
<style>body {{ font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
td {{ vertical-align: top; padding: .2em 1em .2em 0 }}</style>
<h1>Vocabulary of DIAT</h1>
<p>Terms that Thing Descriptions use beside those of the W3C: <code>diat:</code> is
<code>urn:diat:vocab#</code>. Machines get the same here as JSON-LD.</p>
{models}
</html>
"""


@router.get(
    "/vocab",
    summary="Our terms as a JSON-LD context",
    response_class=Response,
    dependencies=[for_roles()],
    responses={
        200: {"content": {JSON_LD: {"schema": {"type": "object"}}, HTML: {"schema": {"type": "string"}}}}
    },
)
def vocabulary(accept: Annotated[str | None, Header(include_in_schema=False)] = None) -> Response:
    """The terms by the five models of DIAT: a JSON-LD document that is a context, or a page for a browser."""
    for part in (accept or "*/*").split(","):
        media_type = _ANSWERS.get(part.partition(";")[0].strip().lower())
        if media_type is not None:
            body = _page() if media_type == HTML else _document()
            return Response(body, media_type=media_type, headers={"Vary": "Accept"})
    raise HTTPException(406, f"the vocabulary comes as {JSON_LD} or {HTML}")


@lru_cache(maxsize=1)
def _document() -> bytes:
    return (resources.files("diat") / "wot" / "context.jsonld").read_bytes()


@lru_cache(maxsize=1)
def _page() -> bytes:
    nodes: list[dict[str, Any]] = json.loads(_document())["@graph"]
    parts = []
    for model in nodes:
        if "rdfs:isDefinedBy" in model:
            continue
        rows = "".join(
            f'<tr id="{escape(node["@id"].partition(":")[2])}"><td><code>{escape(node["@id"])}</code></td>'
            f"<td>{escape(node['rdfs:comment'])}</td></tr>\n"
            for node in nodes
            if node.get("rdfs:isDefinedBy", {}).get("@id") == model["@id"]
        )
        heading = escape(f"{model['rdfs:label']}: {model['rdfs:comment']}")
        parts.append(f"<h2>{heading}</h2>\n<table>\n{rows}</table>")
    return _PAGE.format(models="\n".join(parts)).encode()
