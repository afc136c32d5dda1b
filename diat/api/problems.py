"""Errors as ``application/problem+json`` (RFC 9457): a stable ``type``, a ``detail``, the ``field``."""

from __future__ import annotations

import math
import time
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from diat.api.deed import DEED
from diat.kernel.errors import (
    NO_SUCH_FIELD,
    Busy,
    Conflict,
    DiatError,
    Forbidden,
    Inconvertible,
    Invalid,
    InvalidDocument,
    NotFound,
    Refused,
    Stale,
    TooSoon,
    Unauthenticated,
    Unavailable,
)

_TITLES = {
    "bad-request": "The request cannot be read",
    "unauthenticated": "Say who you are",
    "forbidden": "You may not do this",
    "csrf": "It does not come from a page of ours",
    "too-many": "Come again later",
    "origin": "Pages from elsewhere may not call this platform",
    "not-found": "There is no such thing, service, template or command",
    "media-type": "That kind of document is not taken here",
    "not-implemented": "This is not offered here",
    "method-not-allowed": "This path does not take that method",
    "conflict": "It contradicts something that is there",
    "stale": "Somebody else changed it meanwhile",
    "too-large": "The body is too large",
    "host": "This platform does not go by that name",
    "invalid": "A value is wrong",
    "unit": "The values do not come in that unit",
    "refused": "It cannot be done as it stands",
    "actuation": "The thing did not do as it was told",
    "unavailable": "It may succeed later",
    "internal": "An error of ours",
}
"""Last segment of the ``type`` to what it means; part of the contract."""
_KINDS = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "media-type",
    429: "too-many",
    501: "not-implemented",
}

SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What every error answers (RFC 9457)",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [f"urn:diat:problem:{kind}" for kind in _TITLES]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "Dotted path of the value that is wrong"},
        "validationErrors": {
            "type": "array",
            "description": "Of a Thing Description or a query: every place that is wrong",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "description": {"type": "string"}},
            },
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
PROBLEM: dict[str, Any] = {
    "description": "A problem document",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

_STATUS: tuple[tuple[type[DiatError], int, str], ...] = (
    (NotFound, 404, "not-found"),
    (Busy, 503, "unavailable"),
    (Conflict, 409, "conflict"),
    (Stale, 412, "stale"),
    (Unauthenticated, 401, "unauthenticated"),
    (Forbidden, 403, "forbidden"),
    (Inconvertible, 400, "unit"),
    (InvalidDocument, 400, "invalid"),
    (Invalid, 422, "invalid"),
    (Refused, 422, "refused"),
    (Unavailable, 503, "unavailable"),
    (DiatError, 500, "internal"),
)


def problem(status: int, kind: str, detail: str, **more: Any) -> JSONResponse:
    """A problem document.

    Args:
        status: HTTP status.
        kind: last segment of the ``type``; stable.
        detail: one line for a person.
        more: further members, such as ``field``.
    """
    body = {
        "type": f"urn:diat:problem:{kind}",
        "title": _TITLES[kind],
        "status": status,
        "detail": detail,
        **{key: value for key, value in more.items() if value},
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def slower(wait: float, detail: str) -> JSONResponse:
    """429: come again after so many seconds."""
    answer = problem(429, "too-many", detail)
    answer.headers["Retry-After"] = str(max(1, math.ceil(wait)))
    return answer


def install(app: FastAPI) -> None:
    """Answer every error of ours, of FastAPI and of Starlette as a problem document."""
    app.add_exception_handler(DiatError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _tell(request: Request, error: Exception) -> None:
    """Put into the audit who was refused what; who may not know of something is refused it all the same."""
    why = error.__cause__ if isinstance(error.__cause__, Forbidden) else error
    deed = DEED.get()
    if deed is not None and isinstance(why, Forbidden | Unauthenticated):
        policies = why.policies if isinstance(why, Forbidden) else ()
        request.app.state.platform.audit.tell(
            deed.who, deed.did, "denied", why=str(why)[:500], policies=policies, **deed.more
        )


async def _ours(request: Request, error: Exception) -> JSONResponse:
    _tell(request, error)
    status, kind = next((code, kind) for known, code, kind in _STATUS if isinstance(error, known))
    faults = error.faults if isinstance(error, InvalidDocument) else ()
    wrong = [{"field": field or "(root)", "description": text} for field, text in faults]
    answer = problem(status, kind, str(error), field=getattr(error, "field", ""), validationErrors=wrong)
    if isinstance(error, TooSoon):
        wait = error.until - time.time_ns() // 1_000_000
        answer.headers["Retry-After"] = str(max(1, math.ceil(wait / 1000)))
    elif isinstance(error, Busy):
        answer.headers["Retry-After"] = "1"
    return answer


async def _validation(_: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    named = [_fault(fault) for fault in faults]
    detail = "; ".join(
        f"{each['field']}: {each['message']}" if each["field"] else each["message"] for each in named
    )
    return problem(422, "invalid", detail[:500], field=named[0]["field"] if named else "", errors=named)


def _fault(fault: dict[str, Any]) -> dict[str, str]:
    if fault["type"] == "json_invalid":
        return {"field": "", "message": f"the body is not JSON: {fault['ctx']['error']}"}
    if fault["loc"] == ("body",) and fault["type"] not in ("missing", "value_error"):
        return {"field": "", "message": "a JSON object is wanted, sent as Content-Type: application/json"}
    *path, last = (str(part) for part in fault["loc"][1:]) if len(fault["loc"]) > 1 else ("",)
    # The names of our own types, which pydantic puts into the path of a union, are nobody's business.
    path = [part for part in path if not part[:1].isupper()]
    known = {"extra_forbidden": NO_SUCH_FIELD, "model_attributes_type": "an object is wanted"}
    message = known.get(fault["type"], fault["msg"])
    return {"field": ".".join([*path, "" if "[" in last else last]).strip("."), "message": message}


async def _http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    response = problem(status, _KINDS.get(status, "internal" if status >= 500 else "refused"), detail)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    return problem(500, "internal", f"{type(error).__name__}: see the log")
