"""What the commands share that ask a running platform over REST."""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

UrlOption = Annotated[
    str,
    typer.Option(
        "--url",
        envvar="DIAT_URL",
        help="Where the platform's REST is.  [default: the one that runs on --data, else port 8000 here]",
        show_default=False,
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="DIAT_TOKEN",
        help="Who asks; better in the environment.  [default: the owner's, from --data]",
        show_default=False,
    ),
]
DataOption = Annotated[
    Path,
    typer.Option(
        "--data", envvar="DIAT_DATA", help="The platform's data directory, if it is on this machine."
    ),
]
URL = "http://127.0.0.1:8000"
DATA = Path("diat-data")
PATIENCE = 60.0
"""Seconds that an answer is waited for: a replay takes its time."""


class Rest:
    """A running platform, as the command line sees it.

    Args:
        url: where its REST is; unless that was said, where the one runs whose data directory it is.
        token: who asks, if that was said.
        data: its data directory, where the owner's token lies if it asks for any.
    """

    def __init__(self, url: str, token: str | None, data: Path) -> None:
        from diat.serving.owner import address, credential

        if url == URL:
            url = address(data) or URL
        self._url = url.rstrip("/")
        # What opens this machine's platform goes to nobody else.
        known = credential(token, data if _on_this_machine(url) else None)
        authority = data.expanduser() / "tls" / "ca.pem"
        ours = self._url.startswith("https:") and _on_this_machine(url) and authority.exists()
        self._trust = ssl.create_default_context(cafile=str(authority)) if ours else True
        self._headers = {} if known is None else {"Authorization": f"Bearer {known}"}

    def __repr__(self) -> str:
        return f"Rest({self._url!r})"

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of the answer; None if there is none.

        Raises:
            Invalid: the platform refuses it; the message is what it says.
            Unavailable: no platform answers there.
        """
        import httpx
        import msgspec

        from diat.kernel.errors import Invalid, Unavailable

        headers = {**self._headers, "Content-Type": "application/json"}
        content = None if body is None else msgspec.json.encode(body)
        wanted = {name: value for name, value in query.items() if value is not None}
        try:
            answer = httpx.request(
                method,
                self._url + path,
                content=content,
                headers=headers,
                params=wanted,
                timeout=PATIENCE,
                verify=self._trust,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"no platform answers at {self._url}: {error}") from None
        except UnicodeEncodeError:
            raise Invalid("a token is letters, digits, _ and -", "--token") from None
        if not answer.is_success:
            raise Invalid(refusal(answer))
        return answer.json() if answer.content else None


def _on_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(answer: Any) -> str:
    """What a platform says against a request, in a line."""
    try:
        problem = answer.json()
        field = f"{problem['field']}: " if problem.get("field") else ""
        return f"{field}{problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"the platform answered {answer.status_code}"
