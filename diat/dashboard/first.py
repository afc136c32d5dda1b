"""The page as it is painted first: what the server has made already, as plain HTML, until scripts have run.

It has the content and the links; controls are shown where they will be, and do nothing yet. ``live.js`` takes
it away when the page itself is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from markupsafe import Markup
from nicegui import ui
from nicegui.element import Element

_NATIVE = frozenset({"div", "nav", "search", "section", "span", "ul", "li", "main", "table", "form", "label"})
_BOXES = {
    "q-layout": ("div", "q-layout q-layout--standard"),
    "q-page-container": ("div", "q-page-container"),
    "q-page": ("div", "q-page"),
    "q-card": ("div", "q-card"),
    "q-tabs": ("div", "q-tabs row no-wrap items-center"),
    "q-tab-panels": ("div", "q-tab-panels"),
}
_SAID = ("role", "aria-label", "aria-labelledby")
_TAG = Markup("<{}{}>{}</{}>")
_FIELD = Markup(
    '<div class="q-field row no-wrap items-start q-field--outlined q-field--dense q-field--labeled{}" '
    'aria-hidden="true">'
    '<div class="q-field__inner relative-position col self-stretch"><div class="q-field__control '
    'relative-position row no-wrap"><div class="q-field__control-container col relative-position row '
    'no-wrap"><div class="q-field__native row items-center">{}</div><div class="q-field__label absolute '
    'no-pointer-events ellipsis">{}</div></div></div></div></div>'
)
_BUTTON = Markup(
    '<span class="q-btn q-btn-item non-selectable no-outline q-btn--rectangle q-btn--no-uppercase{}" '
    'aria-hidden="true"><span class="q-btn__content text-center col items-center justify-center row">{}'
    "</span></span>"
)
_EXPANSION = Markup(
    '<div class="q-expansion-item{}"><div class="q-item q-item-type row no-wrap" aria-hidden="true"><div '
    'class="q-item__section column q-item__section--main justify-center"><div class="q-item__label">{}</div>'
    "</div></div></div>"
)


def paint_first() -> None:
    """Put the first painting into the page that is being made, as far as it is."""
    ui.add_body_html(f'<div id="first">{painted(ui.context.client.layout)}</div>')


def painted(element: Element) -> Markup:
    """An element with all that is in it as plain HTML; nothing for what is not on screen at first."""
    if not element.visible:
        return Markup()
    if isinstance(element, ui.html):
        return _tagged(element, str(element.props["tag"]), "", Markup(element.content))
    if element.tag in _NATIVE:
        return _tagged(element, element.tag, "", _inner(element))
    if element.tag in _BOXES:
        tag, classes = _BOXES[element.tag]
        return _tagged(element, tag, classes, _inner(element))
    how = _CONTROLS.get(element.tag)
    return how(element) if how is not None else Markup()


def _inner(element: Element) -> Markup:
    return Markup().join(painted(each) for each in element.default_slot.children)


def _tagged(element: Element, tag: str, classes: str, inner: Markup) -> Markup:
    said: list[tuple[str, Any]] = [("class", " ".join(filter(None, [classes, *element.classes])))]
    said += [(name, element.props[name]) for name in _SAID if name in element.props]
    attributes = Markup().join(Markup(' {}="{}"').format(name, value) for name, value in said if value)
    return _TAG.format(tag, attributes, inner, tag)


def _field(element: Element) -> Markup:
    value = getattr(element, "value", "")
    options = getattr(element, "options", None)
    if isinstance(options, dict):
        value = options.get(value, value)
    shown = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    if element.props.get("type") == "password":
        shown = ""
    return _FIELD.format(
        _more(
            element,
            ["q-field--float" if shown else "", "q-field--with-bottom" if "hint" in element.props else ""],
        ),
        shown,
        element.props.get("label", ""),
    )


def _button(element: Element) -> Markup:
    color = element.props.get("color", "primary")
    look = [
        "q-btn--dense" if element.props.get("dense") else "",
        *(("q-btn--outline",) if element.props.get("outline") else ()),
        f"text-{color}"
        if element.props.get("outline") or element.props.get("flat")
        else f"bg-{color} text-white",
    ]
    return _BUTTON.format(_more(element, look), element.props.get("label", ""))


def _expansion(element: Element) -> Markup:
    return _EXPANSION.format(_more(element), element.props.get("label", ""))


def _check(element: Element) -> Markup:
    return Markup('<div class="first-check{}" aria-hidden="true">{}</div>').format(
        _more(element), getattr(element, "text", "")
    )


def _tab(element: Element) -> Markup:
    return Markup('<div class="q-tab"><div class="q-tab__label">{}</div></div>').format(
        element.props["label"]
    )


def _panel(element: Element) -> Markup:
    panels = element.parent_slot.parent if element.parent_slot is not None else None
    shown = panels is not None and panels.props.get("model-value") == element.props.get("name")
    return _tagged(element, "div", "q-tab-panel", _inner(element)) if shown else Markup()


def _space(element: Element) -> Markup:
    return _tagged(element, "div", "", Markup())


def _more(element: Element, classes: Iterable[str] = ()) -> str:
    return "".join(f" {each}" for each in (*classes, *element.classes) if each)


_CONTROLS: dict[str, Callable[[Element], Markup]] = {
    "q-input": _field,
    "nicegui-input": _field,
    "nicegui-select": _field,
    "q-btn": _button,
    "nicegui-expansion": _expansion,
    "q-checkbox": _check,
    "q-toggle": _check,
    "q-tab": _tab,
    "q-tab-panel": _panel,
    "nicegui-echart": _space,
}
