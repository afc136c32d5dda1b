"""``diat thing``: how things get in and out, asked of a running platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from diat.cli.rest import DATA, URL, DataOption, Rest, TokenOption, UrlOption

app = typer.Typer(help="Things: how they get in and out.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="Id of the thing, or the name of its credential.")]
PRESETS = {
    "zigbee2mqtt": (
        ["zigbee2mqtt/#", "homeassistant/+/+/config", "homeassistant/+/+/+/config"],
        ["zigbee2mqtt/#", "homeassistant/#"],
    ),
    "tasmota": (
        ["tele/#", "stat/#", "tasmota/discovery/#"],
        ["cmnd/#", "tasmota/discovery/#"],
    ),
    "homie": (["homie/#"], ["homie/#"]),
}
"""Topics of well-known bridges: what they publish, and what they subscribe to."""


@app.command("join-key")
def join_key(
    new: Annotated[bool, typer.Option("--new", help="Make another; the one before it ends.")] = False,
    window: Annotated[
        str | None,
        typer.Option("--open", help="Who gets in with it at once: always, closed, or for so many seconds."),
    ] = None,
    anyone: Annotated[
        int, typer.Option("--anyone", min=0, help="Seconds in which not even the key is asked for.")
    ] = 0,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Show the join key as a QR code, and who gets in with it.

    Example: diat thing join-key --open 600
    """
    from diat.adapters.joinkey import as_qr

    rest = Rest(url, token, data)
    if new:
        rest.ask("POST", "/joining/key")
    if window is not None or anyone:
        said = int(window) if window is not None and window.isdecimal() else window or "always"
        rest.ask("PUT", "/joining", {"open": said, "anyone": anyone})
    found = rest.ask("GET", "/joining")
    if found["address"] is None:
        typer.echo("This platform asks for no credential: things just come.")
        return
    typer.echo(as_qr(found["address"]))
    typer.echo(found["address"])
    typer.echo(
        f"open: {found['open']}" + (f", for anyone until {found['anyone']}" if found["anyone"] else "")
    )


@app.command("list")
def list_credentials(url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """All credentials, one a line: name, kind, state.

    Example: diat thing list
    """
    for each in Rest(url, token, data).ask("GET", "/credentials"):
        state = "revoked" if each["revoked"] else "used" if each["used"] else "not used yet"
        typer.echo(f"{each['name']}  {each['kind']}  {state}")


@app.command("revoke")
def revoke(name: Name, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """Cut a thing or bridge off, and keep it out.

    Example: diat thing revoke th1
    """
    Rest(url, token, data).ask("DELETE", _path(name))
    typer.echo(f"{name} is out")


@app.command("rotate")
def rotate(name: Name, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """Give a thing or bridge another password; a thing that is there is told it.

    Example: diat thing rotate th1
    """
    _show(Rest(url, token, data).ask("POST", _path(name)))


@app.command("bridge")
def bridge(
    name: Annotated[str, typer.Argument(help="Its name; zigbee2mqtt, tasmota and homie need no topics.")],
    publish: Annotated[
        list[str] | None, typer.Option("--publish", help="Topics that it speaks on; may be repeated.")
    ] = None,
    subscribe: Annotated[
        list[str] | None, typer.Option("--subscribe", help="Topics that it hears; may be repeated.")
    ] = None,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Make a credential for what speaks for many things, with topics of its own.

    Example: diat thing bridge zigbee2mqtt
    """
    usual: tuple[list[str], list[str]] = PRESETS.get(name, ([], []))
    body = {"name": name, "publish": publish or usual[0], "subscribe": subscribe or publish or usual[1]}
    _show(Rest(url, token, data).ask("POST", "/credentials", body))


@app.command("gateway")
def gateway(
    name: Annotated[str, typer.Argument(help="Its name, which its certificate bears.")],
    publish: Annotated[list[str], typer.Option("--publish", help="Topics that it speaks on.")],
    subscribe: Annotated[list[str] | None, typer.Option("--subscribe", help="Topics that it hears.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Directory for its certificate and key.")] = Path(),
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Let a gateway in, and make the certificate by which it is known; on the platform's own machine.

    Example: diat thing gateway barn --publish 'barn/#' --out /media/stick
    """
    from diat.adapters.certificates import Authority

    body = {"name": name, "kind": "gateway", "publish": publish, "subscribe": subscribe or publish}
    given = Rest(url, token, data).ask("POST", "/credentials", body)
    made = Authority(data.expanduser() / "tls").client(name, out)
    typer.echo(f"{made.certificate}, {made.key}; it is to trust {made.authority}")
    _show(given)


def _path(name: str) -> str:
    return (
        f"/things/{quote(name, safe='')}/credential"
        if ":" in name
        else f"/credentials/{quote(name, safe='')}"
    )


def _show(given: Any) -> None:
    typer.echo(f"user name  {given['username']}")
    typer.echo(f"password   {given['password']}")
    typer.echo("It is shown this once.")
