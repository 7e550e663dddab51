"""diagnose: where did this invoice get lost; rebuild: a whole store from a mirror and the copies that people kept."""

import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from service.cli.outcome import Exit, Failed, Json, console, print_fields, print_json, print_rows, progress_console
from service.cli.remote import remote
from service.cli.settings import load_settings, open_database
from verifier.proof import MEDIA_TYPE

_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    app.command()(diagnose)
    app.command()(rebuild)


def diagnose(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A proof file, a PDF, a picture of the QR code, or the JSON of an acknowledgement."),
    ] = None,
    number: Annotated[str | None, typer.Option(help="Without FILE: what stands on the invoice.")] = None,
    issued_on: Annotated[str | None, typer.Option(help="Such as 2026-09-01.")] = None,
    amount_with_tax: Annotated[str | None, typer.Option()] = None,
    amount: Annotated[str | None, typer.Option(help="Without tax, in place of the other.")] = None,
    as_json: Json = False,
) -> None:
    """Ask a running service where an invoice got lost, and who owes the next step. No key is needed; with one, more is told.

    Status 0 where it is present at every hop, 69 where nothing can be concluded now, else 1.
    """
    said = _asked(number, issued_on, amount_with_tax, amount)
    if (file is None) == (not said):
        raise Failed(Exit.USAGE, "usage", "give a FILE, or --number, --issued-on and an amount")
    request: dict[str, Any] = {"json": said} if file is None else _file(file)
    found = remote(needs_key=False).ask_json("POST", "/v1/diagnoses", **request)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if found["verdict"] != "present":
        raise typer.Exit(Exit.UNAVAILABLE if found["verdict"] == "undecided" else Exit.REFUSED)


def _asked(number: str | None, issued_on: str | None, amount_with_tax: str | None, amount: str | None) -> dict[str, str]:
    given = {"number": number, "issued_on": issued_on, "amount_with_tax": amount_with_tax, "amount": amount}
    return {name: value for name, value in given.items() if value is not None}


def _file(file: Path) -> dict[str, Any]:
    """What a file shows: the service tells papers and pictures by their first bytes, JSON is told apart here."""
    try:
        data = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise Failed(Exit.INPUT, "file", f"{file}: {error.strerror}") from None
    try:
        value = orjson.loads(data)
    except ValueError:
        return {"data": data, "headers": {"Content-Type": "application/octet-stream"}}
    if isinstance(value, dict) and value.keys() == {"sections", "acknowledgement"}:  # as an issuer keeps it, for a recovery
        return {"json": value["acknowledgement"]}
    is_proof = isinstance(value, dict) and "protocol" in value
    return {"data": data, "headers": {"Content-Type": MEDIA_TYPE if is_proof else "application/json"}}


def _print(found: dict[str, Any]) -> None:
    said, action = found["sentences"], found["next_action"]
    console.print(Text.assemble((said["title"], "bold"), f"  {found['number'] or ''}"))
    console.print(said["verdict"])
    for field in action.get("fields", ()):
        console.print(f"  {field['sentence']}")
    print_fields(
        {
            "verdict": found["verdict"],
            "responsible": f"{found['responsible']}: {said['responsible']}",
            "next": f"{action['code']}: {said['next_action']}" + (f" ({action['until']})" if "until" in action else ""),
            "fee": f"{found['fee']['kind']}: {said['fee']}",
        }
    )
    print_rows(("hop", "state", "at", "evidence"), [_row(hop) for hop in found["evidence"]])


def _row(hop: dict[str, Any]) -> list[Any]:
    shown = {name: value for name, value in hop["evidence"].items() if name not in ("report", "proof", "entry", "receipt")}
    return [hop["hop_name"], hop["state_name"], hop["at"], orjson.dumps(shown).decode() if shown else None]


def rebuild(
    mirror: Annotated[Path, typer.Option(metavar="DIR", help="A mirror, as `zhengpiao mirror` keeps it.")],
    copies: Annotated[Path, typer.Option(metavar="DIR", help="Proof files, PDFs, and issuers' sections with acknowledgements.")],
    as_json: Json = False,
) -> None:
    """Make a lost store anew: log and register from a mirror, content from copies, all of it checked against the contract.

    Into the empty database of the settings, after `migrate`; run again, it goes on where it was cut off. Status 1 where the mirror
    is behind the contract: then the worker must not run yet, since it would seal under numbers that are taken.
    """
    settings = load_settings()
    if settings.contract is None:
        raise Failed(Exit.CONFIGURATION, "settings", "ZHENGPIAO_CONTRACT is not set")
    if not copies.is_dir():
        raise Failed(Exit.INPUT, "file", f"{copies} is no folder")
    from service.central.following import FeedRefused
    from service.diagnosis import rebuild as room
    from service.ledger.receipts import receipt_keys
    from service.reconciliation.working import ChainAccess
    from verifier.errors import ChainUnavailable

    try:
        keys = receipt_keys(settings)
    except ValueError as error:
        raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None
    access = ChainAccess(settings, keys.public)
    try:
        with open_database(settings) as database:
            made = room.rebuild(database, mirror, copies, access.reader, keys, _progress)
    except room.OtherMirror as error:
        raise Failed(Exit.INPUT, "other_mirror", str(error)) from None
    except room.NotEmpty as error:
        raise Failed(Exit.REFUSED, "not_empty", str(error)) from None
    except FeedRefused as error:
        raise Failed(Exit.REFUSED, "feed_refused", f"the mirror is not what was anchored: {error}", seq=error.seq) from None
    except ChainUnavailable as error:
        raise Failed(Exit.UNAVAILABLE, "chain_unavailable", str(error)) from None
    finally:
        access.close()
    _report(made, as_json)
    if made.standing.behind:
        raise typer.Exit(Exit.REFUSED)


def _progress(what: str, number: int) -> None:
    if progress_console.is_terminal:
        progress_console.print(f"{what} {number}", end="\r")


def _report(made: Any, as_json: bool) -> None:
    standing = made.standing
    members = {
        "seq": standing.seq,
        "head": standing.head,
        "behind": standing.behind,
        "entries": made.entries,
        "restored": made.whole,
        "restored_in_part": made.in_part,
        "sound_already": made.known,
        "useless": [{"file": str(file), "code": code} for file, code in made.useless],
        "numbers": made.numbers,
        "with_content": made.with_content,
    }
    if as_json:
        print_json(members)
        return
    print_fields({name: value for name, value in members.items() if name != "useless"} | {"useless": len(made.useless)})
    if made.useless:
        print_rows(("file", "why it restored nothing"), [(file, code) for file, code in made.useless[:_SHOWN]])
    if standing.behind:
        console.print(f"The mirror is {standing.behind} behind the contract: bring it up to date before the worker runs.")
