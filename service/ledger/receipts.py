"""The key that signs promises, and the check that a pending row was really promised (protocol.md section 6).

Sealing checks every receipt of a batch, and signs that it did: one signature over all of them, in the order of the batch. It
covers every stored bit of them at a thousandth of the price, and only where it fails are they checked one by one again. One over
those of a transaction does the same for sealing itself (promises.py).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import sha256
from itertools import compress
from typing import NamedTuple

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from service.config import Settings, secret_bytes
from service.ledger.signer import SIGNER
from service.processes import Gone
from verifier.receipt import is_signed, key_id, receipt_message

_MANY = 32


class Receipt(NamedTuple):
    """`key_id` 8 bytes, `deadline` in ms since 1970 UTC, `signature` 64 bytes."""

    key_id: bytes
    deadline: int
    signature: bytes


def of_columns(key_ids: Iterable[bytes], deadlines: Iterable[int], signatures: Iterable[bytes]) -> list[Receipt]:
    """Many receipts, in a third of the time that calling Receipt for each takes."""
    return list(map(_new_receipt, zip(key_ids, deadlines, signatures, strict=True)))


_new_receipt = partial(tuple.__new__, Receipt)


class ReceiptKeys:
    """The signing key and the retired public ones, for one chain and contract."""

    def __init__(self, private_key: bytes, chain_id: int, contract: bytes, retired: tuple[bytes, ...] = ()) -> None:
        current, self._key = crypto_sign_seed_keypair(private_key)
        self._chain_id = chain_id
        self._contract = contract
        self.key_id = bytes.fromhex(key_id(current))
        self.public = {key_id(key): key for key in (current, *retired)}
        """Public keys (32 bytes) by key_id in hex, as the trust file publishes them."""

    def sign(self, entry: bytes, deadline: int) -> Receipt:
        """Promise that `entry` (its 146 bytes) is anchored by `deadline` (ms)."""
        return Receipt(self.key_id, deadline, self._sign(self._message(entry, deadline)))

    def sign_all(self, entries: Sequence[bytes], deadline: int) -> list[Receipt]:
        """The same for many, in order."""
        signatures = self._signatures([self._message(entry, deadline) for entry in entries])
        return [Receipt(self.key_id, deadline, signature) for signature in signatures]

    def _signatures(self, messages: Sequence[bytes]) -> list[bytes]:
        if len(messages) >= _MANY:
            try:
                return SIGNER.sign(self._key, messages)
            except Gone:
                pass  # somebody has stopped it: the next many start another one
        return list(map(self._sign, messages))

    def _sign(self, message: bytes) -> bytes:
        return crypto_sign(message, self._key)[:64]

    def are_valid(self, entries: Sequence[bytes], receipts: Sequence[Receipt]) -> list[bool]:
        """Of each receipt, whether one of our keys made this promise about the entry in its place.

        Ed25519 is deterministic (RFC 8032 section 5.1.6), so for the key at hand signing again and comparing says the same as
        verifying, at a third of its time.
        """
        are_ours = [key_id == self.key_id and 0 <= deadline < 1 << 63 for key_id, deadline, _ in receipts]
        pairs = zip(entries, receipts, strict=True)
        messages = [self._message(entry, receipt.deadline) for entry, receipt in compress(pairs, are_ours)]
        again = iter(self._signatures(messages))
        pairs = zip(entries, receipts, strict=True)
        return [
            next(again) == receipt.signature if is_ours else self._is_signed(entry, receipt)
            for is_ours, (entry, receipt) in zip(are_ours, pairs, strict=True)
        ]

    def _is_signed(self, entry: bytes, receipt: Receipt) -> bool:
        key_id, deadline, signature = receipt
        return 0 <= deadline < 1 << 63 and self._has_signed(self._message(entry, deadline), key_id, signature)

    def _has_signed(self, message: bytes, key_id: bytes, signature: bytes) -> bool:
        public = self.public.get(key_id.hex())
        return public is not None and is_signed(public, signature, message)

    def sign_accepted(self, entries: Sequence[bytes], receipts: Sequence[Receipt]) -> bytes:
        """That these entries were accepted together, in order, each with its receipt, which this key has signed."""
        return self._sign(self._accepted_message(entries, receipts))

    def has_accepted(self, entries: Sequence[bytes], receipts: Sequence[Receipt], key_id: bytes, signature: bytes) -> bool:
        """Whether one of our keys said so. Lengths are not what is signed: each must be what it should be."""
        key_ids, deadlines, signatures = zip(*receipts, strict=True)
        have_lengths = set(map(len, entries)) == {146} and set(map(len, key_ids)) == {8} and set(map(len, signatures)) == {64}
        if not have_lengths or min(deadlines) < 0 or max(deadlines) >= 1 << 63:
            return False
        return self._has_signed(self._accepted_message(entries, receipts), key_id, signature)

    def _accepted_message(self, entries: Sequence[bytes], receipts: Sequence[Receipt]) -> bytes:
        return accepted_message(self._chain_id, self._contract, sha256(b"".join(entries)).digest(), digest(receipts))

    def sign_batch(self, log_root: bytes, receipts: Iterable[Receipt]) -> bytes:
        """That these are the receipts of the batch with this log root, in order, and that each of them was checked."""
        return self._sign(batch_message(self._chain_id, self._contract, log_root, digest(receipts)))

    def sign_message(self, message: Callable[[int, bytes], bytes]) -> tuple[bytes, bytes]:
        """(key_id, signature) of what `message` makes of chain id and contract."""
        return self.key_id, self._sign(message(self._chain_id, self._contract))

    def _message(self, entry: bytes, deadline: int) -> bytes:
        return receipt_message(self._chain_id, self._contract, entry, deadline)


def digest(receipts: Iterable[Receipt]) -> bytes:
    """H of key_id ‖ u64(deadline) ‖ signature of each in turn."""
    return sha256(b"".join([key_id + deadline.to_bytes(8, "big") + signature for key_id, deadline, signature in receipts])).digest()


def packed(receipt: tuple[bytes, int, bytes]) -> bytes:
    """80 bytes: key_id ‖ u64(deadline) ‖ signature."""
    key_id, deadline, signature = receipt
    return key_id + deadline.to_bytes(8, "big") + signature


def batch_message(chain_id: int, contract: bytes, log_root: bytes, receipts: bytes) -> bytes:
    """What sealing signs: "zhengpiao/receipts" ‖ u64(chain_id) ‖ contract ‖ log root ‖ digest of the receipts."""
    return b"".join((b"zhengpiao/receipts", chain_id.to_bytes(8, "big"), contract, log_root, receipts))


def accepted_message(chain_id: int, contract: bytes, entries: bytes, receipts: bytes) -> bytes:
    """What accepting many signs: "zhengpiao/accepted" ‖ u64(chain_id) ‖ contract ‖ H(entries) ‖ digest of their receipts."""
    return b"".join((b"zhengpiao/accepted", chain_id.to_bytes(8, "big"), contract, entries, receipts))


def receipt_keys(settings: Settings) -> ReceiptKeys:
    """The receipt keys for the contract in the settings. Raises ValueError where either is missing."""
    if settings.contract is None:
        raise ValueError("ZHENGPIAO_CONTRACT is not set")
    contract = bytes.fromhex(settings.contract[2:])
    return ReceiptKeys(secret_bytes(settings.receipt_key, "ZHENGPIAO_RECEIPT_KEY"), settings.chain_id, contract)


def public_keys(settings: Settings) -> dict[str, bytes]:
    """The service's public keys by key id: for who checks its receipts, which takes no private key.

    Raises ValueError where the settings have neither them nor the receipt key.
    """
    if settings.public_service_keys:
        return dict(settings.public_service_keys)
    if settings.receipt_key is None:
        raise ValueError("ZHENGPIAO_SERVICE_KEYS is not set, nor is ZHENGPIAO_RECEIPT_KEY")
    return dict(receipt_keys(settings).public)
