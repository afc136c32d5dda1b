"""Whose topics are whose: what an announcement may bring about depends on who may make it.

An announcement belongs to the credential that may publish on its topic. A thing is heard and driven only on
topics of its own announcer; topics of a foreign thing's forms belong to the thing that named them first.
"""

from __future__ import annotations

from collections.abc import Iterable

from diat.kernel.overlay import Ledger, Overlay
from diat.security.credentials import Credentials
from diat.security.permissions import RESERVED, Permissions, covers, overlap, plain
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.wire.topics import TD_PREFIX


class Ties:
    """What ties announcements to credentials; changed by the writer alone.

    Attributes:
        credentials: what things prove with who they are.
        asked: whether credentials are asked for at all; nothing is tied where they are not.
        restored: whether all things are described that there were before the start.
    """

    def __init__(
        self, ledger: Ledger, credentials: Credentials, owned: Iterable[tuple[str, str]], *, asked: bool
    ) -> None:
        """Ties over the things of the registry that they are given to.

        Args:
            ledger: what it commits with.
            credentials: what things prove with who they are.
            owned: topics of foreign things, each with whose it is.
            asked: whether credentials are asked for at all.
        """
        self._registry: Registry
        self._owned: Overlay[str, str] = ledger.overlay("topics", owned)
        self.credentials = credentials
        self.asked = asked
        self.restored = False

    def over(self, registry: Registry) -> None:
        """Be told which things there are."""
        self._registry = registry

    def given(self, each: VirtualObject) -> Permissions:
        """What the forms of a foreign thing ask for and is its own, committed; any thread may ask."""
        own = self._owned.committed
        told = (getattr(outlet, "topic", "") for outlet in each.description.outlets.values())

        def its(asked: Iterable[str]) -> tuple[str, ...]:
            return tuple(topic for topic in asked if own.get(topic) == each.id and self._is_free(topic))

        return Permissions(publish=its(each.inlets), subscribe=its(told))

    def owner(self, topic: str) -> str:
        """Whose announcements stand on a topic: the name of a credential, ``""`` for nobody's."""
        if topic.startswith(TD_PREFIX):
            return topic.removeprefix(TD_PREFIX)
        real = topic.partition("#")[0]
        return next(
            (
                each.name
                for each in self.credentials.scoped()
                if any(covers(s, real) for s in each.scope.publish)
            ),
            "",
        )

    def may_join(self, topic: str, others: Iterable[str]) -> bool:
        """Whether what is announced on a topic may become part of what others announce."""
        return not self.asked or all(self.owner(each) == self.owner(topic) for each in others)

    def may_hear(self, each: str, announced: Iterable[str], topic: str) -> bool:
        """Whether a thing may take what is said on a topic for its own."""
        return self._within(each, announced, topic, publish=True)

    def may_tell(self, each: VirtualObject, topic: str) -> bool:
        """Whether a thing may be driven by a message on a topic."""
        if not self.asked or each.wire:
            return True
        return self._within(each.id, self._registry.announcements.topics(each.id), topic, publish=False)

    def _within(self, thing: str, announced: Iterable[str], topic: str, *, publish: bool) -> bool:
        if not self.asked:
            return True
        for owner in {self.owner(each) for each in announced}:
            held = self.credentials.get(owner) if owner else None
            if held is not None and held.kind != "thing":
                scope = held.scope.publish if publish else held.scope.subscribe
                if any(covers(each, topic) for each in scope):
                    return True
            elif self._is_free(topic) and self._owned.get(topic) in (thing, None):
                return True
        return False

    def claim(self, each: str, announced: Iterable[str], topics: Iterable[str]) -> None:
        """A foreign thing is described: topics of its forms that are nobody's are its own from now on.

        Whose a topic is outlasts a restart: what came first stays first, however often others announce it.
        """
        if not self.asked or not any(topic.startswith(TD_PREFIX) for topic in announced):
            return
        for topic in filter(self._is_free, topics):
            holder = self._owned.get(topic)
            if holder == each:
                continue
            if holder is None or (self.restored and holder not in self._registry.users(topic)):
                self._owned.put(topic, each)

    def _is_free(self, topic: str) -> bool:
        """Whether a foreign thing may have a topic at all: it is in nobody's scope."""
        if not plain(topic):
            return False
        return not any(overlap(s, topic) for each in self.credentials.scoped() for s in _all(each.scope))


def _all(scope: Permissions) -> tuple[str, ...]:
    return tuple(each for each in (*scope.publish, *scope.subscribe) if not each.startswith(RESERVED))
