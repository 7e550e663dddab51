"""The signed promise to anchor an accepted entry (protocol.md section 6)."""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_P = 2**255 - 19
# RFC 8032 section 5.1.3 decodes these y too, but the points have an order of 8 or less: such a key "signs" what nobody signed.
_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y = (0, 1, _P - 1, _Y8, _P - _Y8)


def receipt_message(chain_id: int, contract: bytes, entry: bytes, deadline: int) -> bytes:
    """ "zp1/receipt" ‖ u64(chain_id) ‖ contract (20 bytes) ‖ H(entry) ‖ u64(deadline, ms since 1970 UTC)."""
    return b"".join((b"zp1/receipt", chain_id.to_bytes(8, "big"), contract, sha256(entry).digest(), deadline.to_bytes(8, "big")))


def key_id(public_key: bytes) -> str:
    """The first 8 bytes of H(public key), in hex."""
    return sha256(public_key).digest()[:8].hex()


def is_public_key(key: bytes) -> bool:
    """Whether 32 bytes may be a public key: y is below the prime (RFC 8032 section 5.1.3, step 1), and the order is not small.

    OpenSSL asks for neither. With x = 0, whose sign has one way only, the order is small.
    """
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return len(key) == 32 and y < _P and y not in _SMALL_ORDER_Y


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Strict RFC 8032 Ed25519: a scalar not below the group order, or a point that does not encode to itself, is refused.

    OpenSSL refuses such a scalar, and compares R with the encoding that it computes; the key is asked for here. So is the
    order of R: no signer makes a small one, and browsers do not all say the same of it.
    """
    if not is_public_key(public_key) or not is_public_key(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
