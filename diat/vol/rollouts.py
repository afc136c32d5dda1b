"""Roll-outs of firmware: stage by stage, each waiting until its things run the release and are well.

A thing is asked by its action ``update``, with where the release is; that it keeps the release it says by its
property ``firmware``, that it went back to what it ran before by ``undone`` (``diat_node/update.py``).
Things that are away are not asked: others take their place, and in the last stage they are waited for. What
failed is counted, and past the bound the roll-out stops; what is under way then comes to its end by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from diat.kernel.clock import Clock
from diat.kernel.errors import Busy, Conflict, DiatError, Invalid, NotFound, Stale, TooSoon
from diat.kernel.ids import NewId, derived_id
from diat.kernel.overlay import Ledger, Overlay
from diat.security.principal import Principal
from diat.vol.actuation import LIFETIME, Actuation, Order
from diat.vol.intake import Intake
from diat.vol.interaction import Interaction
from diat.vol.registry import Registry
from diat.vol.releases import Release
from diat.vol.rollout import OPEN, UNDER_WAY, Member, Rollout, State, Wish
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading

ACTION, NUMBER, UNDONE, BOARD = "update", "firmware", "undone", "diat:board"
"""How a node that can be updated is known, and what it says of itself."""
MOST = 200
"""Roll-outs that are kept at most; of those that are over, the oldest are forgotten."""
_LOOK = 1_000
"""Milliseconds between two looks at those under way."""


class Rollouts:
    """All roll-outs; changed by the writer alone."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        intake: Intake,
        interaction: Interaction,
        clock: Clock,
        new_id: NewId,
        kept: Iterable[Rollout] = (),
    ) -> None:
        self._registry, self._intake, self._interaction = registry, intake, interaction
        self._clock, self._new_id = clock, new_id
        self._rollouts: Overlay[str, Rollout] = ledger.overlay("rollouts", ((each.id, each) for each in kept))
        self._next = 0
        self._told: Callable[[Actuation], None] = interaction.on_end
        interaction.on_end = self._on_end

    # --- asked by any thread ---

    def get(self, rollout: str) -> Rollout:
        """The committed roll-out.

        Raises:
            NotFound: there is none.
        """
        found = self._rollouts.committed.get(rollout)
        if found is None:
            raise NotFound(f"there is no roll-out {rollout!r}")
        return found

    def everything(self) -> list[Rollout]:
        """All committed roll-outs, oldest first."""
        return sorted(self._rollouts.committed.values(), key=lambda each: (each.created, each.id))

    def uses(self, release: str) -> bool:
        """Whether a roll-out that is not over is of this release."""
        return any(each.release == release and each.state in OPEN for _, each in self._rollouts.items())

    # --- asked within the writer ---

    def create(
        self,
        release: Release,
        wish: Wish,
        address: str,
        creator: Principal,
        *,
        rollout: str | None = None,
        allowed: Callable[[VirtualObject], bool] = lambda _: True,
    ) -> Rollout:
        """Begin to roll out a release to the things that are meant just now.

        Args:
            release: what to roll out.
            wish: to which things, and how.
            address: where nodes reach the releases of this platform, without a slash at its end.
            creator: who wants it.
            rollout: the id to give it, derived from an idempotency key.
            allowed: whether the creator may update a thing.

        Raises:
            Invalid: nothing is meant by it.
            Conflict: one of the things is part of another roll-out, or there are too many.
        """
        known = self._rollouts.get(rollout) if rollout is not None else None
        if known is not None:
            return known
        members = [
            each.id
            for each in self._registry.everything()
            if self._meant(each, release, wish) and allowed(each)
        ]
        if not members:
            raise Invalid(f"no thing of board {release.board!r} with a lower number is meant", "place")
        for _, other in self._rollouts.items():
            if other.state in OPEN and (both := other.members.keys() & set(members)):
                raise Conflict(f"{min(both)} is part of roll-out {other.id}")
        self._make_room()
        now = self._clock()
        made = Rollout(
            id=rollout or self._new_id(),
            wish=wish,
            release=release.id,
            number=release.number,
            address=f"{address}/releases/{release.id}/files",
            creator=creator.id,
            created=now,
            modified=now,
            staged=now,
            members={each: Member(since=now) for each in sorted(members)},
        )
        self._rollouts.put(made.id, made)
        self._next = now
        return made

    def turn_to(self, rollout: str, state: State, revision: int | None = None) -> Rollout:
        """Pause, resume (``running``) or cancel a roll-out; the state that it has already changes nothing.

        Raises:
            NotFound: there is none.
            Stale: it is not at ``revision`` any more.
            Conflict: it is over.
        """
        known = self._rollouts.get(rollout)
        if known is None:
            raise NotFound(f"there is no roll-out {rollout!r}")
        if revision is not None and revision != known.revision:
            raise Stale(f"the roll-out is at revision {known.revision}, not {revision}")
        if known.state == state:
            return known
        if known.state not in OPEN:
            raise Conflict(f"it is {known.state}")
        self._next = self._clock()
        return self._put(known, state=state)

    # --- the writer's turn ---

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        return self._next if any(each.state in OPEN for _, each in self._rollouts.items()) else None

    def tick(self, now: int) -> None:
        """Look at those under way, and ask who is next."""
        if now < self._next < now + 2 * _LOOK:
            return
        self._next = now + _LOOK
        for _, each in self._rollouts.items():
            if each.state in OPEN:
                self._look(each, now)

    def _look(self, rollout: Rollout, now: int) -> None:
        members = {name: self._seen(rollout, name, each, now) for name, each in rollout.members.items()}
        if members != rollout.members:
            rollout = self._put(rollout, members=members)
        if rollout.count("failed") > rollout.wish.failures:
            failed = next(name for name, each in rollout.members.items() if each.state == "failed")
            why = f"{failed}: {rollout.members[failed].why}"
            self._put(rollout, state="stopped", why=why)
        elif rollout.state == "running":
            self._go_on(rollout, now)

    def _go_on(self, rollout: Rollout, now: int) -> None:
        last = rollout.stage == len(rollout.wish.stages) - 1
        if last and now - rollout.staged > rollout.wish.wait * 1000 and rollout.count("waiting"):
            members = {
                name: _turned(each, "missed", now, "it was away") if each.state == "waiting" else each
                for name, each in rollout.members.items()
            }
            rollout = self._put(rollout, members=members)
        healthy, under_way = rollout.count("healthy"), rollout.count(*UNDER_WAY)
        if not under_way and not rollout.count("waiting") and not healthy:
            self._put(rollout, state="stopped", why="no thing was updated")
        elif not under_way and healthy >= rollout.wanted:
            if last:
                self._put(rollout, state="completed")
            else:
                self._put(rollout, stage=rollout.stage + 1, staged=now)
                self._next = now
        else:
            self._ask(rollout, rollout.wanted - healthy - under_way, now)

    def _ask(self, rollout: Rollout, count: int, now: int) -> None:
        """Ask so many more things, of those that are there."""
        members, asked = dict(rollout.members), 0
        for name, each in rollout.members.items():
            if asked >= count:
                break
            status = self._intake.twin(name).status
            if each.state == "waiting" and status in ("online", "sleeping"):
                lifetime = LIFETIME if status == "online" else int(rollout.wish.within * 1000)
                try:
                    command = self._command(rollout, name, each.attempt, lifetime, now)
                except (Busy, TooSoon):
                    continue
                except DiatError as error:
                    members[name] = _turned(each, "failed", now, str(error))
                else:
                    members[name] = Member("asked", now, each.attempt + 1, command.id)
                    asked += 1
        if members != rollout.members:
            self._put(rollout, members=members)

    def _command(self, rollout: Rollout, thing: str, attempt: int, lifetime: int, now: int) -> Actuation:
        order = Order(
            command_id=derived_id("rollout", rollout.id, thing, str(attempt)),
            lifetime=lifetime,
            hold=0,
            why={"rollout": rollout.id},
        )
        return self._interaction.invoke(thing, ACTION, {"from": rollout.address}, now, order)

    def _seen(self, rollout: Rollout, thing: str, member: Member, now: int) -> Member:
        """How a thing stands, by what it says of itself."""
        if member.state in ("failed", "missed", "healthy"):
            return member
        values = self._intake.twin(thing).values
        if _number(values.get(NUMBER)) >= rollout.number:
            return _turned(member, "healthy", now)
        if member.state in UNDER_WAY:
            undone = values.get(UNDONE)
            if undone is not None and undone.received > member.since and undone.value == rollout.number:
                return _turned(member, "failed", now, "it did not get well with it and went back")
            if now > member.since + rollout.wish.within * 1000:
                return _turned(member, "failed", now, "it did not say in time that it is well")
        if self._registry.seen(thing) is None:
            return _turned(member, "failed", now, "it is not there any more")
        return member

    def _on_end(self, actuation: Actuation) -> None:
        """A command came to its end: was it one of ours?"""
        self._told(actuation)
        if actuation.affordance != ACTION or actuation.kind != "action":
            return
        for _, rollout in self._rollouts.items():
            member = rollout.members.get(actuation.thing)
            if member is not None and member.command == actuation.id and member.state == "asked":
                members = {**rollout.members, actuation.thing: _answered(member, actuation, self._clock())}
                self._put(rollout, members=members)

    def _meant(self, each: VirtualObject, release: Release, wish: Wish) -> bool:
        if not each.taking_part or ACTION not in each.actions or NUMBER not in each.properties:
            return False
        place, version = wish.place, wish.version
        inside = not place or f"{each.place}/".startswith(f"{place}/")
        runs = _number(self._intake.twin(each.id).values.get(NUMBER))
        right = each.td.get(BOARD) == release.board and runs < release.number
        return inside and right and (version is None or runs == version)

    def _make_room(self) -> None:
        over = sorted((each for _, each in self._rollouts.items()), key=lambda each: each.created)
        if len(over) < MOST:
            return
        gone = next((each for each in over if each.state not in OPEN), None)
        if gone is None:
            raise Conflict(f"there are {MOST} roll-outs under way")
        self._rollouts.remove(gone.id)

    def _put(self, rollout: Rollout, **changes: Any) -> Rollout:
        changed = msgspec.structs.replace(
            rollout, **changes, modified=self._clock(), revision=rollout.revision + 1
        )
        self._rollouts.put(changed.id, changed)
        return changed


def _turned(member: Member, state: Any, now: int, why: str | None = None) -> Member:
    return msgspec.structs.replace(member, state=state, since=now, why=why)


def _answered(member: Member, actuation: Actuation, now: int) -> Member:
    """How a thing stands that answered: an update that nobody knows of shows by the number that it runs."""
    if actuation.state == "failed":
        return _turned(member, "failed", now, str(actuation.error)[:300])
    if actuation.state == "expired":
        return _turned(member, "waiting", now, "it did not hear of it")
    return _turned(member, "updating", now)


def _number(reading: Reading | None) -> int:
    """The number of what a node runs; 0 if it never said."""
    value = reading.value if reading is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
