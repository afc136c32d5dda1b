"""A node: what it has and can do, and the Thing Description made from that."""

import json

from diat_node.port import finite, number

STEPS = ("every", "delta", "above", "below", "mean", "min", "max", "silence")
"""What the platform may push down; see ``reporting``."""
_TYPES = {"boolean": bool, "string": str, "object": dict, "array": list}


class Property:
    """A property: how it is read and set, what it means, when it is reported."""

    def __init__(self, name, schema, read, write, every):
        self.name, self.schema, self.read, self.write, self.every = name, schema, read, write, every
        self.rule = None
        self.due = 0

    @property
    def period(self):
        """Seconds between two samples: its own, or fewer if a rule asks for more."""
        every = self.rule.rule.get("every", self.every) if self.rule else self.every
        return max(min(every, self.every), 0.1)

    def describe(self):
        """Its part of the Thing Description."""
        return dict(self.schema, readOnly=True) if self.write is None else self.schema


class Action:
    """An action: what it does, and whether doing it twice does no harm."""

    def __init__(self, name, do, schema):
        self.name, self.do, self.schema = name, do, schema


class Node:
    """A thing.

    Args:
        thing: its name in topics, letters, digits, ``-`` and ``_``; None takes it from the configuration.
        title: what people call it.
        place: where it is, a path such as ``hq/2/office-1``.
        more: further members of its description.
    """

    def __init__(self, thing=None, title=None, place=None, **more):
        self.thing = thing
        self.more = more
        self.more["title"] = title or thing or "A node"
        if place:
            self.more["diat:place"] = place
        self.properties = {}
        self.actions = {}
        self.events = {}
        self.life = None
        self.when_started, self.when_well = [], []

    def property(
        self,
        name,
        read=None,
        write=None,
        type="number",
        unit=None,
        quantity=None,
        every=10,
        affects=None,
        idempotent=None,
        **schema,
    ):
        """Add a property.

        Args:
            name: its name.
            read: gives the value, may be a coroutine function; None if it is only reported by ``report``.
            write: takes the value to have; what it returns, if not None, is the value it has then.
            type: of JSON.
            unit: UCUM code.
            quantity: QUDT quantity kind, such as ``Temperature``.
            every: seconds between samples.
            affects: what setting it does, ``{"quantity": …, "direction": …}``.
            idempotent: False if setting the same value twice is not the same as once.
            schema: more of its data schema: ``minimum``, ``maximum``, ``enum``, ``title`` …
        """
        schema["type"] = type
        if unit:
            schema["unit"] = unit
        if quantity:
            schema["@type"] = "quantitykind:" + quantity
        if write is not None:
            schema["idempotent"] = True if idempotent is None else idempotent
        if affects:
            schema["diat:affects"] = affects
        self.properties[name] = Property(name, schema, read, write, every)

    def action(self, name, do=None, input=None, output=None, idempotent=False, safe=False, **more):
        """Add an action; without ``do`` it decorates the function, which takes the input if there is one."""

        def add(function):
            for key, value in (
                ("input", input),
                ("output", output),
                ("idempotent", idempotent),
                ("safe", safe),
            ):
                if value:
                    more[key] = value
            self.actions[name] = Action(name, function, more)
            return function

        return add if do is None else add(do)

    def event(self, name, data=None, **more):
        """Add an event; gives the function that tells of one, with its data."""
        self.events[name] = dict(more, data=data) if data else more

        def tell(data=None):
            return self.life.tell(name, data) if self.life else None

        return tell

    def report(self, **values):
        """Report values that were observed just now, as far as the rules in force want them."""
        if self.life:
            for name, value in values.items():
                self.life.observed(self.properties[name], value)

    def td(self):
        """Its Thing Description without forms: the platform knows those of native things."""
        described = dict(self.more)
        described["diat:pushdown"] = STEPS
        if 1 + 1e-12 != 1:
            described["diat:precision"] = "double"
        if self.properties:
            described["properties"] = {n: p.describe() for n, p in self.properties.items()}
        if self.actions:
            described["actions"] = {n: a.schema for n, a in self.actions.items()}
        if self.events:
            described["events"] = self.events
        return described

    def repeatable(self, name, command):
        """Whether a command may be performed twice."""
        if name:
            schema = self.actions[name].schema if name in self.actions else {"safe": True}
            return bool(schema.get("idempotent") or schema.get("safe"))
        values = command.get("v")
        for each in values if isinstance(values, dict) else ():
            if each in self.properties and not self.properties[each].schema.get("idempotent"):
                return False
        return True

    async def perform(self, name, command):
        """Do what a command says; ``ValueError`` if it cannot be done."""
        if not name:
            return await self._set(command.get("v"))
        if name not in self.actions:
            raise ValueError("there is no action " + name[:64])
        action = self.actions[name]
        if "input" not in action.schema:
            return await done(action.do())
        check("input", command.get("input"), action.schema["input"])
        return await done(action.do(command.get("input")))

    async def _set(self, values):
        if not isinstance(values, dict) or not values:
            raise ValueError("v must be an object")
        for name, value in values.items():
            if name not in self.properties or self.properties[name].write is None:
                raise ValueError("cannot be set: " + name[:64])
            check(name, value, self.properties[name].schema)
        for name, value in values.items():
            each = self.properties[name]
            has = await done(each.write(value))
            if has is None:
                has = await done(each.read()) if each.read else value
            self.life.send(each, has)

    def run(self, config=None):
        """Live for ever; ``config`` is a dict, or read from ``diat.json``."""
        from diat_node.start import start

        start(config, self)


async def done(result):
    """The result, awaited if it is to be."""
    return await result if hasattr(result, "send") else result


def check(name, value, schema):
    """Whether a value is what the schema says; ``ValueError`` with why it is not."""
    kind = schema.get("type")
    if kind == "number" or kind == "integer":
        fits = number(value) and finite(value) and (kind == "number" or value == int(value))
    elif kind in _TYPES:
        fits = isinstance(value, _TYPES[kind])
    else:
        fits = True
    if not fits:
        raise ValueError(name + " must be of type " + kind)
    if "enum" in schema and value not in schema["enum"]:
        raise ValueError(name + " must be one of " + json.dumps(schema["enum"]))
    if number(value) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        low, high = schema.get("minimum", "any"), schema.get("maximum", "any")
        raise ValueError("%s must be %s to %s" % (name, low, high))
