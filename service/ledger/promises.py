"""One signature over the receipts of what was accepted together, for as long as it is pending.

Sealing takes no row without a promise of ours. To check a receipt takes about as long as all else that sealing does with an entry;
so who signs many in one transaction signs once more, that it did. That covers every stored bit of the entries and their receipts,
and who cannot sign a receipt cannot sign that. Where it is missing, or does not fit, each of the receipts is checked by itself.
"""

from collections.abc import Sequence
from itertools import compress, groupby

from sqlalchemy import Connection, delete, select

from service.db import Rows, chunks
from service.ledger.receipts import Receipt, ReceiptKeys
from service.ledger.tables import pending_receipts

_TOGETHER_FROM = 32
"""With fewer, checking their receipts costs less than to write, read and delete one row more."""


def rows(first: int, entries: Sequence[bytes], receipts: Sequence[Receipt], keys: ReceiptKeys) -> Rows:
    """For the transaction that accepts `entries`, the first of them under the id `first`; `keys` has just signed the receipts."""
    signed = [(first, keys.key_id, keys.sign_accepted(entries, receipts))] if len(entries) >= _TOGETHER_FROM else []
    return Rows(pending_receipts, ("accepted_with", "key_id", "signature"), signed)


def are_kept(
    connection: Connection, accepted_with: Sequence[int], entries: Sequence[bytes], receipts: Sequence[Receipt], keys: ReceiptKeys
) -> list[bool]:
    """Of each pending entry, whether its receipt is a promise of ours. Those of a transaction stand together, in order of id."""
    signed = _signed(connection, accepted_with)
    answers: list[bool] = []
    for first, together in groupby(accepted_with):
        start = len(answers)
        end = start + sum(1 for _ in together)
        key_id, signature = signed.get(first, (b"", b""))
        is_good = signature != b"" and keys.has_accepted(entries[start:end], receipts[start:end], key_id, signature)
        answers += [is_good] * (end - start)
    if not all(answers):
        left = [not is_good for is_good in answers]
        again = iter(keys.are_valid(list(compress(entries, left)), list(compress(receipts, left))))
        answers = [is_good or next(again) for is_good in answers]
    return answers


def _signed(connection: Connection, accepted_with: Sequence[int]) -> dict[int, tuple[bytes, bytes]]:
    if not accepted_with:
        return {}
    query = select(pending_receipts).where(pending_receipts.c.accepted_with.between(accepted_with[0], accepted_with[-1]))
    return {first: (key_id, signature) for first, key_id, signature in connection.execute(query)}


def forget(connection: Connection, accepted_with: Sequence[int]) -> None:
    """What is sealed needs it no more: the batch has its own (tables.batch_receipts)."""
    for some in chunks(sorted(set(accepted_with))):
        connection.execute(delete(pending_receipts).where(pending_receipts.c.accepted_with.in_(some)))
