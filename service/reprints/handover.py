"""Giving the paper out to who says the pick-up code: once, and written down who did it."""

from hmac import compare_digest

from sqlalchemy import Connection, update

from service.errors import Finding, Refused, Unavailable
from service.reprints.cases import Case
from service.reprints.completing import NOT_READY_S, pickup_code, result
from service.reprints.tables import reprint_cases
from service.vault import Vault


def hand_over(connection: Connection, case: Case, code: str, reviewer: str, vault: Vault, now_ms: int) -> None:
    """The case's row is locked. `code` as it is kept: eight characters in upper case.

    Raises Refused: not_to_be_collected, handed_over, pickup_code_wrong; Unavailable("document_not_ready").
    """
    expected = pickup_code(case, vault)
    if case.state != "completed" or expected is None:
        raise Refused("not_to_be_collected")
    if case.handed_over_at is not None:
        raise Refused("handed_over")
    made = result(connection, case)
    if made is None or not made.document_ready:
        raise Unavailable("document_not_ready", NOT_READY_S)
    if not compare_digest(code.encode(), expected.encode()):
        raise Refused("pickup_code_wrong", findings=[Finding("pickup_code_wrong", "error", "/pickup_code")])
    values = {"handed_over_at": now_ms, "handed_over_by": reviewer}
    connection.execute(update(reprint_cases).where(reprint_cases.c.id == case.id).values(values))
