"""The environment in which templates of announcements run.

They come from the network, so it offers only what ``vocabulary`` lists, refuses at compile time the parts of
Jinja that can run away, and holds the rest to the limits of ``bounds``. What remains costs at most the size
of the message for each node of the template, times the items of a loop: that product is limited too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any, cast

from jinja2 import Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from diat.vol.dialects.jinja import bounds
from diat.vol.dialects.jinja.vocabulary import (
    FILTERS,
    FUNCTIONS,
    METHODS,
    PAYING_FILTERS,
    PAYING_TESTS,
    TESTS,
)
from diat.vol.dialects.words import Unfit

MAX_NODES = 500
"""Parts of a template, which bounds the time to compile it; the largest that Zigbee2MQTT emits has 139."""
MAX_DEPTH = 40
"""Levels of nesting in a template."""
BUDGET = " budget"
"""The variable that holds the budget of a rendering; the space keeps it out of a template's reach."""

# Filters of our own, by names that no template can write.
_LOOP, _CONCAT, _BUILD, _SAME = " loop", " concat", " build", " same"

_OFFERED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Assign, nodes.If,
    nodes.For, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter,
    nodes.Test, nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Concat, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow,
    nodes.NSRef, nodes.ExprStmt, nodes.Break, nodes.Continue,
)  # fmt: skip
_LOOP_WORDS = {"index", "index0", "revindex", "revindex0", "first", "last", "length"}


def _late(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep Jinja from calling it while it compiles."""

    @pass_context
    def late(_: Context, *arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return late


def _paying(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give it the budget first."""

    @pass_context
    def paying(context: Context, *arguments: Any, **named: Any) -> Any:
        return function(context[BUDGET], *arguments, **named)

    return paying


def _same(value: Any) -> Any:
    return value


def _looped(budget: bounds.Budget, values: Iterable[Any], inside: int) -> list[Any]:
    """The items of a loop with this many nodes inside it."""
    items = list(islice(values, bounds.MAX_ITEMS + 1))
    if len(items) > bounds.MAX_ITEMS:
        raise Unfit(f"the template loops over more than {bounds.MAX_ITEMS} items")
    budget.spend(len(items) * inside * budget.size)
    return items


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with a short, bounded vocabulary."""

    intercepted_binops = frozenset(bounds.BINARY)

    def __init__(self) -> None:
        super().__init__(
            optimized=False, cache_size=0, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]
        )
        self.filters = {name: _late(function) for name, function in FILTERS.items()}
        self.filters |= {name: _paying(function) for name, function in PAYING_FILTERS.items()}
        self.filters |= {
            _CONCAT: _late(bounds.join),
            _BUILD: _late(bounds.weigh),
            _SAME: _late(_same),
            _LOOP: _paying(_looped),
        }
        self.tests = {name: _late(function) for name, function in TESTS.items()}
        self.tests |= {name: _paying(function) for name, function in PAYING_TESTS.items()}
        self.globals = dict(FUNCTIONS)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Carry out an operator that can grow a value."""
        return bounds.BINARY[operator](left, right)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """``obj[argument]``; undefined if it is not there."""
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return (
                self.getattr(obj, argument)
                if isinstance(argument, str)
                else self.undefined(obj=obj, name=argument)
            )

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``obj.attribute``: the item of an object (also one called ``items``), else an offered method."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext):
            if attribute in _LOOP_WORDS:
                return getattr(obj, attribute)
        elif isinstance(obj, Namespace):
            if attribute[:1] != "_":  # what is inside it is not for templates
                return getattr(obj, attribute, self.undefined(name=attribute))
        elif isinstance(obj, Undefined):
            raise UndefinedError(f"what should have {attribute!r} is not there")
        elif method := METHODS.get(type(obj), {}).get(attribute):
            return partial(method, obj)
        return self.undefined(obj=obj, name=attribute)

    def call(self, context: Context, obj: Any, /, *arguments: Any, **named: Any) -> Any:
        """Call an offered function or method."""
        if isinstance(obj, Undefined):
            raise UndefinedError("what is called is not there")
        if not isinstance(obj, partial) and obj not in FUNCTIONS.values():
            raise SecurityError("the template calls something that is not offered")
        # Inside loops the compiled template also passes on its own scopes.
        named = {name: value for name, value in named.items() if name not in {"_loop_vars", "_block_vars"}}
        return obj(*arguments, **named)


SANDBOX = Sandbox()


def checked(tree: nodes.Template) -> int:
    """Refuse what is not offered; give the number of nodes."""
    waiting: list[tuple[nodes.Node, int, bool]] = [(tree, 0, False)]
    count = 0
    while waiting:
        node, depth, looping = waiting.pop()
        count += 1
        if type(node) not in _OFFERED:
            raise Unfit(f"the template uses {type(node).__name__.lower()}, which is not offered")
        if count > MAX_NODES:
            raise Unfit(f"the template has more than {MAX_NODES} parts")
        if depth > MAX_DEPTH:
            raise Unfit(f"the template nests more than {MAX_DEPTH} levels")
        if isinstance(node, nodes.For):
            if looping or node.recursive:
                raise Unfit("the template has a loop inside a loop")
            looping = True
        waiting.extend((child, depth + 1, looping) for child in node.iter_child_nodes())
    return count


class _Bounding(NodeTransformer):
    """Puts our own filters around what Jinja would do unbounded."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - named by the node
        inside = sum(1 for _ in node.find_all(nodes.Node))
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _LOOP, nodes.Const(inside, lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), _CONCAT)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            # Slices are compiled as they stand; of a constant, Python would warn about them.
            node.node = _filtered(node.node, _SAME)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _BUILD)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _BUILD)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _BUILD) if node.ctx == "load" else node


def _filtered(node: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, list(arguments), [], None, None, lineno=node.lineno)


def bounded(tree: nodes.Template) -> nodes.Template:
    """Put the bounds into a template that has been checked."""
    tree = _Bounding().visit(tree)
    tree.set_environment(SANDBOX)
    return tree
