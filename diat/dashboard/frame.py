"""The frame around each page: skip link, navigation, the main part, and how a person likes to see things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from markupsafe import Markup
from nicegui import ui

from diat.dashboard.likes import UNITS
from diat.dashboard.mount import PATH
from diat.dashboard.parts.acts import toasts
from diat.dashboard.parts.icons import icon
from diat.dashboard.parts.markup import html
from diat.dashboard.registry import Page
from diat.dashboard.visit import THEME, Visit

_UNITS = (("", "as set for all"), ("own", "as things say"), ("metric", "metric"), ("imperial", "imperial"))
_ENTRY = Markup('<li><a href="{}"{}>{}<span>{}</span></a></li>')


@contextmanager
def frame(visit: Visit, page: Page, pages: Sequence[Page]) -> Iterator[None]:
    """What is made within is in the main part of the page."""
    client = ui.context.client
    if visit.theme != "system":
        ui.dark_mode(visit.theme == "dark")
    with client.layout:
        navigation = html(_navigation(visit, page, pages), "nav").classes("rail").props('aria-label="Pages"')
        navigation.move(target_index=0)
        skip = html(Markup('<a class="skip" href="#main">Skip to the content</a>'))
        skip.move(target_index=0)
        toasts()
    with client.content.classes("page").props('id="main" tabindex="-1"'):
        yield


def _navigation(visit: Visit, page: Page, pages: Sequence[Page]) -> Markup:
    shown = [each for each in pages if each.nav != "hidden" and visit.is_at_least(each.least)]
    here = page.under or page.path
    main = [_entry(each, here) for each in shown if each.nav == "main"]
    more = [_entry(each, here) for each in shown if each.nav == "more"]
    return Markup(
        '<a class="brand" href="{}/">DIAT{}</a>'
        '<ul class="main-entries">{}</ul>'
        '<div class="more"><button type="button" data-more aria-expanded="false" aria-controls="sheet">'
        '{}<span>More</span></button><div class="sheet" id="sheet"><ul>{}</ul>{}</div></div>'
    ).format(PATH, _site(visit), Markup().join(main), icon("more"), Markup().join(more), _likes(visit))


def _site(visit: Visit) -> Markup:
    """What people call this place, and the time zone that times are shown in if one is set for all."""
    settings = visit.platform.preferences
    return Markup('<small data-zone="{}">{}</small>').format(
        settings.get("zone") or "", settings.get("title") or ""
    )


def _entry(page: Page, here: str) -> Markup:
    current = Markup(' aria-current="page"') if page.path == here else ""
    return _ENTRY.format(PATH + page.path, current, icon(page.icon), page.title)


def _likes(visit: Visit) -> Markup:
    """The person, and how he or she likes to see things; kept in cookies by ``live.js``."""
    principal = visit.principal
    who = "this machine" if principal.kind == "local" else principal.name
    leave = Markup('<button type="button" class="quiet" data-log-out>Log out</button>')
    return Markup(
        '<div class="likes"><p>{}<span>{}</span></p>'
        '<label>Appearance <select data-like="{}">{}</select></label>'
        '<label>Units <select data-like="{}">{}</select></label>{}</div>'
    ).format(
        icon("person"),
        who,
        THEME,
        _options((("system", "as the system"), ("light", "light"), ("dark", "dark")), visit.theme),
        UNITS,
        _options(_UNITS, visit.chosen),
        "" if principal.kind == "local" else leave,
    )


def _options(options: Sequence[tuple[str, str]], chosen: str) -> Markup:
    return Markup().join(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == chosen else "", said
        )
        for value, said in options
    )
