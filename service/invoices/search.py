"""Finding invoices by what is derived from their content; newest first, a bounded number of rows a request."""

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, select

from service.errors import Finding, Refused
from service.invoices import indexing, reading
from service.invoices.facts import to_decimal
from service.invoices.registration import STATUS_NAMES
from service.invoices.tables import copies, invoices
from service.invoices.texts import Gram, Term, terms_of, text_of
from service.ledger.entries import History, stored_by_key
from service.ledger.tables import outbox
from verifier.commitment import SECTIONS
from verifier.entry import NUMBER, Kind, number_key

MAX_LOOKED_AT = 2_000
"""Rows that one request looks at where status or state, which no column holds, must be derived to decide."""


class Criteria(NamedTuple):
    """All that are given must hold. Dates as 2026-09-01, amounts (with tax) as decimal text; bounds are included.

    `q` is any text: each of its words stands somewhere in the invoice. Only what the index holds is found by it, and by `buyer`.
    """

    number: str | None = None
    seller: str | None = None
    buyer: str | None = None
    issued_from: str | None = None
    issued_to: str | None = None
    amount_from: str | None = None
    amount_to: str | None = None
    status: str | None = None
    state: str | None = None
    q: str | None = None

    @property
    def by_index(self) -> bool:
        """Whether the answer depends on how far the index is."""
        return self.q is not None or self.buyer is not None


def search(
    connection: Connection, criteria: Criteria, sellers: frozenset[str] | None, limit: int, cursor: int | None
) -> tuple[list[dict[str, Any]], int | None]:
    """Up to `limit` invoices below id `cursor` that `sellers` (None: all) issued, and the cursor of the next page.

    A page may hold fewer than `limit` and still have a next one, where status or state sort out most of what was looked at.
    """
    where = _where(connection, criteria, sellers)
    if where is None:
        return [], None
    terms = [] if criteria.q is None else terms_of(criteria.q)
    grams = _grams(criteria, terms) if criteria.by_index else None
    found: list[dict[str, Any]] = []
    looked_at = 0
    while looked_at < MAX_LOOKED_AT:
        rows, following = _page(connection, where, terms, grams, limit, cursor)
        for row, item in zip(rows, _items(connection, rows), strict=True):
            if criteria.status in (None, item["status"]) and criteria.state in (None, item["state"]):
                found.append(item)
                if len(found) == limit:
                    return found, None if following is None and row is rows[-1] else row.id
        if following is None:
            return found, None
        cursor = following
        looked_at += limit
    return found, cursor


def _grams(criteria: Criteria, terms: list[Term]) -> list[Gram]:
    buyer = [] if criteria.buyer is None else [indexing.buyer_gram(_buyer_id(criteria.buyer))]
    return buyer + [gram for term in terms for gram in term.grams]


def _page(
    connection: Connection,
    where: list[ColumnElement[bool]],
    terms: list[Term],
    grams: list[Gram] | None,
    limit: int,
    cursor: int | None,
) -> tuple[Sequence[Any], int | None]:
    """Up to `limit` rows below id `cursor`, and the id below which there are more; None where there are not.

    They are those of the index with all of `grams` and, looked at again, `terms`; `grams` is None where the index is not needed.
    """
    if grams is None:
        below = [] if cursor is None else [invoices.c.id < cursor]
        query = select(invoices).where(*where, *below).order_by(invoices.c.id.desc()).limit(limit + 1)
        rows = connection.execute(query).all()
        return rows[:limit], rows[limit - 1].id if len(rows) > limit else None
    ids = indexing.candidates(connection, grams, cursor, limit + 1)
    with_text = select(invoices, copies.c.provenance).join(copies, copies.c.entry_id == invoices.c.id)
    query = with_text.where(*where, invoices.c.id.in_(ids[:limit])).order_by(invoices.c.id.desc())
    rows = [row for row in connection.execute(query) if not terms or _says(row, terms)]
    return rows, ids[limit - 1] if len(ids) > limit else None


def _says(row: Any, terms: list[Term]) -> bool:
    """Whether what is searched for really stands there: an index knows which pairs occur, not in which order."""
    said = text_of([getattr(row, name) for name in SECTIONS], row.external_id)
    return all(term.text in said for term in terms)


def _where(connection: Connection, criteria: Criteria, sellers: frozenset[str] | None) -> list[ColumnElement[bool]] | None:
    """The conditions; None where nothing can meet them. Raises Refused for an amount that is none."""
    where: list[ColumnElement[bool]] = []
    if sellers is not None:
        where.append(invoices.c.seller_tax_id.in_(sorted(sellers)))
    if criteria.number is not None:
        if not NUMBER.fullmatch(criteria.number):
            return None
        key = number_key(criteria.number)  # by the ledger's own index: invoices need none on their number
        stored = stored_by_key(connection, [key]).get(key, [])
        where.append(invoices.c.id.in_([s.id for s in stored if s.entry.kind is Kind.ISSUE]))
    if criteria.seller is not None:
        where.append(invoices.c.seller_tax_id == criteria.seller[:64])
    if criteria.buyer is not None:
        where.append(invoices.c.buyer_id == _buyer_id(criteria.buyer))
    if criteria.issued_from is not None:
        where.append(invoices.c.issued_on >= criteria.issued_from)
    if criteria.issued_to is not None:
        where.append(invoices.c.issued_on <= criteria.issued_to)
    if criteria.amount_from is not None:
        where.append(invoices.c.amount_fen >= _fen(criteria.amount_from, "/amount_from"))
    if criteria.amount_to is not None:
        where.append(invoices.c.amount_fen <= _fen(criteria.amount_to, "/amount_to"))
    return where


def _buyer_id(buyer: str) -> str:
    """A tax id or a name, as it stands in the column."""
    return unicodedata.normalize("NFKC", buyer)[:128]


def _fen(text: str, pointer: str) -> int:
    amount = to_decimal(text)
    if amount is None or abs(amount) > 10**16:
        raise Refused("invalid_request", findings=[Finding("amount_scale", "error", pointer)])
    return int((amount * 100).to_integral_value())


def _items(connection: Connection, rows: Any) -> list[dict[str, Any]]:
    """What a list shows of each invoice, status and state derived for all of them at once."""
    stored = stored_by_key(connection, sorted({number_key(row.number) for row in rows}))
    seqs = {s.seq for some in stored.values() for s in some if s.seq is not None}
    rows_of = connection.execute(select(outbox.c.seq, outbox.c.state).where(outbox.c.seq.in_(seqs)))
    states = {row.seq: row.state for row in rows_of}
    return [_item(row, stored[number_key(row.number)], states) for row in rows]


def _item(row: Any, stored: Any, states: dict[int, str]) -> dict[str, Any]:
    issue = next(s for s in stored if s.id == row.id)
    # After a release the number may have been issued again: what this row's invoice came to ends there.
    until = [s for s in stored if s.id >= row.id]
    later = next((n for n, s in enumerate(until) if n > 0 and s.entry.kind is Kind.ISSUE), len(until))
    history = History(s for s in stored if s.id <= until[later - 1].id)
    assert history.state is not None
    seller = orjson.loads(row.seller) if row.seller else {}
    totals = orjson.loads(row.totals) if row.totals else {}
    buyer = orjson.loads(row.buyer) if row.buyer else {}
    return {
        "number": row.number,
        "kind": row.kind,
        "issued_on": row.issued_on,
        "seller": {"name": seller.get("name"), "tax_id": seller.get("tax_id")},
        "buyer": {"name": buyer.get("name"), "tax_id": buyer.get("tax_id")},
        "amount_with_tax": totals.get("amount_with_tax"),
        "currency": totals.get("currency"),
        "status": STATUS_NAMES[history.state.status],
        "state": reading.PENDING if issue.seq is None else states[issue.seq],
        "accepted_at": reading.at(issue.entry.recorded_at),
        "external_id": row.external_id,
    }
