"""The signed promise to anchor an accepted entry (protocol.md section 6)."""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def receipt_message(chain_id: int, contract: bytes, entry: bytes, deadline: int) -> bytes:
    """ "zp1/receipt" ‖ u64(chain_id) ‖ contract (20 bytes) ‖ H(entry) ‖ u64(deadline, ms since 1970 UTC)."""
    return b"".join((b"zp1/receipt", chain_id.to_bytes(8, "big"), contract, sha256(entry).digest(), deadline.to_bytes(8, "big")))


def key_id(public_key: bytes) -> str:
    """The first 8 bytes of H(public key), in hex."""
    return sha256(public_key).digest()[:8].hex()


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Strict RFC 8032 Ed25519: a scalar not below the group order, or a point that does not encode to itself, is refused."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
