"""``diat policy``: what may be done with what, asked of a running platform."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from diat.cli.rest import DATA, URL, DataOption, Rest, TokenOption, UrlOption

app = typer.Typer(
    help="Policies: what may be done with what, in which form and when.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Id = Annotated[str, typer.Argument(help="The policy's id.")]
File = Annotated[Path, typer.Argument(help="The policy, YAML or JSON; - for standard input.")]


@app.command("list")
def list_policies(url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """All policies, one a line: id, effect, title.

    Example: diat policy list
    """
    for each in Rest(url, token, data).ask("GET", "/policies"):
        typer.echo(f"{each['id']}  {each.get('effect', 'cedar')}  {each.get('title', '')}".rstrip())


@app.command()
def put(
    policy: Id, file: File, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA
) -> None:
    """Put a policy, or another one in its place; it holds at once. Tells where it meets others.

    Example: diat policy put quiet-nights nights.yaml
    """
    _told(Rest(url, token, data).ask("PUT", _path(policy), _read(file)), "it holds")


@app.command()
def check(
    policy: Id, file: File, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA
) -> None:
    """Look at a policy as if it was put; nothing happens.

    Example: diat policy check quiet-nights nights.yaml
    """
    _told(Rest(url, token, data).ask("POST", f"{_path(policy)}/check", _read(file)), "it can be put")


@app.command()
def remove(policy: Id, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """Take a policy away, at once.

    Example: diat policy remove quiet-nights
    """
    Rest(url, token, data).ask("DELETE", _path(policy))


@app.command()
def why(
    who: Annotated[str, typer.Argument(help="kind:name, like user:ada or service:5f0c.")],
    operation: Annotated[str, typer.Argument(help="read, observe, history, export, write, invoke, bind, …")],
    thing: Annotated[str | None, typer.Argument(help="Id of a thing.  [default: the platform]")] = None,
    affordance: Annotated[str, typer.Argument(help="Its property, action or event.")] = "",
    role: Annotated[
        list[str] | None, typer.Option("--role", help="A role that it has: viewer, or viewer@hq/2.")
    ] = None,
    purpose: Annotated[str, typer.Option("--purpose", help="What it says it asks for.")] = "",
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Tell what would be decided just now, and by which role or policy.

    Ends with 0 if it is permitted in whatever form, 1 if it is denied.

    Example: diat policy why user:ada read urn:dev:lamp on --role viewer@hq/2
    """
    kind, _, name = who.partition(":")
    grants = []
    for each in role or []:
        held, _, place = each.partition("@")
        grants.append({"role": held} | ({"places": [place]} if place else {}))
    asked: dict[str, Any] = {"kind": kind, "name": name, "grants": grants, "purpose": purpose}
    asked |= {"operation": operation, "affordance": affordance} | ({"thing": thing} if thing else {})
    told = Rest(url, token, data).ask("POST", "/policies/decide", asked)
    typer.echo(f"{told['effect']}: {told['reason']}")
    raise typer.Exit(told["effect"] == "deny")


def _path(policy: str) -> str:
    return f"/policies/{quote(policy, safe='')}"


def _read(file: Path) -> Any:
    from diat.kernel.errors import Invalid
    from diat.service.plain_yaml import read_yaml

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {file}: {error}", "file") from None
    return read_yaml(text)


def _told(answer: Any, done: str) -> None:
    for line in answer.get("warnings", []):
        typer.echo(f"note: {line}", err=True)
    typer.echo(f"{answer['id']}: {done}")
