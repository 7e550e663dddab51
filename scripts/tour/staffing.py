"""Accounts of the demo's people, ready to sign in."""

import secrets
import time

import pyotp

from service import activity
from service.auth import people
from service.auth.people import PersonRole
from service.cli.users import ACTOR
from service.db import Database
from service.vault import Vault

LOGINS: dict[str, tuple[PersonRole, str]] = {
    "reviewer": ("reviewer", "林复核"),
    "reviewer_2": ("reviewer", "周复核"),
    "auditor": ("auditor", "陈审计"),
    "operator": ("operator", "吴运维"),
}
"""Role and name by login."""


def create_logins(database_url: str, vault: Vault) -> dict[str, dict[str, str]]:
    """Login, password and TOTP secret of each, as if the one-time link had been followed half a minute ago."""
    database = Database(database_url)
    made = {login: _create(database, vault, login, role, name) for login, (role, name) in LOGINS.items()}
    database.close()
    return made


def _create(database: Database, vault: Vault, login: str, role: PersonRole, name: str) -> dict[str, str]:
    now_ms = int(time.time() * 1000)
    with database.write() as connection:
        person, link = people.create(connection, login, name, role, frozenset(), now_ms)
        activity.append(connection, now_ms, ACTOR, "created_user", person.id, {"role": role})
        _, totp_secret = people.begin(connection, link, now_ms)
    password = secrets.token_urlsafe(12)
    # A code counts once, and the one of now is for signing in.
    code = pyotp.TOTP(totp_secret).at(now_ms // 1000 - 30)
    chosen = people.prepare(database, link, password, totp_secret, code, now_ms)
    with database.write() as connection:
        people.accept(connection, link, chosen, vault, now_ms)
        activity.append(connection, now_ms, person.id, "accepted_invitation", person.id)
    return {"login": login, "password": password, "totp_secret": totp_secret}
