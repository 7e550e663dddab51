"""activity verify: has anybody changed the record of what people did."""

from typing import Annotated, Any

import typer

from service.cli.outcome import Exit, Failed, Json, console, print_fields, print_json
from service.cli.settings import load_settings, open_database
from service.config import Settings
from service.db import Database
from service.ledger.notes import Note
from service.ledger.receipts import public_keys
from service.reconciliation.activity import Checked, check
from service.reconciliation.working import ChainAccess
from verifier.errors import ChainUnavailable

app = typer.Typer(help="The log of what people did.", no_args_is_help=True)

Offline = Annotated[bool, typer.Option(help="Do not ask the chain: believe the batches that the database keeps.")]


@app.callback()
def _group() -> None:
    """A group, though there is one command in it."""


@app.command()
def verify(offline: Offline = False, as_json: Json = False) -> int:
    """Compute every hash again, and compare with what the chain holds. Status 1: records were changed; 69: the chain is silent."""
    settings = load_settings()
    with open_database(settings) as database:
        checked = _check(database, settings, offline)
    said: dict[str, Any] = {
        "sound": checked.is_sound,
        "records": checked.records,
        "anchored_to": checked.anchored_to,
        "broken_at": checked.broken_at,
        "missing": [_note(note) for note in checked.missing],
        "foreign": [_note(note) for note in checked.foreign],
    }
    if as_json:
        print_json(said)
    else:
        print_fields({**said, "missing": len(checked.missing), "foreign": len(checked.foreign)})
        console.print(_sentence(checked))
    return Exit.DONE if checked.is_sound else Exit.REFUSED


def _check(database: Database, settings: Settings, offline: bool) -> Checked:
    access = None
    try:
        if not offline:
            access = ChainAccess(settings, public_keys(settings))
        with database.read() as connection:
            return check(connection, access.reader() if access else None)
    except ValueError as error:
        raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None
    except ChainUnavailable as error:
        sentence = f"the chain cannot be read ({error.reason}); nothing is concluded. --offline leaves it out"
        raise Failed(Exit.UNAVAILABLE, "chain_unavailable", sentence) from None
    finally:
        if access is not None:
            access.close()


def _note(note: Note) -> dict[str, Any]:
    return {"head": note.head.hex(), "seq": note.seq, "index": note[2]}


def _sentence(checked: Checked) -> str:
    if checked.broken_at is not None:
        return f"Record {checked.broken_at} does not follow from the one before: it, or one before it, was changed or removed."
    if checked.missing:
        return f"The head anchored in batch {checked.missing[0].seq} is the hash of no record: records were changed or removed."
    if checked.foreign:
        return f"The chain does not hold the head of batch {checked.foreign[0].seq}: run `zhengpiao reconcile`."
    if checked.anchored_to == checked.records:
        return "Every record follows from the one before, and the chain holds the newest."
    return f"Every record follows from the one before; the chain vouches for those up to {checked.anchored_to}."
