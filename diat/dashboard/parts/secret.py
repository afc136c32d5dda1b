"""A secret as it is shown: once, to be copied, gone with the dialog."""

from __future__ import annotations

from nicegui import ui

from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html


async def show_once(title: str, secret: str, told: str, *, picture: str = "") -> None:
    """Show a secret until the person says that it is kept.

    Args:
        title: what it is.
        secret: it.
        told: what to do with it, and that it is not shown again.
        picture: the same as a QR code, SVG of our own.
    """
    with ui.dialog() as dialog, ui.card().classes("ask secret"):
        dialog.props("persistent").props["aria-label"] = title
        html(Markup("<h2>{}</h2><p>{}</p>").format(title, told))
        html(Markup('<code class="once" data-secret tabindex="0">{}</code>').format(secret))
        if picture:
            html(
                Markup('<div class="qr" role="img" aria-label="As a QR code">{}</div>').format(
                    Markup(picture)
                )
            )
        with ui.element("div").classes("buttons"):
            # In the browser: the secret does not travel a second time.
            html(Markup('<button type="button" class="quiet" data-copy>Copy</button>'), "span")
            act("I have kept it", lambda: dialog.submit(True), main=True)
    await dialog
    dialog.delete()
