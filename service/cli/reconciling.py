"""reconcile: our store against the chain, an external record against our store, a node against both."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli.outcome import Exit, Failed, Json, console, moment, print_fields, print_json, print_rows, progress_console
from service.cli.settings import load_settings, open_database
from service.config import Settings
from service.db import Database

_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    app.command()(reconcile)


def reconcile(
    source: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="An external record: database, CSV, XLSX, Parquet.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(metavar="FILE", help="TOML: their columns to our fields.")] = None,
    node: Annotated[str | None, typer.Option(metavar="URL", help="A query node.")] = None,
    mirror: Annotated[Path | None, typer.Option(metavar="DIR", help="A mirror: with it more can be named.")] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="For our own store.")] = 1,
    repair: Annotated[bool, typer.Option(help="Queue again what is ours, accepted and not yet on chain.")] = True,
    export: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings: .json, .ndjson, .csv, .parquet")] = None,
    as_json: Json = False,
) -> None:
    """Compare everything, as of one finalised block, and say exactly what differs.

    Our own store against the chain; with --source an external record against our proven store; with --node a query node against
    the chain and us. A killed run goes on where it was. Status 0 where all is as it should be, 1 where something was found,
    69 where the chain, the source or the node could not be read: then nothing is known.
    """
    if (source is None) != (mapping is None) or (source is not None and node is not None):
        raise Failed(Exit.USAGE, "usage", "--source goes with --mapping, and without --node")
    form = None
    if export is not None:
        from service.reconciliation.exports import FORMS

        form = next((form for form in FORMS if export.suffix == f".{form}"), None)
        if form is None:
            raise Failed(Exit.USAGE, "usage", f"--export writes {', '.join(f'.{known}' for known in FORMS)}")
    settings = load_settings()
    with open_database(settings) as database, ExitStack() as stack:
        run = _run(settings, database, source, mapping, node, mirror, processes, repair, stack)
        if export is not None and form is not None:
            _export(database, run.id, export, form)
        _report(database, run, as_json)
    if run.matches is not True:
        raise typer.Exit(Exit.UNAVAILABLE if run.matches is None else Exit.REFUSED)


def _run(
    settings: Settings,
    database: Database,
    source: str | None,
    mapping: Path | None,
    node: str | None,
    mirror: Path | None,
    processes: int,
    repair: bool,
    stack: ExitStack,
) -> Any:
    from service.ledger.receipts import public_keys
    from service.reconciliation import runs
    from service.reconciliation.working import ChainAccess, nodes_of

    if settings.contract is None:
        raise Failed(Exit.CONFIGURATION, "settings", "ZHENGPIAO_CONTRACT is not set")
    try:
        access = ChainAccess(settings, public_keys(settings))
    except ValueError as error:
        raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None
    stack.callback(access.close)
    if node is not None:
        from service.central.remote import Remote, RemoteFailed
        from service.reconciliation.nodes import NODE, compare

        remote = Remote(node, nodes_of(settings).get(node))
        stack.callback(remote.close)
        return compare(database, _begin(database, NODE, node), access.reader(), remote, node, settings.grace_s, (RemoteFailed,))
    if source is not None and mapping is not None:
        from service.reconciliation.external import sources
        from service.reconciliation.external.mapping import BadMapping, read_mapping
        from service.reconciliation.external.matching import RECORD, RecordRun

        try:
            read = read_mapping(mapping)
            id_ = _begin(database, RECORD, sources.shown(source))
            with _Bar() as bar:
                return RecordRun(database, id_, access.reader, source, read, _working_folder(settings)).run(bar)
        except BadMapping as error:
            raise Failed(Exit.INPUT, "bad_source", str(error)) from None
    if mirror is not None and not mirror.is_dir():
        raise Failed(Exit.INPUT, "no_mirror", f"{mirror} is no folder")
    url = settings.database_url.get_secret_value()
    with _Bar() as bar:
        one = runs.StoreRun(
            database,
            _begin(database, runs.STORE, ""),
            access.reader,
            url=url,
            mirror=mirror,
            processes=processes,
            repairs=repair,
        )
        return one.run(bar)


def _begin(database: Database, kind: str, source: str) -> int:
    """A new run, or the one that was killed."""
    from service.reconciliation import runs

    with database.write() as connection:
        waiting = runs.open_ones(connection, kind, source, "cli")
        return waiting[0] if waiting else runs.create(connection, kind, source, {}, int(time.time() * 1000), "cli")


def _working_folder(settings: Settings) -> Path:
    """Beside an SQLite database, else where the process stands: the sorted file must outlive a killed run."""
    url = settings.database_url.get_secret_value()
    return Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite:///") else Path("var")


class _Bar:
    """On a terminal only."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=progress_console, transient=True, disable=not progress_console.is_terminal)
        self._task = self._progress.add_task("records", total=None)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=max(total, done))


def _export(database: Database, run: int, path: Path, form: Any) -> None:
    from service.reconciliation import exports, findings
    from service.reconciliation.findings import Filter

    try:
        with path.open("wb") as file:
            for piece in exports.export(findings.iterate_pages(database, Filter(run=run)), form):
                file.write(piece)
    except OSError as error:
        raise Failed(Exit.INPUT, "export", f"{path}: {error.strerror}") from None


def _report(database: Database, run: Any, as_json: bool) -> None:
    from service.reconciliation import findings
    from service.reconciliation.findings import Filter

    with database.read() as connection:
        first, following = findings.listed(connection, Filter(run=run.id), _SHOWN)
    fields = {
        "run": run.id,
        "compared": {"store": "our store with the chain", "record": f"{run.source} with our store", "node": run.source}[run.kind],
        "matches": run.matches,
        "seq": run.seq,
        "block": run.block_number,
        "block_at": moment(run.block_time),
        "records": run.done,
        "findings": run.counts,
        "problem": run.problem,
    }
    if as_json:
        print_json({**fields, "first_findings": first})
        return
    counted = ", ".join(f"{code} {count}" for code, count in run.counts.items())
    print_fields({**fields, "findings": counted or None, "problem": run.problem and run.problem.get("reason")})
    if first:
        console.print("")
        rows = [
            [one["code"], one["place"], one["number"] or _short(one["key"]), one["seq"], one["index"], _said(one)] for one in first
        ]
        print_rows(("finding", "where", "number or key", "batch", "entry", "detail"), rows)
    if following is not None:
        console.print("… and more; --export FILE writes all of them")


def _short(key: str | None) -> str | None:
    return key and f"{key[:16]}…"


def _said(finding: dict[str, Any]) -> str:
    details = {name: value for name, value in finding["detail"].items() if name not in ("entry_id", "id")}
    said = "; ".join(f"{name} {value}" for name, value in details.items())
    return f"{said}; queued again" if finding["repaired"] else said
