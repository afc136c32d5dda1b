"""Acts: asked for first where they destroy, answered with a line, undone where possible."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from diat.dashboard.mount import STATE, House, Left
from diat.dashboard.parts.markup import Markup, html
from diat.dashboard.rest import Refused

Act = Callable[[], Awaitable[object]]
UNKNOWN = 401
"""The status of a refusal to somebody who is not known any more."""
_SAID, _UNDO = 4.0, 10.0
"""Seconds for which something is said, and in which an act can be undone."""
_KEPT = 20_000
"""Milliseconds that the next page may take to come."""
_TOASTS = "toasts"


def refused(refusal: Refused) -> None:
    """Say in the page why it cannot be shown."""
    html(Markup('<h1>This cannot be shown</h1><p class="empty">{}</p>').format(refusal.detail))


def toasts() -> None:
    """Where ``attempt`` says what became of an act; made once in each page, outside its content."""
    place = ui.element("div").classes("toasts").props('role="status" aria-live="polite"')
    ui.context.client.storage[_TOASTS] = place


def tell(text: str, *, bad: bool = False, undo: Act | None = None) -> None:
    """Say something for some seconds, with a way back if there is one."""
    with (
        ui.context.client.storage[_TOASTS],
        ui.element("div").classes("toast bad" if bad else "toast") as toast,
    ):
        html(Markup("{}").format(text), "span")

        def gone() -> None:
            if not toast.is_deleted:
                toast.delete()

        async def back() -> None:
            gone()
            if undo is not None:
                await attempt(undo, "Undone.")

        if undo is not None:
            ui.button("Undo", on_click=back).props("flat dense no-caps")
        ui.timer(_UNDO if undo is not None or bad else _SAID, gone, once=True)


async def attempt(act: Act, done: str = "", undo: Act | None = None) -> bool:
    """Do something; say that it is done, offering to undo it, or why it was refused. Whether it was done."""
    try:
        await act()
    except Refused as refusal:
        if refusal.status == UNKNOWN:
            ui.navigate.reload()
            return False
        where = f"{refusal.field}: " if refusal.field else ""
        tell(where + refusal.detail, bad=True)
        return False
    if done:
        tell(done, undo=undo)
    return True


def leave(path: str, text: str, undo: Act | None = None) -> None:
    """Go to another page, and say there what was done."""
    house, who, now = _here()
    house.left = {name: each for name, each in house.left.items() if now - each.at < _KEPT}
    house.left[who] = Left(text, undo, now)
    ui.navigate.to(path)


def say_left() -> None:
    """Say what the act said that led here, if one did."""
    house, who, now = _here()
    left = house.left.pop(who, None)
    if left is not None and now - left.at < _KEPT:
        tell(left.text, undo=left.undo)


def _here() -> tuple[House, str, int]:
    """Where this page is, who looks at it, and when."""
    state = ui.context.client.request.scope["state"]
    house: House = state[STATE]
    return house, state["principal"].id, house.platform.clock()


async def asked(question: str, consequence: str, act: str) -> bool:
    """Whether a person confirms what destroys something; the safe way out has the focus."""
    with ui.dialog() as dialog, ui.card().classes("ask"):
        dialog.props(f'aria-label="{_attribute(question)}"')
        html(Markup("<h2>{}</h2><p>{}</p>").format(question, consequence))
        with ui.row().classes("buttons"):
            ui.button("Cancel", on_click=lambda: dialog.submit(False)).props("flat no-caps autofocus")
            ui.button(act, on_click=lambda: dialog.submit(True)).props("no-caps unelevated color=negative")
    answer = await dialog
    dialog.delete()
    return bool(answer)


def _attribute(text: str) -> str:
    return text.replace("\\", "").replace('"', "”")
