"""``/sessions``: a person logs in with a password, or sets one by an invitation, and logs out.

The browser keeps the session in a cookie that no script can read; what changes something is sent with the
``csrf`` of the session besides, which no page of others knows.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from diat.api.access import Asking, for_all, for_known
from diat.api.door import COOKIE, cookie_of
from diat.api.logins import logins
from diat.api.ports import StrictRoute, ThePlatform, durably
from diat.api.users import grants
from diat.kernel.clock import rfc3339
from diat.security.accounts import Token, csrf_of, read
from diat.security.people import SESSION
from diat.security.principal import Principal

router = APIRouter(tags=["people"], route_class=StrictRoute)


class Login(BaseModel):
    """Who logs in: a name and a password, or an invitation and the password that is to be."""

    model_config = ConfigDict(extra="forbid")
    user: str | None = Field(None, max_length=64)
    invitation: str | None = Field(None, max_length=200)
    password: str = Field(max_length=1000)

    @model_validator(mode="after")
    def _one(self) -> Login:
        if (self.user is None) == (self.invitation is None):
            raise ValueError("exactly one of user, invitation is wanted")
        return self


@router.post("/sessions", status_code=201, summary="Log in", dependencies=[for_all()])
async def log_in(request: Request, platform: ThePlatform, login: Login) -> Response:
    """Begin a session; the cookie is set. After wrong passwords one has to wait, longer each time."""
    if login.invitation is not None:
        made, secret = await logins(request).by_invitation(
            request, platform, login.invitation, login.password
        )
    else:
        made, secret = await logins(request).by_password(request, platform, str(login.user), login.password)
    secure = request.scope["scheme"] == "https"
    owner = platform.people.get(made.user)
    body = _view(made.principal(owner), made, secret)
    answer = JSONResponse(body, 201, {"Location": "/sessions/current", "Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE, secret, max_age=SESSION // 1000, httponly=True, samesite="strict", secure=secure, path="/"
    )
    return answer


@router.get("/sessions/current", summary="Who am I?", dependencies=[for_known()])
async def get_session(request: Request, asking: Asking) -> dict[str, Any]:
    """Who asks, with which roles, and until when; in a session also its ``csrf``."""
    credential: Token | None = request.scope["state"].get("credential")
    return _view(asking, credential, cookie_of(request.headers.get("cookie", "")))


@router.delete("/sessions/current", status_code=204, summary="Log out", dependencies=[for_known()])
async def log_out(request: Request, platform: ThePlatform, response: Response) -> None:
    """End the session; its cookie is dropped."""
    credential: Token | None = request.scope["state"].get("credential")
    if credential is not None and credential.kind == "session":
        await durably(platform, lambda: platform.people.revoke(credential.id))
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _view(asking: Principal, credential: Token | None, secret: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": asking.kind,
        "name": asking.name,
        "grants": grants(asking.grants),
        "purpose": asking.purpose,
        "expires": None if credential is None else rfc3339(credential.expires),
    }
    found = read(secret)
    if credential is not None and credential.kind == "session" and found is not None:
        shown["csrf"] = csrf_of(found[1])
    return shown
