"""Steps that are asked for above, pushed on into things that can do them: what is not said need not be heard.

Only of what nobody at the gateway watches: its own services decide on every reading. A gateway below, which
says no more than it is asked for, is asked in any case; for what services here need it is asked besides.
"""

from __future__ import annotations

from diat.vol.layer import VirtualObjectLayer
from diat.vol.pushdown import TAKES, Rule, Rules, merged_rules
from diat.vol.thing import VirtualObject

ABOVE = "above"
"""As whom the daemon above needs something of a thing."""


class Pushing:
    """Keeps what things are told in step with what is asked for; used by the writer alone."""

    def __init__(self, things: VirtualObjectLayer) -> None:
        self._things = things

    def ask(self, each: VirtualObject, rules: Rules) -> None:
        """Have a thing do itself what it can of what is asked for."""
        takes = each.description.td.get(TAKES)
        able = set(takes) if isinstance(takes, list | tuple) and each.record.dialect == "native" else set()
        below = bool(each.wire) and self._things.tiers.ties.get(each.wire) is not None
        own = {
            prop: rule
            for prop, rule in rules.items()
            if prop in (each.description.td.get("properties") or {})
            and able.issuperset(rule.steps())
            and (below or (rule != Rule() and not self._things.observers.watched(each.id, prop)))
        }
        known = self._things.pushdown.pushed.get(each.id)
        before = known.needs.get(ABOVE, {}) if known is not None else {}
        if own != before and each.id in self._things.registry.objects.committed:
            self._things.pushdown.need(each.id, ABOVE, own)

    def done(self, each: VirtualObject, prop: str, rule: Rule) -> bool:
        """Whether the thing does just that itself."""
        known = self._things.pushdown.pushed.get(each.id)
        if known is None or known.state != "completed" or prop not in known.needs.get(ABOVE, {}):
            return False
        return merged_rules(known.needs).get(prop) == rule
