"""``diat user`` and ``diat token``: who may do what, asked of a running platform."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer

from diat.cli.rest import DATA, URL, DataOption, Rest, TokenOption, UrlOption

users = typer.Typer(
    help="People and programs: who they are and what they may.", no_args_is_help=True, rich_markup_mode=None
)
tokens = typer.Typer(help="Tokens: what programs come with.", no_args_is_help=True, rich_markup_mode=None)

Role = Literal["viewer", "operator", "engineer", "admin"]
Name = Annotated[str, typer.Argument(help="The login.")]
PlaceOption = Annotated[
    list[str] | None,
    typer.Option("--place", help="Only at this place and in it; may be repeated.  [default: everywhere]"),
]
TitleOption = Annotated[str, typer.Option("--title", help="For people.")]


@users.command("list")
def list_users(url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """All users, one a line: name, kind, roles.

    Example: diat user list
    """
    for each in Rest(url, token, data).ask("GET", "/users"):
        typer.echo(_line(each))


@users.command("add")
def add_user(
    name: Name,
    role: Annotated[Role, typer.Option("--role", help="What he may do.")],
    place: PlaceOption = None,
    title: TitleOption = "",
    program: Annotated[
        bool, typer.Option("--program", help="A program: it has tokens and no password.")
    ] = False,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Make a user; of a person also a link that sets the password, once, within a day.

    Example: diat user add ada --role operator --place hq/2
    """
    rest = Rest(url, token, data)
    body = {"name": name, "title": title, "kind": "account" if program else "user"}
    typer.echo(_line(rest.ask("POST", "/users", {**body, "grants": [_grant(role, place)]})))
    if not program:
        _invite(rest, name)


@users.command("change")
def change_user(
    name: Name,
    role: Annotated[Role | None, typer.Option("--role", help="What he may do from now on.")] = None,
    place: PlaceOption = None,
    disable: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Whether he may do nothing at all.")
    ] = None,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Give a user another role, or disable him; what runs under his tokens ends at once.

    Example: diat user change ada --role viewer --place hq
    """
    rest = Rest(url, token, data)
    known = rest.ask("GET", f"/users/{quote(name, safe='')}")
    body = {
        "title": known["title"],
        "grants": known["grants"] if role is None else [_grant(role, place)],
        "disabled": known["disabled"] if disable is None else disable,
    }
    typer.echo(_line(rest.ask("PUT", f"/users/{quote(name, safe='')}", body)))


@users.command("remove")
def remove_user(name: Name, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """Remove a user with all his tokens.

    Example: diat user remove ada
    """
    Rest(url, token, data).ask("DELETE", f"/users/{quote(name, safe='')}")


@users.command("invite")
def invite_user(name: Name, url: UrlOption = URL, token: TokenOption = None, data: DataOption = DATA) -> None:
    """Print a link that sets a user's password, once, within a day: also for who forgot it.

    On the machine of the platform it needs no token: whoever can read the data directory may.

    Example: diat user invite admin --data ~/house
    """
    _invite(Rest(url, token, data), name)


@tokens.command("list")
def list_tokens(
    user: Annotated[str | None, typer.Option("--user", help="Only those of this user.")] = None,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Tokens and sessions that hold, one a line: id, owner, until when, what for.

    Example: diat token list --user scraper
    """
    for each in Rest(url, token, data).ask("GET", "/tokens", user=user):
        where = "" if each["places"] is None else f" at {', '.join(each['places'])}"
        role = each["role"] or "as its owner"
        typer.echo(
            f"{each['id']}  {each['user']}  {role}{where}  until {each['expires']}  "
            f"{each['kind']}  {each['title']}"
        )


@tokens.command("add")
def add_token(
    title: Annotated[str, typer.Argument(help="What it is for.")],
    user: Annotated[str | None, typer.Option("--user", help="The program that it is of.")] = None,
    role: Annotated[Role | None, typer.Option("--role", help="The highest role that it gives.")] = None,
    place: PlaceOption = None,
    purpose: Annotated[str, typer.Option("--purpose", help="What it asks for, as policies name it.")] = "",
    expires: Annotated[
        str | None, typer.Option("--expires", help="How long, or until when.  [default: 90d]")
    ] = None,
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Make a token and print it; it is not shown again.

    Example: diat token add "Grafana" --user scraper --role viewer --expires 30d
    """
    body: dict[str, Any] = {"title": title, "user": user, "role": role, "places": place, "purpose": purpose}
    made = Rest(url, token, data).ask("POST", "/tokens", {**body, "expires": expires})
    typer.echo(made["token"])


@tokens.command("revoke")
def revoke_token(
    which: Annotated[str, typer.Argument(metavar="ID", help="As `diat token list` shows it.")],
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Let a token open nothing any more; what runs under it ends at once.

    Example: diat token revoke 5f2c9a1be07d4c33aa10
    """
    Rest(url, token, data).ask("DELETE", f"/tokens/{quote(which, safe='')}")


def _invite(rest: Rest, name: str) -> None:
    made = rest.ask("POST", f"/users/{quote(name, safe='')}/invitation")
    typer.echo(f"{made['link']}\n  sets the password of {name}, once, until {made['expires']}", err=False)


def _grant(role: str, places: list[str] | None) -> dict[str, Any]:
    return {"role": role} | ({} if not places else {"places": places})


def _line(user: dict[str, Any]) -> str:
    roles = ", ".join(
        each["role"] + (f" at {' and '.join(each['places'])}" if "places" in each else "")
        for each in user["grants"]
    )
    marks = "  disabled" if user["disabled"] else ""
    return f"{user['name']}  {user['kind']}  {roles or 'no role'}{marks}"
