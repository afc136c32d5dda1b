"""Every error of ours has one root and says whose fault it is.

DiatError
├── Refused             the caller's: the request cannot be done as it stands
│   ├── Invalid         a value is wrong; ``field`` names it
│   │   ├── Inconvertible   values do not come in the unit that is asked for
│   │   └── InvalidDocument a whole document is wrong; ``faults`` names all places
│   ├── NotFound        there is no such thing, service, template, …
│   ├── Conflict        it contradicts something that is there
│   │   ├── TooSoon     it must wait: ``until`` says when it may be done
│   │   └── Busy        too much of it waits to be done already
│   ├── Stale           a precondition (``If-Match``) no longer holds
│   ├── Unauthenticated nobody knows who asks
│   └── Forbidden       who asks may not
└── Unavailable         ours or our surroundings': the same request may succeed later
    └── SetupError      the daemon cannot start as it was told to; the message names the way out
"""

from __future__ import annotations

NO_SUCH_FIELD = "there is no such field"
"""What is said of a member that a document or request has and may not have."""


class DiatError(Exception):
    """Root of all errors raised on purpose; the text is one line for a person."""


class Refused(DiatError):
    """The request cannot be done as it stands, and repeating it will not help."""


class Invalid(Refused):
    """A value is wrong.

    Attributes:
        field: dotted path of the value in the request, ``""`` for the whole of it.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Inconvertible(Invalid):
    """The values do not come in the unit that is asked for."""


class InvalidDocument(Invalid):
    """A document that was brought is wrong, maybe in several places.

    Attributes:
        faults: dotted path and what is wrong there, at least one; the first is the error's own.
    """

    def __init__(self, *faults: tuple[str, str]) -> None:
        field, text = faults[0]
        super().__init__(f"{field}: {text}" if field else text, field)
        self.faults = faults


class NotFound(Refused):
    """There is no such thing, service, template or command."""


class Conflict(Refused):
    """The request contradicts something that is already there."""


class TooSoon(Conflict):
    """It may not be done before a time.

    Attributes:
        until: when it may be, Unix milliseconds.
    """

    def __init__(self, message: str, until: int) -> None:
        super().__init__(message)
        self.until = until


class Busy(Conflict):
    """Too much of it waits to be done already."""


class Stale(Refused):
    """A precondition no longer holds: somebody else changed it meanwhile."""


class Unauthenticated(Refused):
    """Nobody knows who asks: a credential is missing, wrong, expired or withdrawn; it is not said which."""


class Forbidden(Refused):
    """Who asks is known and may not do this; the message says which role or policy decided.

    Attributes:
        policies: ids of the policies that decided; none if it was a role.
    """

    def __init__(self, message: str, policies: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.policies = policies


class Unavailable(DiatError):
    """The same request may succeed later."""


class SetupError(Unavailable):
    """The daemon cannot start as it was told to; the message names the way out."""
