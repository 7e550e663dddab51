"""serve, worker, migrate: the processes of a deployment."""

from contextlib import nullcontext
from typing import Annotated

import typer

from service import logs, migrations
from service.cli.following import following
from service.cli.outcome import Exit, Failed, Json, console, print_json
from service.cli.settings import load_settings, open_database
from service.config import Settings, secret_bytes


def add_to(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(worker)
    app.command()(migrate)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes: more of them for more load.")] = 1,
    grace_s: Annotated[int, typer.Option(min=0, help="Seconds that requests under way get to end in after SIGTERM.")] = 30,
    follow: Annotated[str | None, typer.Option(metavar="URL", help="Be a query node of the service there.")] = None,
) -> None:
    """Answer over HTTP until SIGTERM or Ctrl-C.

    With --follow from a database of its own, which is filled from that service's feed (with the key in ZHENGPIAO_FOLLOW_KEY) and
    compared with the contract batch by batch.
    """
    with following(follow) if follow is not None else nullcontext():
        _serve(host, port, workers, grace_s)


def _serve(host: str, port: int, workers: int, grace_s: int) -> None:
    _ready("receipt_key", "contract")
    import uvicorn  # not for the other commands

    try:
        uvicorn.run(
            "service.app:application",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            timeout_graceful_shutdown=grace_s,
            log_config=None,
            access_log=False,
            server_header=False,
        )
    except SystemExit as ended:  # the log says why
        if ended.code:
            raise Failed(Exit.UNAVAILABLE, "not_started", f"cannot serve at {host}:{port}") from None


def worker() -> None:
    """Seal accepted entries and bring them to the chain, until SIGTERM or Ctrl-C. One is enough; a second one harms nothing."""
    settings = _ready("receipt_key", "contract", "anchor_key")
    from service import worker as loop  # slow to import
    from service.deliveries import courier

    try:
        courier.senders_of(settings)
    except ValueError as error:
        raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None
    loop.run(settings)


def migrate(as_json: Json = False) -> None:
    """Take the database to the schema of this program. Safe to repeat, and safe while another one does the same."""
    settings = load_settings()
    with open_database(settings, migrated=False) as database:
        before, after = migrations.migrate(database)
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        console.print(f"The database is at revision {after} already.")
    else:
        console.print(f"The database is at revision {after} now; before it was {f'at {before}' if before else 'empty'}.")


def _ready(*needed: str) -> Settings:
    """The settings, for a process that goes on: what would stop it later stops it now."""
    settings = load_settings()
    logs.configure(settings.env)
    for name in needed:
        value = getattr(settings, name)
        if value is None:
            raise Failed(Exit.CONFIGURATION, "settings", f"ZHENGPIAO_{name.upper()} is not set")
        if name.endswith("_key"):
            try:
                secret_bytes(value, f"ZHENGPIAO_{name.upper()}")
            except ValueError as error:
                raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None
    with open_database(settings):
        return settings
