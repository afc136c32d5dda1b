"""``diat plan``: what a request would come to, asked of a running platform and printed for a person."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from diat.cli.rest import Rest
from diat.kernel.errors import Invalid

Json = dict[str, Any]
_COMMANDS = 20
"""Commands of a replay that are shown."""

FINE, NOT_YET, FIGHTS = 0, 1, 3
"""Ways in which ``diat plan`` ends: it would run; something that it needs is missing; it would be in conflict
with another service. Bad input ends with 2, as everywhere."""


def run(
    file: Path, rest: Rest, since: str | None, until: str | None, instead: str | None, *, as_json: bool
) -> int:
    """Ask and print; the exit code.

    Raises:
        Invalid: the file is no request, or the platform refuses it.
        Unavailable: no platform answers there.
    """
    body = _read(file)
    if since is not None:
        body["replay"] = {"from": since} | ({"to": until} if until is not None else {})
    plan: Json = rest.ask("POST", "/services/plan", body, instead=instead)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if as_json:
        console.print_json(data=plan)
    else:
        show(plan, console)
    if plan["state"] == "waiting":
        return NOT_YET
    return FIGHTS if plan["conflicts"] else FINE


def show(plan: Json, console: Console) -> None:
    """A plan, for a person."""
    console.print(f"“{plan['title']}” ({plan['template']} {plan['version']}) would be {plan['state']}")
    for line in plan["missing"]:
        console.print(f"  missing: {line}")
    if plan["shared_with"]:
        console.print(f"  done already for {', '.join(plan['shared_with'])}")
    _candidates(plan, console)
    for each in plan["conflicts"]:
        won = f"; “{each['winner']}” wins ({each['priority']})" if each["winner"] else ""
        console.print(f"  conflict: {each['situation']}{won}")
    if not plan["conflicts"]:
        tried = "" if plan["conflicts_complete"] else ", though not everything could be tried"
        console.print(f"  no conflict with another service{tried}")
    for tier in plan["placement"]["tiers"]:
        console.print(f"  {tier['tier']}: {len(tier['steps'])} steps, {tier['bytes_per_hour']} bytes an hour")
    if "replay" in plan:
        _replay(plan["replay"], console)


def _candidates(plan: Json, console: Console) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    for column in ("role", "thing", "affordance", ""):
        table.add_column(column, overflow="fold")
    for each in plan["bindings"]:
        table.add_row(each["role"], each["title"], each["affordance"], each["reason"])
    for each in plan["refused"]:
        table.add_row(each["role"], each["title"], each["affordance"], f"no: {each['reason']}", style="dim")
    if table.row_count:
        console.print(table)


def _replay(replay: Json, console: Console) -> None:
    console.print(
        f"  from {replay['from']} to {replay['to']}: {replay['count']} commands, "
        f"{replay['messages']} messages"
    )
    if replay["stopped"]:
        console.print(f"  stopped early: {replay['stopped']}")
    counts = replay["difference"]["counts"]
    console.print(
        f"  {counts['same']} as they were given then, {counts['planned']} only planned, "
        f"{counts['real']} only given"
    )
    marked = [("=", each["planned"]) for each in replay["difference"]["same"]]
    marked += [("+", each) for each in replay["difference"]["planned"]]
    marked += [("-", each) for each in replay["difference"]["real"]]
    marked.sort(key=lambda each: str(each[1]["at"]))
    for mark, each in marked[:_COMMANDS]:
        by = f" by {each['by']}" if "by" in each else ""
        line = f"  {mark} {each['at']}  {each['thing']} {each['affordance']} = {each['input']}{by}"
        console.print(line)
    if len(marked) > _COMMANDS:
        console.print(f"  and {len(marked) - _COMMANDS} more")


def _read(file: Path) -> Json:
    try:
        source = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
        body = yaml.safe_load(source)
    except OSError as error:
        raise Invalid(f"{file} cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid(f"{file} is neither JSON nor YAML: {error}".replace("\n", " ")[:300]) from None
    if not isinstance(body, dict):
        raise Invalid(f"{file} is no request: an object with title, template and parameters is wanted")
    return body
