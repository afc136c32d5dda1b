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

from diat.api.access import Need, declared
from diat.api.ports import StrictRoute, ThePlatform
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


async def _must_be_the_broker(
    platform: ThePlatform,
    x_broker_secret: Annotated[str, Header(alias="X-Broker-Secret", max_length=200)] = "",
) -> None:
    if not hmac.compare_digest(x_broker_secret.encode(), platform.broker_secret.encode()):
        raise Unauthenticated("a broker shows its secret as X-Broker-Secret")


FOR_THE_BROKER = declared(_must_be_the_broker, Need("broker"))


@router.post("/auth", summary="May a client come in", dependencies=[FOR_THE_BROKER])
async def may_come(platform: ThePlatform, client: Comes) -> Verdict:
    """Whether name, password and client id are right."""
    user, password = client.username or "", client.password or ""
    allowed = await asyncio.to_thread(platform.lets_in, user, password, client.clientid)
    return Verdict(result="allow" if allowed else "deny")


@router.post("/acl", summary="May a client use a topic", dependencies=[FOR_THE_BROKER])
async def may_use(platform: ThePlatform, client: Uses) -> Verdict:
    """Whether a client that was let in may publish on a topic, or subscribe to a filter."""
    allowed = platform.access.allowed(client.username or "", client.clientid)
    asked = client.topic
    if asked.startswith("$share/"):
        asked = asked.split("/", 2)[-1]
    may = allowed.may_publish(asked) if client.action == "publish" else allowed.may_subscribe(asked)
    return Verdict(result="allow" if may else "deny")
