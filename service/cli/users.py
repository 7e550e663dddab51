"""users: accounts of people. The first operator's can be made nowhere else."""

import time
from typing import Annotated

import typer
from sqlalchemy import Connection

from service import activity
from service.auth import people
from service.auth.people import Account, PersonRole
from service.cli.outcome import Exit, Failed, Json, console, moment, print_json, print_rows
from service.cli.settings import load_settings, open_database
from service.config import Settings
from service.errors import Refused
from service.vault import vault

app = typer.Typer(help="Accounts of people, who sign in to the pages.", no_args_is_help=True)

ACTOR = "cli"
"""Who did it, in the activity log: whoever may use this machine."""
_LIST_PAGE = 500

Id = Annotated[str, typer.Argument(metavar="ID", help="As `users list` has it.")]


@app.command()
def create(
    login: Annotated[str, typer.Option(help="What is typed to sign in; an e-mail address, say.")],
    name: Annotated[str, typer.Option(help="As others see it.")],
    role: Annotated[PersonRole, typer.Option(help="What its owner may do.")],
    tax_id: Annotated[list[str] | None, typer.Option(help="Of a seller, for a clerk or approver; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Make an account and show its one-time link: there its owner chooses a password and enrols an authenticator."""
    settings = _ready()
    now = int(time.time() * 1000)
    with open_database(settings) as database, database.write() as connection:
        try:
            person, secret = people.create(connection, login, name, role, frozenset(tax_id or ()), now)
        except Refused as refused:
            raise Failed(Exit.REFUSED if refused.code == "login_taken" else Exit.USAGE, refused.code, _why(refused)) from None
        activity.append(connection, now, ACTOR, "created_user", person.id, {"role": role})
    _show_link(settings, person.id, secret, now, as_json)


@app.command()
def invite(user: Id, as_json: Json = False) -> None:
    """Show a new one-time link, for a password or authenticator that was lost; a disabled account comes back by it."""
    settings = _ready()
    now = int(time.time() * 1000)
    with open_database(settings) as database, database.write() as connection:
        _account(connection, user)
        secret = people.invite(connection, user, now)
        activity.append(connection, now, ACTOR, "invited_user", user)
    _show_link(settings, user, secret, now, as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """All accounts, newest first; with --json one a line."""
    after = None
    found: list[Account] = []
    with open_database(load_settings()) as database, database.read() as connection:
        while page := people.listed(connection, _LIST_PAGE, after):
            found += page
            after = (page[-1].created_at, page[-1].person.id)
    if as_json:
        for person, created_at in found:
            members = {**person._asdict(), "sellers": sorted(person.sellers), "created_at": created_at}
            print_json(members)
    else:
        print_rows(("id", "login", "name", "role", "tax ids", "created", "state"), map(_row, found))


@app.command()
def disable(user: Id) -> None:
    """End an account's sessions and close it. It stays in the list, since the activity log names it."""
    now = int(time.time() * 1000)
    with open_database(load_settings()) as database, database.write() as connection:
        if _account(connection, user).person.disabled_at is None:
            people.disable(connection, user, now)
            activity.append(connection, now, ACTOR, "disabled_user", user)
    console.print(f"{user} is disabled.")


def _ready() -> Settings:
    """Without the key that encrypts people's secrets no link could be accepted."""
    settings = load_settings()
    try:
        vault(settings)
    except ValueError as error:
        raise Failed(Exit.CONFIGURATION, "settings", str(error)) from None
    return settings


def _account(connection: Connection, user: str) -> Account:
    try:
        return people.account(connection, user)
    except Refused:
        raise Failed(Exit.REFUSED, "user_not_found", f"there is no account {user}") from None


def _show_link(settings: Settings, user: str, secret: str, now: int, as_json: bool) -> None:
    link = f"{settings.public_url}/welcome#{secret}"
    expires_at = moment((now + people.INVITATION_MS) / 1000)
    if as_json:
        print_json({"id": user, "link": link, "expires_at": expires_at})
        return
    console.print(link)
    console.print(f"For {user}, once, until {expires_at}.", style="dim")


def _why(refused: Refused) -> str:
    if refused.code == "login_taken":
        return "that login is taken"
    sentences = {
        "sellers_of_issuer_staff": "clerks and approvers act for sellers (--tax-id), and nobody else does",
        "login_form": "a login has 3 to 64 characters, and no blanks",
        "member_invalid": "a name has 1 to 100 characters",
    }
    return "; ".join(sentences[finding.code] for finding in refused.findings)


def _row(account: Account) -> tuple[object, ...]:
    person, created_at = account
    state = "disabled" if person.disabled_at is not None else "active" if person.is_ready else "invited"
    return person.id, person.login, person.name, person.role, ", ".join(sorted(person.sellers)), moment(created_at / 1000), state
