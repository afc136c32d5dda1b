"""Which samples of a property are sent: the steps that the platform has pushed down to the thing.

``every`` and ``delta`` thin out, ``delta`` 0 to what is another value; ``above`` and ``below`` send each
crossing, and while beyond at ``every``; ``mean``, ``min`` and ``max`` send one value for so many seconds;
``silence`` sends at least so often.
"""

import json

from diat_node.node import STEPS
from diat_node.port import number, text

_SECONDS = ("every", "mean", "min", "max", "silence")
_DAY = 86400


def fault(rule, numeric):
    """What is wrong with a rule, in words; "" if nothing is."""
    if not isinstance(rule, dict):
        return "a rule is an object"
    for key, value in rule.items():
        if key not in STEPS:
            return "there is no " + str(key)
        if not number(value) or value != value:
            return key + " must be a number"
        if key in _SECONDS and not 0 <= value <= _DAY:
            return key + " must be from 0 to 86400 seconds"
        if key in ("mean", "min", "max") and not value:
            return key + " must be more than 0 seconds"
        if key == "delta" and value < 0:
            return "delta must not be negative"
        if not numeric and key not in ("every", "silence") and (key != "delta" or value):
            return key + " needs a number"
    return ""


class Rule:
    """A rule and what it remembers. Times are milliseconds of ``Clock.up``."""

    def __init__(self, rule=None):
        self.rule = rule or {}
        self._sent_at = None
        self._sent = None
        self._side = 0
        self._windows = {}

    def take(self, value, at, stamp):
        """A sample; what to send, ``(value, stamp)`` each."""
        rule, out = self.rule, []
        if number(value):
            for kind in ("mean", "min", "max"):
                if kind in rule:
                    self._gather(kind, value, at, stamp, out)
        if self._wants(value, at):
            out.append((value, stamp))
        if out:
            self._sent_at, self._sent = at, out[-1][0]
        return out

    def _wants(self, value, at):
        rule = self.rule
        if self._sent_at is None:
            self._side = self._beyond(value)
            return True
        waited = at - self._sent_at
        if "silence" in rule and waited >= rule["silence"] * 1000:
            self._side = self._beyond(value)
            return True
        due = waited >= rule.get("every", 0) * 1000 and self._moved(value)
        if "above" in rule or "below" in rule:
            before, self._side = self._side, self._beyond(value)
            return self._side != before or (self._side and due)
        if self._windows or ("delta" not in rule and "every" not in rule and "silence" in rule):
            # Only means, minima and maxima are wanted; or nothing but a sign of life.
            return False
        return due

    def _beyond(self, value):
        if not number(value):
            return 0
        rule = self.rule
        if "above" in rule and value > rule["above"]:
            return 1
        return -1 if "below" in rule and value < rule["below"] else 0

    def _moved(self, value):
        if "delta" not in self.rule:
            return True
        if number(value) and number(self._sent) and self.rule["delta"]:
            return abs(value - self._sent) >= self.rule["delta"]
        return value != self._sent

    def _gather(self, kind, value, at, stamp, out):
        """Add to a window; one that is over is sent: a mean at its end, an extreme at its time."""
        window = self._windows.get(kind)
        if window is None:
            window = self._windows[kind] = [at, 0, 0.0, value, stamp]
        elif at - window[0] >= self.rule[kind] * 1000:
            out.append((window[2] / window[1], stamp) if kind == "mean" else (window[3], window[4]))
            window[:] = [at, 0, 0.0, value, stamp]
        window[1] += 1
        window[2] += value
        if value < window[3] if kind == "min" else value > window[3]:
            window[3], window[4] = value, stamp


def configure(life, payload):
    """Take rules that the platform pushes down; the answer, None if it is known already."""
    try:
        config = json.loads(payload) if payload else {}
        rules, which = config.get("report") or {}, config.get("id")
        if not isinstance(rules, dict):
            raise ValueError("report must be an object")
    except (ValueError, AttributeError, RuntimeError) as error:
        life.commands.dropped += 1
        life.why = "config: " + str(error)
        return None
    if which is not None and life.store.load("config", {}).get("id") == which:
        return None
    faults = push_down(life, config)
    life.store.save("config", config)
    if not isinstance(which, str):
        return None
    answer = {"id": which, "status": "failed" if faults else "completed"}
    if faults:
        answer["error"] = "; ".join(faults)[:300]
    return text(answer)


def push_down(life, config):
    """Put rules in force; what is wrong with those that cannot be."""
    properties, rules, faults = life.node.properties, config.get("report") or {}, []
    for name in rules:
        if name not in properties:
            faults.append("there is no property " + name[:64])
    for name, each in properties.items():
        rule = rules.get(name, {})
        wrong = fault(rule, each.schema.get("type") in ("number", "integer"))
        if wrong:
            faults.append(name + ": " + wrong)
        elif rule != (each.rule.rule if each.rule else {}):
            each.rule = Rule(rule) if rule else None
            each.due = life.clock.up()
    return faults
