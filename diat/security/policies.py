"""The policies of a daemon: kept, compiled together, and what decisions rest on once they are durable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from diat.kernel.clock import Clock
from diat.kernel.durations import parse_duration
from diat.kernel.errors import Conflict, DiatError, Invalid, NotFound, SetupError, Stale
from diat.kernel.overlay import Ledger, Overlay
from diat.security.cedar import Compiled, Statement, statements
from diat.security.conflicts import warnings
from diat.security.decisions import Decisions
from diat.security.policy import Document, Policy, read_document

MOST = 1000
"""Policies at most."""
_DAY = 86_400_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
Holding = Callable[[], frozenset[str]]
"""Answers with the ids of the situations that hold, as committed."""


class _Read(Struct, frozen=True):
    """A policy as it was read last."""

    policy: Policy
    document: Document
    statements: list[Statement]


class Policies:
    """All policies; changed by the writer alone. Commits with the ledger (``diat.kernel.overlay.Part``).

    Attributes:
        holding: the situations that hold; set once there are any.
        kept_days: days for which single values can be deleted.
        situation_known: whether there is a situation of this id.
    """

    def __init__(
        self,
        ledger: Ledger,
        decisions: Decisions,
        clock: Clock,
        policies: Iterable[Policy] = (),
        holding: Iterable[str] = (),
    ) -> None:
        """Start from kept policies, and from the situations that held; it joins the ledger behind those.

        Raises:
            SetupError: one cannot be read: to go on without it could permit what it denies.
        """
        self._decisions = decisions
        self._clock = clock
        policies = list(policies)
        self._policies: Overlay[str, Policy] = ledger.overlay(
            "policies", ((each.id, each) for each in policies)
        )
        self._read: dict[str, _Read] = {}
        held = frozenset(holding)
        self.holding: Holding = lambda: held
        self.situation_known: Callable[[str], bool] = lambda _: True
        self.kept_days = 7
        self._situations: frozenset[str] = frozenset()
        self._situated = False
        self._compiled: Compiled | None = None
        try:
            self._compiled = self._compile()
        except DiatError as error:
            raise SetupError(f"a kept policy cannot be read: {error}") from None
        self.commit()

    # --- asked by any thread ---

    def get(self, policy: str) -> Policy:
        """The committed policy.

        Raises:
            NotFound: there is none.
        """
        found = self._policies.committed.get(policy)
        if found is None:
            raise NotFound(f"there is no policy {policy!r}")
        return found

    def everything(self) -> list[Policy]:
        """All committed policies, by id."""
        return [each for _, each in sorted(self._policies.committed.copy().items())]

    def check(self, policy: str, content: Any) -> tuple[Document, list[str]]:
        """A document that could be put, and what a person should know of it.

        Raises:
            Invalid: it could not; ``field`` names the place.
        """
        document, _, told = self._checked(policy, content)
        return document, told

    def _checked(self, policy: str, content: Any) -> tuple[Document, list[Statement], list[str]]:
        if not _ID.fullmatch(policy):
            raise Invalid("an id has letters, digits, dots, dashes and underscores, 100 at most", "policy")
        document = read_document(content)
        compiled = statements(policy, document)
        for name in ("situation", "unless"):
            situation = getattr(document.when, name)
            if situation is not None and not self.situation_known(situation):
                raise Invalid(f"there is no situation {situation!r}", f"when.{name}")
        self._deletable(document)
        others = {each.id: self._reading(each).document for each in self.everything()}
        return document, compiled, warnings(policy, document, others)

    def _deletable(self, document: Document) -> None:
        for at, owed in enumerate(document.obligations):
            longest = self.kept_days * _DAY
            if owed.delete_after is not None and parse_duration(owed.delete_after) > longest:
                raise Invalid(
                    f"single values can be deleted for {self.kept_days} days: later they lie in files, which "
                    "--raw-days drops as a whole",
                    f"obligations.{at}.delete-after",
                )

    # --- asked within the writer ---

    def put(self, policy: str, content: Any, revision: int | None = None) -> tuple[Policy, list[str]]:
        """Put a policy, or another one in its place; it holds as soon as this is durable.

        Returns:
            The policy, and what a person should know of it.

        Raises:
            Invalid: it is none; ``field`` names the place.
            Stale: it is not at ``revision`` any more.
            Conflict: there are too many.
        """
        document, compiled, told = self._checked(policy, content)
        known = self._policies.get(policy)
        if revision is not None and revision != (known.revision if known is not None else 0):
            at = "not there" if known is None else f"at revision {known.revision}"
            raise Stale(f"the policy is {at}")
        if known is None and sum(1 for _ in self._policies.items()) >= MOST:
            raise Conflict(f"there are {MOST} policies already")
        now = self._clock()
        made = Policy(
            id=policy,
            content=document.plain(),
            created=known.created if known is not None else now,
            modified=now,
            revision=known.revision + 1 if known is not None else 1,
        )
        self._policies.put(policy, made)
        self._read[policy] = _Read(made, document, compiled)
        self._compiled = self._compile()
        return made, told

    def remove(self, policy: str, revision: int | None = None) -> None:
        """Take a policy away.

        Raises:
            NotFound: there is none.
            Stale: it is not at ``revision`` any more.
        """
        known = self._policies.get(policy)
        if known is None:
            raise NotFound(f"there is no policy {policy!r}")
        if revision is not None and revision != known.revision:
            raise Stale(f"the policy is at revision {known.revision}, not {revision}")
        self._policies.remove(policy)
        self._read.pop(policy, None)
        self._compiled = self._compile()

    def commit(self) -> None:
        """What was put is durable: decisions rest on it; and on situations that came about or passed."""
        if self._compiled is not None:
            made, self._compiled = self._compiled, None
            self._situated = made.situated
            self._situations = self.holding() if made.situated else frozenset()
            self._decisions.rest_on(made, self._situations)
        elif self._situated and (holding := self.holding()) != self._situations:
            self._situations = holding
            self._decisions.rest_on(situations=holding)

    def rollback(self) -> None:
        """Nothing was put."""
        self._compiled = None

    # --- within ---

    def _compile(self) -> Compiled:
        found: list[Statement] = []
        for _, policy in sorted(self._policies.items()):
            found += self._reading(policy).statements
        return Compiled(found)

    def _reading(self, policy: Policy) -> _Read:
        known = self._read.get(policy.id)
        if known is None or known.policy is not policy:
            document = read_document(policy.content)
            # What is kept was checked as it was put.
            compiled = statements(policy.id, document, checked=True)
            known = self._read[policy.id] = _Read(policy, document, compiled)
        return known
