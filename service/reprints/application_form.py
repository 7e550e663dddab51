"""The application form of a case, filled in with what is known of it. It is made each time, and kept by nobody."""

from sqlalchemy import Connection

from service.errors import Refused
from service.formats.application_form import FieldName
from service.invoices import reading
from service.reprints.applying import application_of
from service.reprints.cases import Case
from service.vault import Vault

_KINDS = {"copy": "补打同号的新一份 Copy", "reissue": "重开新号 Reissue"}
_DELIVERIES = {"download": "下载 Download", "collect": "到场领取 Collect"}


def texts(connection: Connection, case: Case, vault: Vault) -> dict[FieldName, str]:
    """What stands in its fields; what was lost of the invoice is left empty. Raises Refused("case_state") before step 2."""
    application = application_of(case, vault)
    if application is None:
        raise Refused("case_state", {"state": case.state, "event": "application_form"})
    issued_on, seller = _invoice(connection, case)
    return {
        "case": case.id,
        "kind": _KINDS[application.kind],
        "number": case.number,
        "issued_on": issued_on,
        "seller": seller,
        "name": application.name,
        "company": application.company,
        "contact": application.address,
        "delivery": _DELIVERIES[application.delivery],
        "reason": application.reason,
    }


def _invoice(connection: Connection, case: Case) -> tuple[str, str]:
    """Its date and its seller's name."""
    record = reading.find(connection, case.number)
    if record is None or record.invoice is None:
        return "", ""
    try:
        sections = reading.read_copy(connection, record.current().id).sections()
    except Refused:
        return "", ""
    return str(sections.get("header", {}).get("issued_on", "")), str(sections.get("seller", {}).get("name", ""))
