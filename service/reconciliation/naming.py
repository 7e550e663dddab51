"""Which number a key stands for, as far as what is left tells."""

from sqlalchemy import Connection, text

from verifier.entry import number_key
from verifier.errors import Malformed

_NUMBERS = (
    text("SELECT i.number FROM entries e JOIN invoices i ON i.id = e.id WHERE e.key = :key ORDER BY e.ordinal"),
    text(
        "SELECT i.number FROM entries e JOIN copies c ON c.entry_id = e.id JOIN invoices i ON i.id = c.invoice_id "
        "WHERE e.key = :key"
    ),
)


def number_of(connection: Connection, key: bytes | None) -> str | None:
    """The number whose key this is; None where no row that is left leads to it."""
    if key is None:
        return None
    for query in _NUMBERS:
        for (number,) in connection.execute(query, {"key": key}):
            if is_number_of(number, key):
                return str(number)
    return None


def is_number_of(number: object, key: object) -> bool:
    """Whether `key` is that of `number`."""
    try:
        return type(number) is str and number_key(number) == key
    except Malformed:
        return False
