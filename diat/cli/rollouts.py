"""``diat node rollout``: a release given to nodes stage by stage, asked of a running platform."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from diat.cli.rest import DATA, URL, DataOption, Rest, TokenOption, UrlOption

app = typer.Typer(help="Give a release to nodes stage by stage.", no_args_is_help=True, rich_markup_mode=None)
Id = Annotated[str, typer.Argument(help="The roll-out's id.")]


@app.command()
def start(
    release: Annotated[str, typer.Argument(help="Id of a release, such as esp32-2.")],
    place: Annotated[str, typer.Option("--place", help="Only things there, or inside.")] = "",
    version: Annotated[
        int | None, typer.Option("--version", min=0, help="Only things that run this number.")
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option("--stage", help="A number of things, a share like 10%, or all.  [default: 1, 10%, all]"),
    ] = None,
    failures: Annotated[
        int, typer.Option("--failures", min=0, help="Things that may fail before it stops.")
    ] = 0,
    within: Annotated[
        float, typer.Option("--within", min=1, help="Seconds in which a thing has to be well.")
    ] = 900.0,
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to wait for things that are away.")
    ] = 86_400.0,
    address: Annotated[
        str | None, typer.Option("--address", help="Where nodes reach the platform.  [default: as it knows]")
    ] = None,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Begin: one thing, a tenth, all; each stage waits until its things are well, failures stop it.

    Example: diat node rollout start esp32-2 --place hq/2 --failures 1
    """
    wanted: dict[str, Any] = {"release": release, "place": place, "failures": failures}
    wanted |= {"within": within, "wait": wait, "version": version, "address": address}
    if stage:
        wanted["stages"] = [int(each) if each.isdigit() else each for each in stage]
    said = {key: value for key, value in wanted.items() if value is not None}
    _tell(Rest(url, token, data).ask("POST", "/rollouts", said))


@app.command("list")
def list_rollouts(url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """All roll-outs, one a line.

    Example: diat node rollout list
    """
    for each in Rest(url, token, data).ask("GET", "/rollouts"):
        _tell(each)


@app.command()
def show(rollout: Id, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """One roll-out, with how each of its things stands.

    Example: diat node rollout show 5f0c1d2e3a4b
    """
    found = Rest(url, token, data).ask("GET", _path(rollout))
    _tell(found)
    for name, each in found["things"].items():
        typer.echo(f"  {name}  {each['state']}  {each.get('why', '')}".rstrip())


@app.command()
def pause(rollout: Id, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """Ask no further thing for now.

    Example: diat node rollout pause 5f0c1d2e3a4b
    """
    _tell(Rest(url, token, data).ask("POST", f"{_path(rollout)}/pause"))


@app.command()
def resume(rollout: Id, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """Go on with what was paused.

    Example: diat node rollout resume 5f0c1d2e3a4b
    """
    _tell(Rest(url, token, data).ask("POST", f"{_path(rollout)}/resume"))


@app.command()
def cancel(rollout: Id, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """End it; things that were updated stay so.

    Example: diat node rollout cancel 5f0c1d2e3a4b
    """
    _tell(Rest(url, token, data).ask("POST", f"{_path(rollout)}/cancel"))


def _path(rollout: str) -> str:
    return f"/rollouts/{quote(rollout, safe='')}"


def _tell(each: dict[str, Any]) -> None:
    counts = ", ".join(f"{count} {state}" for state, count in each["counts"].items())
    why = f"; {each['why']}" if each.get("why") else ""
    stage = f"stage {each['stage']} of {len(each['stages'])}"
    typer.echo(f"{each['id']}  {each['release']}  {each['state']}, {stage}: {counts}{why}")
