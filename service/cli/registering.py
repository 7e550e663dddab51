"""issue, import, proof: what an issuer asks of a running service."""

import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from time import sleep
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from service.cli.outcome import Exit, Failed, Json, console, moment, print_fields, print_json, print_rows, progress_console
from service.cli.remote import TIMEOUT_S, Remote, remote
from verifier.commitment import SECTIONS
from verifier.entry import NUMBER
from verifier.proof import SUFFIX

_POLL_S = 0.5
_MAX_WAIT_S = 60


class Profile(StrEnum):
    """`new`: it is being issued, and an error refuses it. `as_issued`: it exists, and is taken with findings."""

    NEW = "new"
    AS_ISSUED = "as_issued"


def add_to(app: typer.Typer) -> None:
    app.command()(issue)
    app.command("import")(import_)
    app.command()(proof)


def issue(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON: the eight sections, or the body of POST /v1/invoices.")],
    profile: Annotated[Profile | None, typer.Option(help="Where the file names none; new by default.")] = None,
    wait: Annotated[int, typer.Option(min=0, max=_MAX_WAIT_S, help="Seconds to wait, at most, until it is on chain.")] = 0,
    as_json: Json = False,
) -> None:
    """Register one invoice. Running it again with the same file does nothing twice, and shows the same answer."""
    data = _read(file)
    submission = _submission(data, profile)
    headers = {"Idempotency-Key": f"issue-{sha256(orjson.dumps(submission)).hexdigest()}"}
    if wait:
        headers["Prefer"] = f"wait={wait}"
    with progress_console.status("Registering…"):
        registered = remote().ask_json("POST", "/v1/invoices", json=submission, headers=headers, timeout_s=TIMEOUT_S + wait)
    if as_json:
        print_json(registered)
        return
    receipt = registered["receipt"]
    print_fields(
        {
            "number": registered["number"],
            "state": registered["state"],
            "receipt": f"signed by {receipt['key_id']}, until {moment(receipt['deadline'] / 1000)}",
            "QR code": registered["links"]["verify"],
        }
    )
    _print_findings(registered["findings"])


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Tax XML, or a zip of such.")],
    profile: Annotated[Profile, typer.Option(help="as_issued: they exist in the world already.")] = Profile.AS_ISSUED,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be registered, and register nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Register the invoices in files. With --json a line for each file: its job, with every row. Status 1 if a row was refused."""
    service = remote()
    read = [(file, _read(file)) for file in files]  # a mistyped name is found before anything is sent
    refused = 0
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=progress_console, transient=True) as progress:
        task = progress.add_task("", total=len(read))
        for file, data in read:
            progress.update(task, description=file.name)
            job = _import_one(service, file, data, profile, dry_run)
            refused += job["counts"]["refused"]
            if as_json:
                print_json({"file": str(file), **job})
            else:
                _print_job(file, job)
            progress.advance(task)
    if refused:
        raise typer.Exit(Exit.REFUSED)


def proof(
    number: Annotated[str, typer.Argument(metavar="NUMBER")],
    disclose: Annotated[
        str | None,
        typer.Option(metavar="SECTIONS", help="Those to open, separated by commas; without it, all."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=f"Default: NUMBER{SUFFIX} here; - writes it to standard output.")
    ] = None,
    mirror: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="From a mirror, asking nobody: that the number is registered, or that it is not."),
    ] = None,
) -> None:
    """Fetch the proof file of an invoice, or make a proof of presence or absence from a mirror. Check it with zhengpiao-verify."""
    if mirror is not None:
        if disclose is not None:
            raise Failed(Exit.USAGE, "usage", "a mirror has no content to disclose")
        shape, data = _proof_from(mirror, number)
    else:
        query = {} if disclose is None else {"disclose": disclose}
        data = remote().ask("GET", f"/v1/invoices/{quote(number, safe='')}/proof", query=query).content
        shape = "pending: it is not final on chain yet" if b'"inclusion"' not in data else "anchored"
    if output == Path("-"):
        sys.stdout.buffer.write(data)
        return
    target = output or Path(re.sub(r"[^0-9A-Za-z._-]", "_", number) + SUFFIX)
    try:
        target.write_bytes(data)
    except OSError as error:
        raise Failed(Exit.REFUSED, "file", f"{target}: {error.strerror}") from None
    console.print(f"{target} ({shape})")


def _proof_from(folder: Path, number: str) -> tuple[str, bytes]:
    from service.central.mirror import Mirror
    from verifier.proof import PresenceProof

    if not NUMBER.fullmatch(number):
        raise Failed(Exit.INPUT, "no_number", f"{number} is no invoice number")
    try:
        held = Mirror(folder)
    except FileNotFoundError as error:
        raise Failed(Exit.INPUT, "no_mirror", str(error)) from None
    try:
        made = held.proof(held.chain, number)
    finally:
        held.close()
    return "registered" if isinstance(made, PresenceProof) else "not registered", made.to_json()


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise Failed(Exit.INPUT, "file", f"{file}: {error.strerror}") from None


def _submission(data: bytes, profile: Profile | None) -> dict[str, Any]:
    """What POST /v1/invoices takes. What is inside the sections is for the service to judge."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Failed(Exit.INPUT, "malformed_json", f"the file is not JSON: {error}") from None
    if isinstance(value, dict) and "sections" not in value and value.keys() & set(SECTIONS):
        value = {"sections": value}
    if not isinstance(value, dict) or "sections" not in value:
        raise Failed(Exit.INPUT, "no_sections", "the file holds neither an invoice's sections nor an object with `sections`")
    if profile is not None and value.get("profile", profile) != profile:
        raise Failed(Exit.USAGE, "profile", f"the file says profile {value['profile']}, and --profile {profile}")
    return {"profile": profile or Profile.NEW, **value}


def _import_one(service: Remote, file: Path, data: bytes, profile: Profile, dry_run: bool) -> dict[str, Any]:
    """The finished job with all its rows."""
    query = {"profile": profile, "dry_run": "true" if dry_run else "false"}
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
        "Idempotency-Key": f"import-{sha256(f'{query}{file.name}'.encode() + data).hexdigest()}",
    }
    path = service.ask_json("POST", "/v1/imports", query=query, data=data, headers=headers)["links"]["self"]
    while (job := service.ask_json("GET", path))["state"] != "done":
        sleep(_POLL_S)
    return {**job, "rows": [*job["rows"], *_further_rows(service, path, job["next_cursor"])], "next_cursor": None}


def _further_rows(service: Remote, path: str, cursor: str | None) -> Iterator[dict[str, Any]]:
    while cursor is not None:
        page = service.ask_json("GET", path, query={"cursor": cursor})
        yield from page["rows"]
        cursor = page["next_cursor"]


def _print_job(file: Path, job: dict[str, Any]) -> None:
    counts = job["counts"]
    would = "would be accepted" if job["dry_run"] else "accepted"
    console.print(f"{file}: {counts['accepted']} {would}, {counts['refused']} refused")
    for row in job["rows"]:
        if row["problem"]:
            console.print(
                f"  row {row['row']} {row['number'] or row['file'] or ''}: {row['problem']['detail']} ({row['problem']['code']})"
            )
            _print_findings(row["problem"].get("errors", []))
        else:
            _print_findings(row["findings"], row["number"])


def _print_findings(findings: list[dict[str, Any]], number: str | None = None) -> None:
    if findings:
        rows = [(number or "", found["severity"], found["pointer"], found["detail"], found["code"]) for found in findings]
        print_rows(("", "severity", "where", "finding", "code"), rows)
