"""keys: API keys for callers, and the private keys of a deployment."""

import os
import secrets
import time
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service import rotation
from service.auth import keys
from service.cli.outcome import Exit, Failed, Json, console, moment, print_fields, print_json, print_rows
from service.cli.settings import load_settings, open_database
from service.errors import Refused
from service.vault import vault
from verifier.receipt import key_id

app = typer.Typer(help="API keys for callers, and the private keys of a deployment.", no_args_is_help=True)

_LIST_PAGE = 500

OutFile = Annotated[Path, typer.Argument(metavar="FILE", help="A new file; its owner alone can read it.")]


@app.command()
def create(
    role: Annotated[keys.Role, typer.Option(help="What its holder may do.")],
    tax_id: Annotated[
        list[str] | None, typer.Option(help="Of a seller for an issuer, of the buyer for a recipient; may be repeated.")
    ] = None,
    label: Annotated[str, typer.Option(help="For people, to tell keys apart.")] = "",
    as_json: Json = False,
) -> None:
    """Make an API key and show it, once: what is stored is a hash."""
    settings = load_settings()
    with open_database(settings) as database, database.write() as connection:
        try:
            made, written = keys.create_key(
                connection, role, tax_id or [], "live" if settings.env == "production" else "test", label=label
            )
        except Refused as refused:
            raise Failed(Exit.USAGE, refused.code, _why(refused, role)) from None
    if as_json:
        print_json({"id": made.id, "role": made.role, "bound": made.bound, "label": made.label, "key": written})
    else:
        console.print(written)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """All API keys, newest first, without their secrets; with --json one a line."""
    after = None
    found: list[keys.Key] = []
    with open_database(load_settings()) as database, database.read() as connection:
        while page := keys.list_keys(connection, _LIST_PAGE, after):
            found += page
            after = (page[-1].created_at, page[-1].id)
    if as_json:
        for key in found:
            print_json(key._asdict())
    else:
        print_rows(("id", "role", "tax ids", "label", "created", "revoked"), map(_row, found))


@app.command()
def revoke(key: Annotated[str, typer.Argument(metavar="ID", help="The ten characters after zp_live_ or zp_test_.")]) -> None:
    """Take an API key's rights; within two seconds nobody can use it."""
    with open_database(load_settings()) as database, database.write() as connection:
        try:
            revoked = keys.revoke_key(connection, key)
        except Refused:
            raise Failed(Exit.REFUSED, "key_not_found", f"there is no key {key}") from None
    console.print(f"{revoked.id} is revoked since {moment(revoked.revoked_at and revoked.revoked_at / 1000)}.")


@app.command()
def generate_receipt_key(file: OutFile, as_json: Json = False) -> None:
    """A key that signs receipts (Ed25519), for ZHENGPIAO_RECEIPT_KEY_FILE. Its public half goes into the trust file by itself."""
    private = Ed25519PrivateKey.generate()
    _keep(file, private.private_bytes_raw())
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    _show({"key_id": key_id(public), "public_key": public.hex(), "file": str(file)}, as_json)


@app.command()
def generate_chain_key(file: OutFile, as_json: Json = False) -> None:
    """A key of the chain (secp256k1), for ZHENGPIAO_ANCHOR_KEY_FILE or ZHENGPIAO_DEPLOYER_KEY_FILE; shows its account's address."""
    from service.deployment import address_of  # slow to import

    private = secrets.token_bytes(32)
    _keep(file, private)
    _show({"address": address_of(private), "file": str(file)}, as_json)


@app.command()
def rotate(as_json: Json = False) -> None:
    """Encrypt again, under the newest of ZHENGPIAO_DATA_KEYS, whatever is under an older one. Safe beside a running service."""
    settings = load_settings()
    try:
        newest = vault(settings)
    except ValueError as error:
        raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None
    with open_database(settings) as database:
        done = rotation.rotate(database, newest, int(time.time() * 1000))
    renewed, unreadable = sum(one.renewed for one in done), sum(one.unreadable for one in done)
    if as_json:
        print_json(
            {"version": newest.newest, "renewed": renewed, "unreadable": unreadable, "columns": [one._asdict() for one in done]}
        )
    else:
        print_rows(("column", "renewed", "unreadable"), [(one.name, str(one.renewed), str(one.unreadable)) for one in done])
        console.print(f"Everything that could be read is under version {newest.newest} now.")
    if unreadable:
        raise Failed(Exit.REFUSED, "unreadable", f"{unreadable} values could not be read: keep every version, and find out why")


def _row(key: keys.Key) -> list[str | None]:
    revoked_at = key.revoked_at and key.revoked_at / 1000
    return [key.id, key.role, ", ".join(key.bound), key.label, moment(key.created_at / 1000), moment(revoked_at)]


def _keep(file: Path, private: bytes) -> None:
    """Never overwritten: a key that is lost cannot be made again."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(private.hex() + "\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise Failed(Exit.REFUSED, "file", f"{file}: {error.strerror}") from None


def _show(fields: dict[str, str], as_json: bool) -> None:
    if as_json:
        print_json(fields)
    else:
        print_fields(fields)


def _why(refused: Refused, role: str) -> str:
    pointers = [finding.pointer for finding in refused.findings]
    if "/bound" in pointers:
        return f"a key of role {role} is bound to {'at least one' if role in keys.BOUND_ROLES else 'no'} --tax-id"
    return f"not a valid {'--label' if '/label' in pointers else '--tax-id'}"
