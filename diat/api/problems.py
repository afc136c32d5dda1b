"""Errors as ``application/problem+json`` (RFC 9457): a stable ``type``, a ``detail``, the ``field``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from diat.kernel.errors import Conflict, DiatError, Invalid, NotFound, Refused, Stale, Unavailable

_STATUS: tuple[tuple[type[DiatError], int, str], ...] = (
    (NotFound, 404, "not-found"),
    (Conflict, 409, "conflict"),
    (Stale, 412, "stale"),
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
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **{key: value for key, value in more.items() if value},
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every error of ours, of FastAPI and of Starlette as a problem document."""
    app.add_exception_handler(DiatError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    status, kind = next((code, kind) for known, code, kind in _STATUS if isinstance(error, known))
    return problem(status, kind, str(error), field=getattr(error, "field", ""))


async def _validation(_: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    named = [
        {"field": ".".join(str(part) for part in fault["loc"][1:]), "message": fault["msg"]}
        for fault in faults
    ]
    detail = "; ".join(
        f"{each['field']}: {each['message']}" if each["field"] else each["message"] for each in named
    )
    return problem(422, "invalid", detail[:500], field=named[0]["field"] if named else "", errors=named)


async def _http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    response = problem(status, HTTPStatus(status).phrase.lower().replace(" ", "-"), detail)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    return problem(500, "internal", f"{type(error).__name__}: see the log")
