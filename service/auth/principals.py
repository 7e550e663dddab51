"""Who asks, whether by an API key or by a session: one role, and whose invoices it may see."""

from typing import Literal, NamedTuple

from sqlalchemy import Connection

from service import activity
from service.auth.people import PersonRole
from service.auth.sessions import Session

Role = Literal["issuer", "recipient", "auditor", "central", "node", "operator", "reviewer", "approver"]
"""What an operation asks for. An issuer's clerk is an issuer; reviewers and approvers are people only."""

_OF_PEOPLE: dict[PersonRole, Role] = {
    "reviewer": "reviewer",
    "auditor": "auditor",
    "operator": "operator",
    "clerk": "issuer",
    "approver": "approver",
}


class Principal(NamedTuple):
    """Who asks: the id of the key or person, its role, and the tax ids that it is bound to. `session` is a person's, else None."""

    id: str
    role: Role
    bound: frozenset[str]
    session: Session | None = None

    @property
    def sellers(self) -> frozenset[str] | None:
        """Whose invoices it may see and register; None: everybody's."""
        if self.role in ("issuer", "approver"):
            return self.bound
        return frozenset() if self.role in ("recipient", "reviewer") else None


def of_session(session: Session) -> Principal:
    person = session.person
    return Principal(person.id, _OF_PEOPLE[person.role], person.sellers, session)


def record(
    connection: Connection, principal: Principal, now_ms: int, action: str, object_: str, details: dict[str, str] | None = None
) -> None:
    """Write down what somebody did, in the transaction of what was done; what a person does it for goes along."""
    said = dict(details or {})
    if principal.session is not None and principal.session.purpose is not None:
        said["purpose"] = principal.session.purpose
        if principal.session.reference:
            said["reference"] = principal.session.reference
    activity.append(connection, now_ms, principal.id, action, object_, said)
