"""What people at a desk send and are answered."""

from typing import Annotated, Literal

from pydantic import Field

from service.api.models.answers import Answer, Entry, Hash, Receipt, State, Time
from service.api.models.requests import Line, Request
from service.auth.people import MAX_PASSWORD, PersonRole
from service.auth.sessions import Purpose

_NO_CONTROL = "\\u0000-\\u001f\\u007f"
Text = Annotated[str, Field(max_length=100, pattern=f"^[^{_NO_CONTROL}]*$")]
Password = Annotated[str, Field(max_length=4 * MAX_PASSWORD)]
Code = Annotated[str, Field(max_length=20, description="Six digits, from the authenticator.")]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=f"^[^{_NO_CONTROL}]*[^\\s{_NO_CONTROL}][^{_NO_CONTROL}]*$")]
Id = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


# Sessions.


class SignIn(Request):
    login: Annotated[str, Field(max_length=200)]
    password: Password
    code: Code


class Reauthentication(Request):
    password: Password
    code: Code


class PurposeChoice(Request):
    """Why invoices of others are looked at; it goes into the activity log with every look."""

    purpose: Purpose
    reference: Annotated[str, Field(max_length=64, pattern=f"^[^{_NO_CONTROL}]*$", description="The case that it is about.")] = ""


class InvitationQuestion(Request):
    token: Annotated[str, Field(max_length=100, description="Behind the # of a one-time link.")]


class InvitationAcceptance(Request):
    token: Annotated[str, Field(max_length=100)]
    password: Password
    totp_secret: Annotated[str, Field(max_length=64, description="As the invitation gave it.")]
    code: Code


class Person(Answer):
    id: Id
    login: str
    name: str
    role: PersonRole
    sellers: Annotated[list[str], Field(description="Tax ids that a clerk or approver acts for.")]


class Session(Answer):
    """`csrf` must come as X-CSRF-Token with every write. Until `fresh_until` what matters is not asked for again."""

    person: Person
    csrf: str
    expires_at: Time
    fresh_until: Time
    purpose: Purpose | None
    reference: str


class SignedOut(Answer):
    signed_out: Literal[True]


class Enrolment(Answer):
    """For an authenticator (RFC 6238): the secret, its Key URI, and that as a QR code in SVG."""

    secret: str
    uri: str
    qr_svg: str


class Invitation(Answer):
    login: str
    name: str
    role: PersonRole
    totp: Enrolment
    min_password: int


# Accounts.


class UserOrder(Request):
    login: Annotated[str, Field(max_length=64)]
    name: Text
    role: PersonRole
    sellers: Annotated[list[Line], Field(max_length=1000, description="Tax ids that a clerk or approver acts for.")] = []


class User(Person):
    state: Annotated[Literal["invited", "active", "disabled"], Field(description="invited: the link is not accepted yet.")]
    created_at: Time
    disabled_at: Time | None


class UserPage(Answer):
    items: list[User]
    next_cursor: str | None


class Invited(Answer):
    """`link` is shown this once: only its hash is stored."""

    user: User
    link: str | None
    expires_at: Time


# The activity log.


class ActivityRecord(Answer):
    id: int
    at: Time
    actor: Annotated[str, Field(description="Id of a person or key; cli, system.")]
    actor_name: str | None
    action: str
    object: str
    details: dict[str, str]
    hash: Hash


class ActivityPage(Answer):
    items: list[ActivityRecord]
    next_cursor: str | None


class ActivityNote(Answer):
    """A head of the log that a batch anchors; `record` is the one with that hash, null where there is none: history was changed."""

    record: int | None
    head: Hash
    seq: int
    index: int
    state: Literal["sealed", "broadcast", "mined", "final"]


class ActivityVerification(Answer):
    """Of the records from `first` to `last`; `next` is what `after` goes on with, null where that was all."""

    records: int
    first: int
    last: int
    next: int | None
    broken_at: Annotated[int | None, Field(description="The first record that does not follow from the one before.")]
    missing: list[ActivityNote]
    newest_note: ActivityNote | None


# Releases.


class ReleaseOrder(Request):
    """`shown` is what the operator approves: SHA-256 of "zhengpiao/shown", a zero byte, and the canonical JSON of what was shown.

    That is the members of `shown`, with `"act": "release"` and the `reason`.
    """

    reason: Annotated[
        Reason | None, Field(description="Of the first operator; without it, a request is confirmed as it stands.")
    ] = None
    shown: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ReleaseRequest(Answer):
    id: int
    number: str
    reason: str
    state: Literal["pending", "released", "declined", "lapsed"]
    requested_by: str
    requested_by_name: str | None
    requested_at: Time
    decided_by: str | None
    decided_by_name: str | None
    decided_at: Time | None
    lapses_at: Time
    approvals: Annotated[list[str], Field(description="Canonical JSON; their hashes make the entry's auth.")]


class ReleaseRequests(Answer):
    items: list[ReleaseRequest]
    next_cursor: str | None


class ReleaseView(Answer):
    """`shown` is the invoice as an operator has to see it before deciding; `request` waits for the second one."""

    number: str
    shown: dict[str, str]
    request: ReleaseRequest | None


class Released(Answer):
    request: ReleaseRequest
    status: Literal["released"]
    state: State
    entry: Entry
    receipt: Receipt
