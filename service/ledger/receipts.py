"""The key that signs promises, and the check that a pending row was really promised (protocol.md section 6)."""

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.config import Settings, secret_bytes
from verifier.receipt import is_signed, key_id, receipt_message


class Receipt(NamedTuple):
    """`key_id` 8 bytes, `deadline` in ms since 1970 UTC, `signature` 64 bytes."""

    key_id: bytes
    deadline: int
    signature: bytes


class ReceiptKeys:
    """The signing key and the retired public ones, for one chain and contract."""

    def __init__(self, private_key: bytes, chain_id: int, contract: bytes, retired: tuple[bytes, ...] = ()) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._chain_id = chain_id
        self._contract = contract
        current = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = bytes.fromhex(key_id(current))
        self.public = {key_id(key): key for key in (current, *retired)}
        """Public keys (32 bytes) by key_id in hex, as the trust file publishes them."""

    def sign(self, entry: bytes, deadline: int) -> Receipt:
        """Promise that `entry` (its 146 bytes) is anchored by `deadline` (ms)."""
        return Receipt(self.key_id, deadline, self._key.sign(self._message(entry, deadline)))

    def is_valid(self, entry: bytes, receipt: Receipt) -> bool:
        """Whether one of our keys made this promise.

        Ed25519 is deterministic (RFC 8032 section 5.1.6), so for the key at hand signing again and comparing says the same as
        verifying, at a third of its time.
        """
        if receipt.key_id == self.key_id:
            return self.sign(entry, receipt.deadline) == receipt
        public = self.public.get(receipt.key_id.hex())
        return public is not None and is_signed(public, receipt.signature, self._message(entry, receipt.deadline))

    def _message(self, entry: bytes, deadline: int) -> bytes:
        return receipt_message(self._chain_id, self._contract, entry, deadline)


def receipt_keys(settings: Settings) -> ReceiptKeys:
    """The receipt keys for the contract in the settings. Raises ValueError where either is missing."""
    if settings.contract is None:
        raise ValueError("ZHENGPIAO_CONTRACT is not set")
    contract = bytes.fromhex(settings.contract[2:])
    return ReceiptKeys(secret_bytes(settings.receipt_key, "ZHENGPIAO_RECEIPT_KEY"), settings.chain_id, contract)
