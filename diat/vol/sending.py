"""What is handed to another tier (a gateway, a daemon above): values as far as policies let them out."""

from __future__ import annotations

from msgspec import Struct

from diat.security.decision import Decider, Decision
from diat.security.form import Form, form_of
from diat.security.principal import Principal
from diat.vol.targets import target_of
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading


class Sent(Struct, frozen=True):
    """What goes up of a reading.

    Attributes:
        reading: in the form in which it may; None if it stays here, or not yet.
        due: when it may go, Unix milliseconds; None if never.
        decision: what was decided on it.
    """

    reading: Reading | None
    due: int | None
    decision: Decision


def send_up(
    decider: Decider,
    to: Principal,
    each: VirtualObject,
    name: str,
    reading: Reading,
    now: int,
    key: bytes,
    told: int | None = None,
) -> Sent:
    """What of a reading may be sent to another tier.

    Args:
        decider: who decides.
        to: the daemon that gets it: ``Principal(kind="daemon", …)``.
        each: the thing.
        name: the property or event.
        reading: what it said.
        now: Unix milliseconds.
        key: of pseudonyms.
        told: beginning of the last interval of which a value was sent; None for none.

    Returns:
        The reading in its form if it may go now; else when it may, if ever.
    """
    decided = decider.use(to, "send-up", target_of(each, name), now)
    if decided.effect == "deny":
        return Sent(None, None, decided)
    form = form_of(decided)
    if form is None:
        return Sent(reading, now, decided)
    at = form.at(reading.observed)
    if form.coarsen and told is not None and at <= told:
        return Sent(None, None, decided)
    due = reading.observed + form.delay
    if due > now:
        return Sent(None, due, decided)
    return Sent(_formed(reading, form, key), due, decided)


def _formed(reading: Reading, form: Form, key: bytes) -> Reading:
    received = form.at(reading.received)
    value = form.value(reading.value, key)
    return Reading(value, form.at(reading.observed), received, reading.quality, reading.n, reading.position)
