"""Steps that are asked for above, pushed on into things that can do them: what is not said need not be heard.

The daemon above is one of those who need something of a thing, beside the services here.
"""

from __future__ import annotations

from diat.cvol.placement.rules import known_exactly
from diat.service.placement.needed import counts_doubly, takes
from diat.vol.layer import VirtualObjectLayer
from diat.vol.pushdown import Rule, Rules
from diat.vol.thing import VirtualObject

ABOVE = "above"
"""As whom the daemon above needs something of a thing."""


class Pushing:
    """Keeps what things are told in step with what is asked for; used by the writer alone."""

    def __init__(self, things: VirtualObjectLayer) -> None:
        self._things = things

    def ask(self, each: VirtualObject, rules: Rules) -> None:
        """Have a thing do itself what it can of what is asked for; what it cannot is done here."""
        able = takes(each)
        if not able or each.id not in self._things.registry.objects.committed:
            return
        own = {
            prop: rule if self._does(each, able, rule) else Rule()
            for prop, rule in rules.items()
            if prop in each.properties
        }
        known = self._things.pushdown.pushed.get(each.id)
        if own != (known.needs.get(ABOVE, {}) if known is not None else {}):
            self._things.pushdown.need(each.id, ABOVE, own)

    def done(self, each: VirtualObject, prop: str, rule: Rule) -> bool:
        """Whether the thing does just that itself."""
        known = self._things.pushdown.pushed.get(each.id)
        if known is None or known.state != "completed" or prop not in known.needs.get(ABOVE, {}):
            return False
        return self._things.pushdown.report(each.id, known.needs).get(prop) == rule

    def _does(self, each: VirtualObject, able: tuple[str, ...], rule: Rule) -> bool:
        return set(rule.steps()) <= set(able) and (counts_doubly(each) or known_exactly(rule))
