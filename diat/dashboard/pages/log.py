"""The log of the last hour, live: what is shown comes to the browser straight from REST (``manage.js``)."""

from __future__ import annotations

from diat.dashboard.parts.markup import Markup, html
from diat.dashboard.parts.sections import operation_sections
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Log</h1>"))
    operation_sections(visit, "/log")
    await visit.rest.get("/logs", limit=1)  # who may not is told so
    html(
        Markup(
            '<diat-log><form class="row-wrap">'
            '<label class="plain">At least <select name="level">'
            '<option value="debug">everything</option><option value="info" selected>info</option>'
            '<option value="warning">warnings</option><option value="error">errors</option></select></label>'
            '<label class="plain">From <input name="logger" autocomplete="off"></label>'
            '<label class="plain">With the words <input name="text" autocomplete="off"></label>'
            '<button type="button" class="quiet" data-pause aria-pressed="false">Pause</button></form>'
            '<p class="soft" role="status" data-standing></p>'
            '<ol class="lines" tabindex="0" aria-label="Lines of the log, newest last"></ol></diat-log>'
        )
    )


PAGE = Page(path="/log", title="Log", build=build, nav="hidden", least="admin", under="/operation")
