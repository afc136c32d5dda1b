"""The demo as a live table: services, things, last commands; no column changes its width."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from diat.cli.demo_rest import CommandView, ServiceView, Shown, Snapshot, ThingView
from diat.cli.demo_story import (
    SLACK,
    Milestones,
    bound_readings,
    driven,
    in_band,
    measured,
    pretty,
    pretty_unit,
)
from diat.kernel.clock import parse_time

_STATUS_STYLES = {
    "online": "green",
    "running": "green",
    "completed": "green",
    "stale": "yellow",
    "degraded": "yellow",
    "waiting": "yellow",
    "pending": "yellow",
    "sent": "yellow",
    "offline": "red",
    "failed": "red",
    "expired": "red",
    "in-doubt": "red",
}

_MOST_COMMANDS = 6
_ROOM_FOR_TWO = 114
"""Columns of the terminal from which on two readings of a thing are shown."""
_NARROW = 86
"""Columns below which some columns are cut."""

# What says little in a table, so that it comes last, and the last of it very last.
_TEDIOUS = ("humidity", "power", "connection_state", "battery", "linkquality", "id")


def render(
    snapshot: Snapshot, milestones: Milestones, *, urls: str, elapsed: float, note: str, size: tuple[int, int]
) -> RenderableType:
    """Everything, to be shown in place of the frame before.

    Args:
        snapshot: what the platform last said.
        milestones: what was reached so far.
        urls: where to look further, one line.
        elapsed: seconds since the platform was ready.
        note: what is wrong right now, one line; empty if nothing is.
        size: columns and lines of the terminal; what does not fit is left out.
    """
    header = Text.assemble(
        ("DIAT demo ", "bold"), f"{elapsed:6.1f} s   ", (milestones.reached(), "cyan"), "\n", (urls, "dim")
    )
    header.append(f"\n{note}", "red")  # a line of its own even while empty: nothing moves when it comes
    footer = Text("Ctrl-C ends all of it", "dim")
    columns, lines = size
    upper = (_services(snapshot, columns), _things(snapshot, columns))
    left = lines - 5 - sum(table.row_count + 3 for table in upper) - 4  # heads, rules and empty lines
    commands = _commands(snapshot, columns, max(1, min(_MOST_COMMANDS, left)))
    return Group(header, "", upper[0], "", upper[1], "", commands, "", footer)


def _table(*columns: tuple[str, int]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    for name, width in columns:
        table.add_column(name, width=width, no_wrap=True, overflow="ellipsis")
    return table


def _services(snapshot: Snapshot, columns: int) -> Table:
    table = _table(
        ("Service", 25),
        ("State", 8),
        ("Value", 10),
        ("Drives", 6),
        ("In band", 7),
        ("Bound", max(10, min(45, columns - 66))),
    )
    for service in snapshot.services:
        shown, switch = measured(snapshot, service), driven(snapshot, service)
        table.add_row(
            service.title,
            _status(service.state),
            "" if shown is None else _value(shown),
            "" if switch is None else pretty(switch.value),
            _band(snapshot, service),
            _bound(snapshot, service),
        )
    return table


def _band(snapshot: Snapshot, service: ServiceView) -> Text:
    inside = in_band(snapshot, service, SLACK)
    if inside is None:
        return Text("")
    return Text("yes", "green") if inside else Text("not yet", "yellow")


def _bound(snapshot: Snapshot, service: ServiceView) -> str:
    if service.missing:
        return "missing: " + "; ".join(service.missing)
    if len(service.bindings) > 2:
        return f"{len(service.bindings)} things, {len(bound_readings(snapshot, service))} with a reading"
    return ", ".join(snapshot.title(bound.thing) for bound in service.bindings)


def _things(snapshot: Snapshot, columns: int) -> Table:
    readings = 2 if columns >= _ROOM_FOR_TWO else 1
    dialect = 7 if columns < _NARROW else 13
    width = 25 * readings + 2 * (readings - 1)
    table = _table(
        ("Thing", 20), ("Place", 12), ("Dialect", dialect), ("Status", 8), ("Last readings", width)
    )
    own = {service.thing for service in snapshot.services}
    for thing in sorted(snapshot.things.values(), key=lambda thing: (thing.place or "~", thing.title)):
        if thing.id not in own:
            shown = "  ".join(_reading(reading) for reading in _foremost(thing)[:readings])
            table.add_row(thing.title, thing.place, thing.dialect, _status(thing.status), shown)
    return table


def _foremost(thing: ThingView) -> list[Shown]:
    def tedium(shown: Shown) -> tuple[int, str]:
        ranks = [rank for rank, word in enumerate(_TEDIOUS, 1) if shown.name.lower().endswith(word)]
        return max(ranks, default=0), shown.name

    return sorted(thing.readings.values(), key=tedium)


def _reading(shown: Shown) -> str:
    age = "    " if shown.age is None else f"{min(shown.age, 999):3.0f}s"
    # The end of a long name tells more than its beginning: "ds18b20_temperature".
    return f"{shown.name[-11:]:<11}{_value(shown)}{age}"


def _value(shown: Shown) -> str:
    if isinstance(shown.value, int | float) and not isinstance(shown.value, bool):
        return f"{shown.value:7.2f} {pretty_unit(shown.unit):<2.2}"
    return f"{pretty(shown.value):>7.7}   "


def _commands(snapshot: Snapshot, columns: int, rows: int) -> Table:
    who = 16 if columns < _NARROW else 25
    table = _table(("At", 8), ("Last commands", 16), ("To", 20), ("By", who), ("Result", 9))
    titles = {service.id: service.title for service in snapshot.services}
    shown = snapshot.commands[:rows]
    for command in shown:
        table.add_row(*_command(snapshot, command, titles.get(command.service or "", "a person")))
    for _ in range(rows - len(shown)):
        table.add_row()  # the frame keeps its height
    return table


def _command(snapshot: Snapshot, command: CommandView, who: str) -> tuple[str | Text, ...]:
    what = f"{command.affordance} = {pretty(command.input)}"
    return _time(command.created), what, snapshot.title(command.thing), who, _status(command.status)


def _time(stamp: str) -> str:
    """The time of day here, of an RFC 3339 time."""
    if not stamp:
        return ""
    return datetime.fromtimestamp(parse_time(stamp) / 1000, UTC).astimezone().strftime("%H:%M:%S")


def _status(status: str) -> Text:
    return Text(status, _STATUS_STYLES.get(status, ""))
