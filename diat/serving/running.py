"""A daemon with its REST application as a process, until somebody ends it.

No command line is known here: a process that has read its flags elsewhere does not carry what reads them.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence

import uvicorn

from diat import __version__
from diat.daemon import Daemon
from diat.kernel.errors import SetupError
from diat.serving.late import Application, Late
from diat.serving.owner import ADDRESS, OWNER_TOKEN, keep
from diat.settings import LOOPBACK, Listen, Settings

PAGES = "/ui"
"""Where the dashboard is (``diat.dashboard.mount.PATH``, which would load all of it)."""
GRACE = 3
"""Seconds in which open requests may end."""


def run_daemon(
    settings: Settings,
    make: Callable[[Callable[[], None], Callable[[], None]], Daemon],
    *,
    verbose: bool,
    dashboard: bool,
    said: Sequence[str] = (),
    arguments: Sequence[str] | None = None,
    slim: bool = False,
) -> None:
    """Run a daemon with its REST application until SIGTERM or SIGINT, then stop in order.

    Args:
        settings: of the daemon.
        make: makes the daemon, given what it is to call when it cannot go on, and to be started again.
        verbose: whether every request is logged.
        dashboard: whether its pages are served; they take memory.
        said: lines to greet with besides.
        arguments: of ``diat``, by which it is started again; None for those of this process.
        slim: whether it is to take little memory: REST is loaded when it is first asked, and the loop that
            turns for it is Python's own.

    Raises:
        SetupError: something is in the way; the message names the way out.
    """
    # uvicorn raises the signal that ended it once more when it is done: it must unwind, not kill.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    listening = _listen(settings.http)
    # A daemon that stores nothing any more must end, so that whoever watches it starts it again.
    again = threading.Event()

    def end() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def restart() -> None:
        again.set()
        end()

    daemon = make(end, restart)
    # What is loaded now stays: to look through it again and again took a third of the start.
    gc.disable()
    try:
        with daemon:
            application: Application = (
                Late(daemon, lambda: _rest(daemon, dashboard=False))
                if slim and not dashboard
                else _rest(daemon, dashboard=dashboard)
            )
            _settle_memory()
            _greet(daemon, said, dashboard=dashboard)
            owner = settings.data / OWNER_TOKEN
            keep(owner, daemon.submit(daemon.people.owner_token).result())
            here = settings.data / ADDRESS
            keep(here, _from_here(daemon))
            if settings.lan:
                _let_the_first_one_in(daemon)
            server = uvicorn.Server(
                uvicorn.Config(
                    application,
                    loop="asyncio" if slim else "auto",
                    log_level="info" if verbose else "warning",
                    access_log=verbose,
                    # Its lines go where all others go: to standard error, and into the recent log.
                    log_config=None,
                    timeout_graceful_shutdown=GRACE,
                    server_header=False,
                    lifespan="off",
                    ssl_certfile=daemon.tls.certificate if daemon.tls is not None else None,
                    ssl_keyfile=daemon.tls.key if daemon.tls is not None else None,
                )
            )
            try:
                server.run(sockets=[listening])
            finally:
                owner.unlink(missing_ok=True)
                here.unlink(missing_ok=True)
    except SystemExit:
        if daemon.crashed:
            raise SystemExit(1) from None
        if again.is_set():
            # The same process with the same flags: whoever watches over it sees no end.
            sys.stdout.flush()
            given = sys.argv[1:] if arguments is None else arguments
            os.execv(sys.executable, [sys.executable, "-m", "diat", *given])
        raise
    finally:
        listening.close()


def _rest(daemon: Daemon, *, dashboard: bool) -> Application:
    """The REST application, with its pages where they are wanted."""
    from diat.api.app import make_app

    app = make_app(daemon, __version__)
    if dashboard:
        # Loaded only where it is wanted: the pages take more memory than all else together.
        from diat.dashboard.mount import serve

        serve(app, daemon)
    return app


def _settle_memory() -> None:
    """Keep the garbage collector from walking through everything that is there for good.

    A full collection over what is imported and loaded at the start took 60 to 130 ms, in which no message is
    taken and no command sent: it was the whole of the slowest hundredth. What comes later is still collected.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    gc.enable()


def _end(number: int, frame: object) -> None:
    """Unwind, once: while things are being stopped a second signal changes nothing."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


def _listen(address: Listen) -> socket.socket:
    """Take the port before anything is started, so that a taken one gives its line at once."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then: without it each answer takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address.host, address.port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise SetupError(
            f"port {address.port} cannot be used ({error.strerror}): choose another with --http"
        ) from None
    listening.set_inheritable(False)
    return listening


def _let_the_first_one_in(daemon: Daemon) -> None:
    """Print a link as long as there is nobody who can log in and change users."""
    invitation = daemon.submit(lambda: daemon.people.first_admin("admin")).result()
    if invitation is not None:
        http = daemon.settings.http
        host = socket.gethostname() if http.host in ("0.0.0.0", "::") else http.host
        _say("Nobody can log in yet. This link, good once and for a day, sets the password of admin:")
        scheme = "https" if daemon.tls is not None else "http"
        _say(f"  {scheme}://{Listen(host, http.port)}/login#{invitation}")


def _from_here(daemon: Daemon) -> str:
    """Where REST is reached from this machine."""
    listen = daemon.settings.http
    anywhere = {"0.0.0.0": LOOPBACK, "::": "::1"}
    host = anywhere.get(listen.host, listen.host)
    return f"http{'s' if daemon.tls is not None else ''}://{Listen(host, listen.port)}"


def _greet(daemon: Daemon, said: Sequence[str], *, dashboard: bool) -> None:
    settings, tls = daemon.settings, daemon.tls
    scheme = "s" if tls is not None else ""
    own = settings.broker in ("embedded", "mosquitto")
    broker = f"mqtt{scheme}://{settings.mqtt}" if own else settings.broker
    _say(f"diat {__version__} is up")
    _say(f"  REST    http{scheme}://{settings.http}   (try /docs)")
    if dashboard:
        _say(f"  pages   http{scheme}://{settings.http}{PAGES}/")
    _say(f"  broker  {broker.rpartition('@')[2] if '@' in broker else broker}")
    _say(f"  data    {settings.data}")
    if tls is not None and tls.authority is not None:
        _say(f"  CA      {tls.authority}: give it to browsers and things that are to trust this platform")
    if settings.lan:
        _say("  things  join with the key that `diat thing join-key` shows")
    for line in said:
        _say(f"  {line}")
    _say("Ctrl-C ends it.")


def _say(line: str) -> None:
    print(line, flush=True)
