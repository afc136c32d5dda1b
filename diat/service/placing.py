"""Services whose steps run on several tiers: where they run, what goes down to gateways, and how it moves.

A service runs here as a whole until somebody finds (``diat.service.reviewing``) that less travels otherwise.
Then its steps move, one gateway at a time. ``asked``: what is to be read here from then on is asked for.
``stopped``: the gateway was told to stop, and to wait with what comes from a mark in its spool on. When the
mark is here, everything from before it is, for the spool is in order: what steps remember is exchanged, and
the gateway is told to go on. A reading is before the mark or after it, and so run on once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from diat.cvol.composite import Binding, Composite, State
from diat.cvol.execution import CompositeLayer, Remembered
from diat.cvol.placement.packing import packed
from diat.cvol.placement.splitting import Parts, split, with_portions
from diat.cvol.running import AT_WORK
from diat.cvol.steps.parts import Heard
from diat.kernel.clock import Clock
from diat.kernel.errors import DiatError
from diat.kernel.overlay import Ledger, Overlay
from diat.security.principal import Grant
from diat.vol.layer import VirtualObjectLayer
from diat.vol.pushdown import Rule, Rules
from diat.wire import topics
from diat.wire.envelope import encode

HERE = "core"
"""The tier of the daemon that a service belongs to."""
AGAIN = 15_000
"""Milliseconds after which a gateway that does not answer is told again."""


class Told(Struct, frozen=True, kw_only=True):
    """What a gateway was told last of a service, and what it answered.

    Attributes:
        message: as it went down.
        since: Unix milliseconds.
        answered: whether it has it.
        state: of the part there.
        missing: what it lacks.
        error: why it cannot run there.
    """

    message: dict[str, Any]
    since: int
    answered: bool = False
    state: str = ""
    missing: list[str] = []
    error: str | None = None


class Placing(Struct, frozen=True, kw_only=True):
    """Where the steps of a service run; durable.

    Attributes:
        where: step to tier; of steps that are not here it is ``core``.
        portions: steps that are made of portions, with the tiers that make one.
        wanted: where they are to run; as ``where`` when all is done.
        moving: the gateway that is being dealt with.
        phase: how far it is.
        revision: of what is said to gateways.
        told: gateway to what it was told.
        since: when it last came to rest, Unix milliseconds.
        predicted: bytes in an hour over each line, as it was expected.
        above: the same with everything here.
        bound: what filled the roles that are read elsewhere, as they were handed over.
    """

    where: dict[str, str] = {}
    portions: dict[str, tuple[str, ...]] = {}
    wanted: dict[str, str] = {}
    moving: str | None = None
    phase: Literal["rests", "asked", "stopped"] = "rests"
    revision: int = 0
    told: dict[str, Told] = {}
    since: int = 0
    predicted: dict[str, float] = {}
    above: dict[str, float] = {}
    bound: list[Binding] = []


class Placings:
    """All services at work, wherever their steps run; used by the writer alone unless said.

    Attributes:
        placings: composite to where it runs; those that are wholly here need not be in it.
        for_whom: what a composite may, and what it is for.
    """

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        clock: Clock,
        placings: Iterable[tuple[str, Placing]] = (),
    ) -> None:
        """Nothing runs yet."""
        self._things = things
        self._composites = composites
        self._clock = clock
        self._wholes: Overlay[str, Composite] = ledger.overlay()
        self.placings: Overlay[str, Placing] = ledger.overlay("placings", placings)
        self.for_whom: Callable[[str], tuple[tuple[Grant, ...], str]] = lambda _: ((), "")
        composites.on_bound = self._ask
        composites.on_own = self._set
        things.tiers.on_part = self._answer

    # --- as the service layer sees composites ---

    def whole(self, composite: str) -> Composite | None:
        """The whole composite, as the writer sees it."""
        return self._wholes.get(composite)

    def committed(self, composite: str) -> tuple[Composite | None, Placing]:
        """The whole composite and where it runs; any thread may ask."""
        return self._wholes.committed.get(composite), self.placings.committed.get(composite) or Placing()

    def everything(self) -> list[Composite]:
        """All whole composites; any thread may ask."""
        return list(self._wholes.committed.values())

    def bindings(self, composite: str) -> list[Binding]:
        """What fills the roles of a whole composite, as far as is known here; any thread may ask."""
        state = self._composites.states.committed.get(composite)
        placing = self.placings.committed.get(composite)
        found = {(each.role, each.key): each for each in (placing.bound if placing is not None else ())}
        if state is not None:
            found |= {(each.role, each.key): each for each in state.bindings}
        whole = self._wholes.committed.get(composite)
        return [each for each in found.values() if whole is not None and each.role in whole.roles]

    def missing(self, composite: str) -> list[str]:
        """What parts elsewhere lack, a line each; any thread may ask."""
        placing = self.placings.committed.get(composite) or Placing()
        return [
            f"at {gateway}: {line}"
            for gateway, told in placing.told.items()
            if gateway in placing.where.values()
            for line in ([told.error] if told.error else told.missing)
        ]

    def state(self, composite: str, here: State) -> State:
        """The state of a composite with all of its parts: the worst of them; any thread may ask."""
        placing = self.placings.committed.get(composite) or Placing()
        found = [told.state for name, told in placing.told.items() if name in placing.where.values()]
        worst = max((here, *(each for each in found if each in _WORSE)), key=_WORSE.index)
        return cast("State", worst)

    def restore(self, composites: Iterable[Composite]) -> None:
        """Start kept composites again, each as far as it runs here."""
        found = list(composites)
        for each in found:
            self._wholes.put(each.id, each)
        self._composites.restore(self._here(each) for each in found)

    def deploy(self, composite: Composite) -> None:
        """Put a composite to work, or a changed one in its place.

        If its steps are others than before, it begins here as a whole; parts of the former are ended.
        """
        known, placing = self._wholes.get(composite.id), self.placings.get(composite.id)
        self._wholes.put(composite.id, composite)
        if placing is not None and (known is None or not _same_work(known, composite)):
            self._end_parts(composite.id, placing)
            placing = None
        self._composites.deploy(self._here(composite))
        if placing is not None:
            self._tell_all(composite, placing)

    def remove(self, composite: str) -> None:
        """End a composite, wherever it runs."""
        placing = self.placings.get(composite)
        if placing is not None:
            self._end_parts(composite, placing)
        self._wholes.remove(composite)
        self._composites.remove(composite)
        for thing, pushed in list(self._things.pushdown.pushed.items()):
            if composite in pushed.needs:
                self._things.pushdown.need(thing, composite, {})

    # --- moving ---

    def want(
        self,
        composite: str,
        where: Mapping[str, str],
        portions: Mapping[str, tuple[str, ...]] | None = None,
        predicted: Mapping[str, float] | None = None,
        above: Mapping[str, float] | None = None,
    ) -> None:
        """Have the steps of a composite run elsewhere; nothing while it is still moving."""
        placing = self.placings.get(composite) or Placing()
        if placing.phase != "rests" or self._wholes.get(composite) is None:
            return
        changed = msgspec.structs.replace(
            placing, wanted=dict(where), predicted=dict(predicted or {}), above=dict(above or {})
        )
        if portions is not None and not placing.where:
            changed = msgspec.structs.replace(changed, portions=dict(portions))
        self.placings.put(composite, changed)
        self._next(composite)

    def tick(self) -> None:
        """Go on with what moves; tell again what was not answered."""
        now = self._clock()
        self._release()
        for composite, placing in list(self.placings.items()):
            if placing.phase == "asked":
                self._next(composite)
            for gateway, told in placing.told.items():
                if not told.answered and now - told.since >= AGAIN:
                    self._send(composite, gateway, told.message)
                    self._note(composite, gateway, msgspec.structs.replace(told, since=now))

    def _next(self, composite: str) -> None:
        """Begin to move what is next: what comes up first, so that nothing is ever above what it works on."""
        placing, whole = self.placings.get(composite), self._wholes.get(composite)
        if placing is None or whole is None:
            return
        moving = placing.moving if placing.phase == "asked" else self._first(placing)
        if moving is None:
            self.placings.put(composite, msgspec.structs.replace(placing, phase="rests", since=self._clock()))
            return
        after = self._split(whole, placing, self._step(placing, moving))
        if not self._asked_for(after.by_tier[HERE]):
            self.placings.put(composite, msgspec.structs.replace(placing, phase="asked", moving=moving))
            return
        there = after.by_tier.get(moving)
        revision = placing.revision + 1
        grants, purpose = self.for_whom(composite)
        message = {
            "r": revision,
            "do": "stop",
            "part": packed(there) if there is not None else None,
            "grants": grants,
            "purpose": purpose,
        }
        placing = msgspec.structs.replace(placing, phase="stopped", moving=moving, revision=revision)
        self.placings.put(composite, placing)
        self._tell(composite, moving, message)

    def _first(self, placing: Placing) -> str | None:
        up = [
            tier
            for step, tier in placing.where.items()
            if tier != HERE and placing.wanted.get(step, HERE) != tier
        ]
        down = [
            tier
            for step, tier in placing.wanted.items()
            if tier != HERE and placing.where.get(step, HERE) != tier
        ]
        return next(iter(up or down), None)

    def _step(self, placing: Placing, moving: str) -> dict[str, str]:
        """Where steps run when a gateway has been dealt with."""
        up = any(t == moving and placing.wanted.get(s, HERE) != t for s, t in placing.where.items())
        where = dict(placing.where)
        for step in {*placing.where, *placing.wanted}:
            now, then = placing.where.get(step, HERE), placing.wanted.get(step, HERE)
            if up and now == moving and then != moving:
                where[step] = HERE
            elif not up and then == moving and now == HERE:
                where[step] = moving
        return where

    def _marked(self, composite: str, gateway: str, mark: Remembered) -> None:
        """The mark is here: everything that came before it was run on."""
        placing, whole = self.placings.get(composite), self._wholes.get(composite)
        if placing is None or whole is None or placing.moving != gateway:
            return
        where = self._step(placing, gateway)
        after = self._split(whole, placing, where)
        values = self._composites.values(composite)
        memory = self._composites.remembered(composite)
        state = self._composites.states.get(composite)
        here, there = after.by_tier[HERE], after.by_tier.get(gateway)
        bound = list(state.bindings) if state is not None else []
        heard = {
            step.id: [values[step.id]]
            for step in here.steps
            if isinstance(step, Heard) and not step.pulse and values.get(step.id) is not None
        }
        up = {
            step.id: mark.steps[step.id]
            for step in here.steps
            if step.id in mark.steps and not isinstance(step, Heard)
        }
        lays_in = Remembered(steps=heard | up, driven=mark.driven)
        self.placings.put(composite, msgspec.structs.replace(placing, where=where))
        self._know(composite, whole, bound)
        self._composites.move(here, lays_in)
        if there is None:
            self._done(composite)
            return
        names, roles = {step.id for step in there.steps}, {step.role for step in there.drives}
        driven = {each.key for each in bound if each.role in roles}
        goes = Remembered(
            steps={
                step: kept
                for step, kept in (memory.steps | mark.steps).items()
                if step in names and (step in mark.steps or placing.where.get(step, HERE) == HERE)
            },
            told={
                step: mark.told[step] if step in mark.told else heard[step][0]
                for step in there.tells
                if step in mark.told or step in heard
            },
            driven={key: told for key, told in memory.driven.items() if key in driven} | mark.driven,
        )
        message = {"r": placing.revision, "do": "go", "memory": msgspec.to_builtins(goes)}
        self._tell(composite, gateway, message)
        self._done(composite)

    def _done(self, composite: str) -> None:
        placing = self.placings.get(composite)
        if placing is not None:
            self.placings.put(composite, msgspec.structs.replace(placing, phase="rests", moving=None))
            self._next(composite)

    def _know(self, composite: str, whole: Composite, bound: list[Binding]) -> None:
        """Remember what filled roles that are read elsewhere from now on."""
        placing = self.placings.get(composite)
        if placing is not None:
            known = {(each.role, each.key): each for each in placing.bound}
            known |= {(each.role, each.key): each for each in bound if each.role in whole.roles}
            self.placings.put(composite, msgspec.structs.replace(placing, bound=list(known.values())))

    # --- what gateways say ---

    def _answer(self, gateway: str, composite: str, said: Any) -> None:
        placing = self.placings.get(composite)
        told = placing.told.get(gateway) if placing is not None else None
        if placing is None or told is None or not isinstance(said, dict):
            if isinstance(said, dict) and said.get("at") in ("held", "runs"):
                # Of a service that is gone, or that a restored database does not know to be there.
                message = {"r": int(said.get("r", 0)) + 1, "do": "end"}
                self._send(composite, gateway, message)
            return
        if (error := said.get("error")) and "r" not in said:
            # It goes on there as before, and here.
            self._note(composite, gateway, msgspec.structs.replace(told, error=str(error), answered=True))
            stays = self.placings.get(composite) or placing
            stays = msgspec.structs.replace(stays, phase="rests", moving=None, wanted=stays.where)
            self.placings.put(composite, stays)
            return
        if said.get("r") != told.message["r"]:
            return
        expected = {"go": "runs", "be": "runs", "stop": "held" if told.message.get("part") else "ended"}
        has = said.get("at") == expected[told.message["do"]]
        changed = msgspec.structs.replace(
            told,
            answered=told.answered or has,
            state=str(said.get("state") or ""),
            missing=list(said.get("missing") or []),
            error=said.get("error"),
        )
        self._note(composite, gateway, changed)
        if has and told.message["do"] == "stop" and placing.phase == "stopped" and placing.moving == gateway:
            try:
                mark = msgspec.convert(said.get("mark") or {}, Remembered)
            except msgspec.ValidationError:
                return
            self._marked(composite, gateway, mark)

    # --- within ---

    def _here(self, whole: Composite) -> Composite:
        placing = self.placings.get(whole.id)
        return self._split(whole, placing, placing.where).by_tier[HERE] if placing is not None else whole

    def _split(self, whole: Composite, placing: Placing, where: Mapping[str, str]) -> Parts:
        state = self._composites.states.get(whole.id)
        own = whole.defaults | (state.own if state is not None else {})
        made = with_portions(whole, placing.portions)
        return split(made, where, HERE, lambda tier: part_id(whole.id, tier), own)

    def _tell_all(self, whole: Composite, placing: Placing) -> None:
        """Tell gateways what the settings are by now, and whether to rest."""
        parts = self._split(whole, placing, placing.where).by_tier
        revision = placing.revision + 1
        grants, purpose = self.for_whom(whole.id)
        for tier, part in parts.items():
            if tier != HERE and placing.phase != "stopped":
                said = {"r": revision, "do": "be", "part": packed(part), "grants": grants, "purpose": purpose}
                self.placings.put(whole.id, msgspec.structs.replace(placing, revision=revision))
                self._tell(whole.id, tier, said)
                placing = self.placings.get(whole.id) or placing

    def _set(self, composite: str) -> None:
        placing, whole = self.placings.get(composite), self._wholes.get(composite)
        if placing is not None and whole is not None:
            self._tell_all(whole, placing)

    def _end_parts(self, composite: str, placing: Placing) -> None:
        gateways = {*placing.told} | ({placing.moving} if placing.moving else set())
        for gateway in gateways:
            self._send(composite, gateway, {"r": placing.revision + 1, "do": "end"})
        self.placings.remove(composite)

    def _tell(self, composite: str, gateway: str, message: dict[str, Any]) -> None:
        self._note(composite, gateway, Told(message=msgspec.to_builtins(message), since=self._clock()))
        self._send(composite, gateway, message)

    def _send(self, composite: str, gateway: str, message: dict[str, Any]) -> None:
        self._things.tiers.tell(gateway, topics.parts(gateway, composite), encode(message))

    def _note(self, composite: str, gateway: str, told: Told) -> None:
        placing = self.placings.get(composite)
        if placing is not None:
            changed = msgspec.structs.replace(placing, told={**placing.told, gateway: told})
            self.placings.put(composite, changed)

    # --- what is read here of things elsewhere ---

    def _ask(self, composite: Composite, bindings: list[Binding]) -> None:
        """Ask for what a composite reads; that it needs something no longer, ``tick`` finds."""
        pushdown = self._things.pushdown
        for thing, rules in _needs(composite, bindings).items():
            known = pushdown.pushed.get(thing)
            if self.tier(thing) != HERE and (known is None or known.needs.get(composite.id) != rules):
                try:
                    pushdown.need(thing, composite.id, rules)
                except DiatError:
                    continue  # it takes no steps, and so says all that it has to say

    def _release(self) -> None:
        """Ask no longer for what composites read no longer; who is away, or moves, may want it again."""
        pushdown = self._things.pushdown
        for thing, pushed in list(pushdown.pushed.items()):
            for holder in pushed.needs:
                if not self._reads(holder, thing):
                    pushdown.need(thing, holder, {})

    def _reads(self, holder: str, thing: str) -> bool:
        """Whether a holder needs a thing, or may yet; others than composites know that themselves."""
        composite = self._composites.seen(holder)
        if composite is None:
            return True
        placing, state = self.placings.get(holder), self._composites.states.get(holder)
        moves = placing is not None and placing.phase != "rests"
        if moves or composite.paused or state is None or state.state not in AT_WORK:
            return True
        return thing in _needs(composite, state.bindings)

    def _asked_for(self, here: Composite) -> bool:
        """Whether gateways have said that they send what is to be read here."""
        state = self._composites.states.get(here.id)
        if state is None:
            return True
        whole = self._wholes.get(here.id)
        ready = True
        for thing in {each.thing for each in self._bindings(here)}:
            pushed = self._things.pushdown.pushed.get(thing)
            if self.tier(thing) != HERE and pushed is not None and pushed.state == "pending":
                ready = False
        return ready or whole is None

    def _bindings(self, here: Composite) -> list[Binding]:
        state = self._composites.states.get(here.id)
        found = [each for each in state.bindings if each.role in here.roles] if state is not None else []
        missing = set(here.roles) - {each.role for each in found}
        if missing:
            bound = self._composites.would_bind(here)
            found += [each for each in bound if each.role in missing]
            self._ask(here, found)
        return found

    def tier(self, thing: str) -> str:
        """The tier that a thing is at, as the writer sees it."""
        each = self._things.registry.seen(thing)
        return self._things.tiers.ties.get(each.wire) or HERE if each is not None and each.wire else HERE


_WORSE = ("running", "degraded", "waiting", "paused", "failed")


def part_id(composite: str, tier: str) -> str:
    """The id of the part of a composite on a tier."""
    return composite if tier == HERE else f"{composite[:36]}--{tier[:26]}"


def _needs(composite: Composite, bindings: Iterable[Binding]) -> dict[str, Rules]:
    wanted: dict[str, Rules] = {}
    for each in bindings:
        role = composite.roles.get(each.role)
        if role is not None and role.capability == "read" and role.exact is None:
            wanted.setdefault(each.thing, {})[each.affordance] = Rule()
    return wanted


def _same_work(known: Composite, changed: Composite) -> bool:
    return (known.steps, known.roles, known.requires) == (changed.steps, changed.roles, changed.requires)
