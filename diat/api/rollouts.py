"""``/rollouts``: a release given to nodes stage by stage, stopped when they do not get well with it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import Asking, needs, on_each, permits, sees
from diat.api.ports import (
    IdempotencyKey,
    IfMatch,
    Limit,
    Offset,
    Platform,
    StrictRoute,
    ThePlatform,
    durably,
    etag,
    page,
)
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Invalid, NotFound
from diat.kernel.ids import derived_id
from diat.security.principal import Principal
from diat.vol.rollout import STAGES, Rollout, Stage, State, Wish

router = APIRouter(tags=["firmware"], route_class=StrictRoute)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%")
_VERBS: dict[str, State] = {"pause": "paused", "resume": "running", "cancel": "cancelled"}


class Wanted(BaseModel):
    """A release for the things of its board, of a place, that run a version."""

    model_config = ConfigDict(extra="forbid")
    release: str = Field(max_length=100, description="id of a release")
    title: str = Field("", max_length=200)
    place: str = Field("", max_length=500, description="only things there, or inside")
    model: str | None = Field(None, max_length=64, description="kind of board; that of the release")
    version: int | None = Field(None, ge=0, description="only things that run this number")
    stages: list[Annotated[int, Field(ge=1)] | str] = Field(
        [1, "10%", "all"],
        min_length=1,
        max_length=20,
        description="each a number of things, a share, or `all`",
    )
    failures: int = Field(0, ge=0, le=10_000, description="things that may fail before it stops")
    within: float = Field(900, gt=0, le=86_400, description="seconds in which a thing has to be well")
    wait: float = Field(86_400, ge=0, le=30 * 86_400, description="seconds to wait for things that are away")
    address: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", max_length=200, description="where nodes reach this platform"
    )


@router.get("/rollouts", summary="All roll-outs", dependencies=[on_each("discover")])
def list_rollouts(
    request: Request,
    response: Response,
    platform: ThePlatform,
    asking: Asking,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[dict[str, Any]]:
    """Oldest first, with how many of their things stand how."""
    known = [each for each in platform.rollouts.everything() if _seen_of(platform, asking, each)]
    found = page(request, response, known[offset : offset + limit + 1], limit, offset=offset + limit)
    return [_view(each) for each in found]


@router.post("/rollouts", status_code=201, summary="Roll a release out", dependencies=[needs("manage")])
async def create_rollout(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    wanted: Wanted,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Stage by stage: one, a tenth, all. Each waits until its things run the release and are well."""
    release = platform.releases.get(wanted.release)
    if wanted.model is not None and wanted.model != release.board:
        raise Invalid(f"the release is for {release.board!r}", "model")
    stages = tuple(_stage(each, f"stages.{at}") for at, each in enumerate(wanted.stages))
    if stages[-1] != STAGES[-1]:
        raise Invalid("the last stage is all", "stages")
    wish = Wish(
        title=wanted.title or f"Release {release.number} for {release.board}",
        place=wanted.place,
        version=wanted.version,
        stages=stages,
        failures=wanted.failures,
        within=wanted.within,
        wait=wanted.wait,
    )
    address = wanted.address or platform.address
    reference = None if idempotency_key is None else derived_id("rollout", idempotency_key)
    made = await durably(
        platform,
        lambda: platform.rollouts.create(
            release,
            wish,
            address.rstrip("/"),
            asking,
            rollout=reference,
            allowed=lambda each: permits(platform, asking, "operate", each),
        ),
    )
    return _shown(platform, asking, made, 201)


@router.get("/rollouts/{rollout}", summary="One roll-out", dependencies=[on_each("discover")])
def get_rollout(platform: ThePlatform, asking: Asking, rollout: str) -> JSONResponse:
    """With how each of its things stands, and why."""
    found = platform.rollouts.get(rollout)
    if not _seen_of(platform, asking, found):
        raise NotFound(f"there is no roll-out {rollout!r}")
    return _shown(platform, asking, found)


@router.post(
    "/rollouts/{rollout}/{verb}", summary="Pause, resume or cancel a roll-out", dependencies=[needs("manage")]
)
async def turn_rollout(
    platform: ThePlatform,
    asking: Asking,
    rollout: str,
    verb: Literal["pause", "resume", "cancel"],
    if_match: IfMatch,
) -> JSONResponse:
    """No further thing is asked; those that were asked come to their end by themselves."""
    made = await durably(platform, lambda: platform.rollouts.turn_to(rollout, _VERBS[verb], if_match))
    return _shown(platform, asking, made)


def _stage(said: int | str, field: str) -> Stage:
    if isinstance(said, int):
        return Stage(things=said)
    found = _SHARE.fullmatch(said)
    if said == "all":
        return STAGES[-1]
    if found is None or not 0 < float(found[1]) <= 100:
        raise Invalid("a stage is a number of things, a share like 10%, or all", field)
    return Stage(share=float(found[1]) / 100)


def _seen_of(platform: Platform, asking: Principal, rollout: Rollout) -> list[str]:
    """Those of its things that the asker may know of, or that are gone."""
    objects = platform.things.registry.objects.committed
    everywhere = platform.decider.everywhere(asking, "discover")
    return [
        name
        for name in rollout.members
        if everywhere or (name in objects and sees(platform, asking, objects[name]))
    ]


def _view(each: Rollout) -> dict[str, Any]:
    wish, counts = each.wish, Counter(member.state for member in each.members.values())
    shown = {
        "id": each.id,
        "title": wish.title,
        "release": each.release,
        "state": each.state,
        "place": wish.place,
        "version": wish.version,
        "stages": [_said(stage) for stage in wish.stages],
        "stage": each.stage + 1,
        "failures": wish.failures,
        "within": wish.within,
        "wait": wish.wait,
        "counts": counts,
        "creator": each.creator,
        "created": rfc3339(each.created),
        "modified": rfc3339(each.modified),
    }
    return shown if each.why is None else {**shown, "why": each.why}


def _said(stage: Stage) -> int | str:
    if stage.things is not None:
        return stage.things
    return "all" if stage == STAGES[-1] else f"{(stage.share or 0) * 100:g}%"


def _shown(platform: Platform, asking: Principal, each: Rollout, status: int = 200) -> JSONResponse:
    things = {}
    for name in _seen_of(platform, asking, each):
        member = each.members[name]
        things[name] = {"state": member.state, "since": rfc3339(member.since)}
        if member.why is not None:
            things[name]["why"] = member.why
    headers = {"ETag": etag(each.revision)}
    if status == 201:
        headers["Location"] = f"/rollouts/{each.id}"
    return JSONResponse({**_view(each), "things": things}, status, headers)
