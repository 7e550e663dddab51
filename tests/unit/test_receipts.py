"""Receipts are RFC 8032 signatures, however they are made and checked, one or many."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.ledger.receipts import Receipt, ReceiptKeys
from verifier.receipt import is_signed, receipt_message

_SEED = bytes(range(32))
_CONTRACT = b"\x42" * 20
_KEYS = ReceiptKeys(_SEED, 31337, _CONTRACT)
_DEADLINE = 1_795_600_060_000
_ENTRIES = [os.urandom(146) for _ in range(100)]


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 100])
def test_many_are_signed_as_each_would_be(count: int) -> None:
    other = Ed25519PrivateKey.from_private_bytes(_SEED)
    receipts = _KEYS.sign_all(_ENTRIES[:count], _DEADLINE)
    assert receipts == [_KEYS.sign(entry, _DEADLINE) for entry in _ENTRIES[:count]]
    for entry, receipt in zip(_ENTRIES, receipts, strict=False):
        message = receipt_message(31337, _CONTRACT, entry, _DEADLINE)
        assert receipt.signature == other.sign(message)
        assert is_signed(_KEYS.public[receipt.key_id.hex()], receipt.signature, message)


def test_each_of_many_is_judged_by_itself() -> None:
    retired = ReceiptKeys(b"\x07" * 32, 31337, _CONTRACT)
    keys = ReceiptKeys(_SEED, 31337, _CONTRACT, tuple(retired.public.values()))
    good = keys.sign_all(_ENTRIES, _DEADLINE)
    cases = {
        0: good[1],  # of another entry
        3: good[3]._replace(deadline=_DEADLINE + 1),
        5: good[5]._replace(signature=bytes([good[5].signature[0] ^ 1]) + good[5].signature[1:]),
        7: good[7]._replace(key_id=bytes(8)),
        40: good[40]._replace(deadline=-1),
        41: good[41]._replace(deadline=1 << 63),
        60: ReceiptKeys(_SEED, 1, _CONTRACT).sign(_ENTRIES[60], _DEADLINE),
        99: Receipt(retired.key_id, _DEADLINE, good[99].signature),
    }
    fine = {2: retired.sign(_ENTRIES[2], _DEADLINE), 4: keys.sign(_ENTRIES[4], 0)}
    receipts = [cases.get(n) or fine.get(n) or receipt for n, receipt in enumerate(good)]
    judged = keys.are_valid(_ENTRIES, receipts)
    assert [n for n, is_valid in enumerate(judged) if not is_valid] == list(cases)
