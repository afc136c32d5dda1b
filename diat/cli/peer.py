"""``diat peer``: daemons that trust each other, asked of a running one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import typer

from diat.cli.rest import DATA, URL, DataOption, Rest, TokenOption, UrlOption

app = typer.Typer(
    help="Daemons that look things up at each other and work for each other.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_peers(url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """Daemons that are trusted, and those that were found on this network, one a line.

    Example: diat peer list
    """
    for each in Rest(url, token, data).ask("GET", "/peers"):
        state = "trusted" if each["trusted"] else "found"
        if each["trusted"] and not each["reachable"]:
            state = f"does not answer: {each['trouble']}"
        typer.echo(f"{each['name']}  {each['address']}  {each['title']}  {state}")


@app.command("trust")
def trust(
    address: Annotated[str, typer.Argument(help="Where the other daemon's REST is.")],
    there: Annotated[
        str | None,
        typer.Option(
            "--there",
            envvar="DIAT_PEER_TOKEN",
            help="A token of an administrator there; used once.  [default: none, which does on loopback]",
            show_default=False,
        ),
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option("--authority", help="PEM of the authority of its certificate.", exists=True),
    ] = None,
    here: Annotated[
        str | None, typer.Option("--here", help="Where this daemon is for the other one.")
    ] = None,
    role: Annotated[
        Literal["viewer", "operator", "engineer", "admin"],
        typer.Option("--role", help="What each may do at the other."),
    ] = "engineer",
    place: Annotated[
        list[str] | None,
        typer.Option("--place", help="Only at this place and in it; may be repeated.  [default: everywhere]"),
    ] = None,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Have the daemon here and another one trust each other.

    Example: diat peer trust https://garage.local:8000 --there diat_… --authority garage-ca.pem
    """
    body = {"address": address.rstrip("/"), "token": there, "here": here, "role": role, "places": place}
    if authority is not None:
        body["authority"] = authority.read_text("ascii")
    made = Rest(url, token, data).ask("POST", "/peers", body)
    typer.echo(f"{made['name']}  {made['address']}  {made['title']}  trusted")


@app.command("forget")
def forget(
    name: Annotated[str, typer.Argument(help="As `diat peer list` shows it.")],
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also while it does services of ours, which may go on there.")
    ] = False,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Trust a daemon no more: its token here holds no longer.

    Example: diat peer forget diat-0123456789ab
    """
    Rest(url, token, data).ask("DELETE", f"/peers/{quote(name, safe='')}", anyway="true" if anyway else None)


@app.command("things")
def things(
    quantity: Annotated[str | None, typer.Option("--quantity", help="Quantity kind.")] = None,
    place: Annotated[str | None, typer.Option("--place", help="At this place and in it.")] = None,
    hops: Annotated[int, typer.Option("--hops", min=0, max=4, help="Through how many daemons.")] = 1,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Things here and at peers, one a line: daemon, id, place, title.

    Example: diat peer things --quantity Temperature --place house
    """
    found = Rest(url, token, data).ask("GET", "/peers/things", quantity=quantity, place=place, hops=hops)
    for each in found:
        typer.echo(f"{each['daemon']}  {each['id']}  {each['place'] or '-'}  {each['title']}")
