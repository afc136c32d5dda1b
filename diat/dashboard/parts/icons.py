"""Icons: strokes on a grid of 24, drawn inline so that nothing has to be fetched and nothing jumps."""

from __future__ import annotations

from markupsafe import Markup

_STROKES = {
    "home": "M3 11 12 4l9 7M5.5 9.5V20h13V9.5M10 20v-6h4v6",
    "things": "M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4",
    "places": "M12 21s7-6.2 7-11.5A7 7 0 0 0 5 9.5C5 14.8 12 21 12 21z"
    "M12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
    "services": "M5 4h6v6H5zM13 14h6v6h-6zM8 10v4a3 3 0 0 0 3 3h2",
    "tiers": "M12 3 3 7.5l9 4.5 9-4.5zM3 12l9 4.5 9-4.5M3 16.5 12 21l9-4.5",
    "cameras": "M3 8h11v9H3zM14 11l6-3.5v10L14 14",
    "security": "M12 3 5 6v5c0 4.8 3 8.2 7 10 4-1.8 7-5.2 7-10V6z",
    "operation": "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
    "more": "M5 12h.01M12 12h.01M19 12h.01",
    "person": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
    "dot": "M12 12h.01",
    "start": "M5 12h14M13 6l6 6-6 6",
}
NAMES = frozenset(_STROKES)


def icon(name: str) -> Markup:
    """An icon, hidden from screen readers: the text beside it says it all."""
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>'
    ).format(_STROKES[name])
