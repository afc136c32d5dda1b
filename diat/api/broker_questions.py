"""What a broker of somebody else's asks: who may come in, and who may use which topic.

In the shapes of EMQX's HTTP authentication and authorisation; others speak them too. The broker shows a
secret of its own, which lies in the data directory.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import Annotated, Literal

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import for_all
from diat.api.ports import Platform, StrictRoute, ThePlatform
from diat.kernel.errors import Unauthenticated

router = APIRouter(tags=["joining"], route_class=StrictRoute, prefix="/mqtt")
Text = Annotated[str, Field(max_length=1024)]


class Comes(BaseModel):
    """A client that connects, as the broker describes it; what else it says is left."""

    model_config = ConfigDict(extra="ignore")
    username: Text | None = None
    password: Text | None = None
    clientid: Text = ""


class Uses(BaseModel):
    """A client that publishes or subscribes."""

    model_config = ConfigDict(extra="ignore")
    username: Text | None = None
    clientid: Text = ""
    topic: Annotated[str, Field(max_length=65_535)]
    action: Literal["publish", "subscribe"]


class Verdict(BaseModel):
    """The answer."""

    result: Literal["allow", "deny"]
    is_superuser: bool = False


Secret = Annotated[str, Header(alias="X-Broker-Secret", max_length=200)]


@router.post("/auth", summary="May a client come in", dependencies=[for_all()])
async def may_come(platform: ThePlatform, client: Comes, x_broker_secret: Secret = "") -> Verdict:
    """Whether name, password and client id are right."""
    _must_be_the_broker(platform, x_broker_secret)
    user, password = client.username or "", client.password or ""
    allowed = await asyncio.to_thread(platform.lets_in, user, password, client.clientid)
    return Verdict(result="allow" if allowed else "deny")


@router.post("/acl", summary="May a client use a topic", dependencies=[for_all()])
async def may_use(platform: ThePlatform, client: Uses, x_broker_secret: Secret = "") -> Verdict:
    """Whether a client that was let in may publish on a topic, or subscribe to a filter."""
    _must_be_the_broker(platform, x_broker_secret)
    allowed = platform.access.allowed(client.username or "", client.clientid)
    asked = client.topic
    if asked.startswith("$share/"):
        asked = asked.split("/", 2)[-1]
    may = allowed.may_publish(asked) if client.action == "publish" else allowed.may_subscribe(asked)
    return Verdict(result="allow" if may else "deny")


def _must_be_the_broker(platform: Platform, shown: str) -> None:
    if not hmac.compare_digest(shown.encode(), platform.broker_secret.encode()):
        raise Unauthenticated("a broker shows its secret as X-Broker-Secret")
