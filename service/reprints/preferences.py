"""How an applicant wants to be told: by which channels, and at which hours not. One-time codes come to the contact in any case."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import orjson
from sqlalchemy import BigInteger, Column, Connection, ForeignKey, LargeBinary, String, Table, delete, insert, select

from service.db import metadata
from service.deliveries.timing import Quiet, clock_time, parse_time
from service.errors import Finding, Refused
from service.reprints.applying import Application, Channel, read_contact
from service.reprints.tables import CASE_ID
from service.vault import NotDecrypted, Vault

notice_preferences = Table(
    "notice_preferences",
    metadata,
    Column("case_id", String(CASE_ID), ForeignKey("reprint_cases.id"), primary_key=True),
    Column("chosen", LargeBinary, nullable=False, comment="encrypted JSON: see preferences.py"),
    Column("changed_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
)

CHANNELS: tuple[Channel, ...] = get_args(Channel)

NIGHT = Quiet(22 * 60, 8 * 60)
"""The hours in which nobody is told anything, unless they choose others."""


class Preferences(NamedTuple):
    """Addresses by channel, those that are not wanted left out; hours in which nothing is sent, None: none."""

    to: Mapping[Channel, str]
    quiet: Quiet | None


def of_case(connection: Connection, case_id: str, application: Application, vault: Vault) -> Preferences:
    """What was chosen last, else what the application says, else the contact with quiet nights."""
    kept = connection.scalar(select(notice_preferences.c.chosen).where(notice_preferences.c.case_id == case_id))
    if kept is not None:
        chosen = orjson.loads(vault.decrypt(kept, _context(case_id)))
        return Preferences(chosen["to"], None if chosen["quiet"] is None else Quiet(*chosen["quiet"]))
    default = Preferences({application.channel: application.address}, NIGHT)
    return choose(application.notices, default, application) if application.notices else default


def keep(connection: Connection, case_id: str, wanted: Preferences, vault: Vault, now_ms: int) -> None:
    """From now on it is so."""
    chosen = orjson.dumps({"to": dict(wanted.to), "quiet": None if wanted.quiet is None else list(wanted.quiet)})
    row = {"case_id": case_id, "chosen": vault.encrypt(chosen, _context(case_id)), "changed_at": now_ms}
    connection.execute(delete(notice_preferences).where(notice_preferences.c.case_id == case_id))
    connection.execute(insert(notice_preferences), row)


def choose(sent: Mapping[str, Any], before: Preferences, application: Application, place: str = "") -> Preferences:
    """What was sent, checked: `{"channels": […], "email"?, "sms"?, "quiet_hours"?: {"start", "end"} or null}`, as the application's
    `notices` and as PUT /v1/notifications/preferences. A channel without an address keeps the one that is known: what was chosen
    before, else the contact's.

    Raises Refused("invalid_request") with findings at `place` + pointer.
    """
    found: list[Finding] = []
    to: dict[Channel, str] = {}
    for channel in CHANNELS:
        if channel not in sent["channels"]:
            continue
        given = sent.get(channel) or before.to.get(channel) or (application.address if application.channel == channel else None)
        if given is None:
            found.append(Finding("member_missing", "error", f"{place}/{channel}"))
            continue
        try:
            to[channel] = read_contact(channel, given)
        except Refused:
            found.append(Finding("member_invalid", "error", f"{place}/{channel}", {"case": channel}))
    quiet = before.quiet
    if "quiet_hours" in sent:
        try:
            hours = sent["quiet_hours"]
            quiet = None if hours is None else Quiet(parse_time(hours["start"]), parse_time(hours["end"]))
        except ValueError:
            found.append(Finding("member_invalid", "error", f"{place}/quiet_hours"))
    if found:
        raise Refused("invalid_request", findings=found)
    return Preferences(to, quiet)


def without(before: Preferences, channel: str) -> Preferences:
    """After an unsubscription."""
    return before._replace(to={one: address for one, address in before.to.items() if one != channel})


def shown_hours(quiet: Quiet | None) -> dict[str, str] | None:
    return None if quiet is None else {"start": clock_time(quiet.start), "end": clock_time(quiet.end)}


def unsubscribe_token(case_id: str, channel: str, vault: Vault) -> str:
    """For a link's fragment: says whose notices of which channel end, to nobody but us."""
    return urlsafe_b64encode(vault.encrypt(f"{channel} {case_id}".encode(), "unsubscribe")).decode().rstrip("=")


def read_token(token: str, vault: Vault) -> tuple[str, str]:
    """(case id, channel). Raises Refused("unsubscribe_unknown")."""
    try:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        channel, case_id = vault.decrypt(sealed, "unsubscribe").decode().split(" ")
    except (ValueError, NotDecrypted):
        raise Refused("unsubscribe_unknown") from None
    return case_id, channel


def _context(case_id: str) -> str:
    return f"notice_preferences/{case_id}"
