"""``/.well-known/wot``: the platform introduces itself, as the Thing Description Directory that it is.

The affordances are those of the directory's Thing Model in W3C WoT Discovery.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from diat.api.access import for_roles
from diat.api.directory import MERGE_PATCH, TD
from diat.api.forms import BEARER
from diat.api.listing import JSON_LD
from diat.api.ports import StrictRoute, ThePlatform, base_url
from diat.wot.registration import DISCOVERY
from diat.wot.td import CONTEXT

router = APIRouter(tags=["directory"], route_class=StrictRoute)
Json = dict[str, Any]
PATH = "/.well-known/wot"

_PROBLEM = "application/problem+json"
_ID = {"id": {"@type": "ThingID", "title": "Id of the thing", "type": "string", "format": "iri-reference"}}
_SAFE = {"safe": True, "idempotent": True}
_PAGE = {
    "offset": {"title": "How many to leave out first", "type": "integer", "minimum": 0, "default": 0},
    "limit": {"title": "How many at most", "type": "integer", "minimum": 1, "maximum": 1000},
    "format": {"type": "string", "enum": ["array", "collection"], "default": "array"},
    "sort_by": {"type": "string", "enum": ["id", "title", "created", "modified", "diat:place"]},
    "sort_order": {"type": "string", "enum": ["asc", "desc"]},
    "quantity": {"title": "Quantity kind", "type": "string"},
    "place": {"title": "Path of a place; what lies inside counts", "type": "string"},
    "capability": {"type": "string", "enum": ["read", "write", "increase", "decrease", "switch"]},
}


@router.get(
    PATH,
    summary="The Thing Description of the platform itself",
    response_class=Response,
    dependencies=[for_roles()],
    responses={200: {"content": {TD: {"schema": {"type": "object"}}}}},
)
def introduce(request: Request, platform: ThePlatform) -> Response:
    """The Thing Description of the directory, by which everything else is found."""
    return JSONResponse(introduction(base_url(request), platform.name, lan=platform.lan), media_type=TD)


def introduction(base: str, name: str, *, lan: bool = False) -> Json:
    """The directory as a thing.

    Args:
        base: the address that the client reached the platform by.
        name: what the platform is called among others.
        lan: whether the platform asks for a credential.
    """
    return {
        "@context": [CONTEXT, DISCOVERY],
        "@type": "ThingDirectory",
        "id": f"urn:diat:platform:{name}",
        "title": "DIAT Thing Description Directory",
        "description": "All virtual objects and composites of this platform, each used by its own forms.",
        "base": f"{base}/",
        "securityDefinitions": {"bearer_sc": BEARER} if lan else {"nosec_sc": {"scheme": "nosec"}},
        "security": "bearer_sc" if lan else "nosec_sc",
        "links": [
            {"rel": "service-desc", "href": "openapi.json", "type": "application/json"},
            {"rel": "service-doc", "href": "docs", "type": "text/html"},
        ],
        "properties": {"things": _listing()},
        "actions": _actions(),
        "events": {
            "thingCreated": _event("thing_created", "The whole description of what came"),
            "thingUpdated": _event("thing_updated", "A merge patch of what changed"),
            "thingDeleted": _event("thing_deleted", ""),
        },
    }


def _listing() -> Json:
    form = _form(f"things{{?{','.join(_PAGE)}}}", "GET", 200, JSON_LD) | {"op": ["readproperty"]}
    return {
        "description": "All Thing Descriptions, or those found by meaning",
        "readOnly": True,
        "oneOf": [
            {"type": "array", "items": {"type": "object"}},
            {"type": "object", "properties": {"members": {"type": "array", "items": {"type": "object"}}}},
        ],
        "uriVariables": _PAGE,
        "forms": [form],
    }


def _actions() -> Json:
    td: Json = {"input": {"type": "object"}}
    one: Json = {"uriVariables": _ID}
    put = {**td, **one, "idempotent": True}
    return {
        "createAnonymousThing": {**td, "forms": [_form("things", "POST", 201, "", TD)]},
        "createThing": {**put, "forms": [_form("things/{id}", "PUT", 201, "", TD)]},
        "retrieveThing": {
            **one,
            **_SAFE,
            "output": {"type": "object"},
            "forms": [_form("things/{id}", "GET", 200, TD)],
        },
        "updateThing": {**put, "forms": [_form("things/{id}", "PUT", 204, "", TD)]},
        "partiallyUpdateThing": {**td, **one, "forms": [_form("things/{id}", "PATCH", 204, "", MERGE_PATCH)]},
        "deleteThing": {**one, "idempotent": True, "forms": [_form("things/{id}", "DELETE", 204, "")]},
        "searchJSONPath": {
            **_SAFE,
            "description": "What a JSONPath (RFC 9535) selects from the array of all Thing Descriptions",
            "uriVariables": {"query": {"title": "JSONPath", "type": "string"}},
            "output": {"type": "array"},
            "forms": [_form("search/jsonpath{?query}", "GET", 200, "application/json")],
        },
    }


def _form(href: str, method: str, status: int, answers: str, takes: str = "application/json") -> Json:
    response: Json = {"htv:statusCodeValue": status}
    return {
        "href": href,
        "op": ["invokeaction"],
        "htv:methodName": method,
        "contentType": takes,
        "response": {**response, "contentType": answers or takes},
        "additionalResponses": [{"success": False, "contentType": _PROBLEM}],
    }


def _event(kind: str, diff: str) -> Json:
    wanted = {"diff": {"description": diff, "type": "boolean"}} if diff else {}
    return {
        "data": {"title": "At least the id of the thing", "type": "object"},
        **({"uriVariables": wanted} if wanted else {}),
        "forms": [
            {
                "href": f"events/{kind}{'{?diff}' if diff else ''}",
                "op": ["subscribeevent", "unsubscribeevent"],
                "subprotocol": "sse",
                "contentType": "application/json",
            }
        ],
    }
