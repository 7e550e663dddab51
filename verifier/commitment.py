"""Sections, their leaves, the commitment to all eight, and the copy that is logged (protocol.md sections 1 and 2)."""

from base64 import b32decode, b32encode
from collections.abc import Sequence
from hashlib import sha256
from typing import NewType

from verifier.errors import Malformed
from verifier.merkle import node_hash

SECTIONS = ("header", "seller", "totals", "provenance", "buyer", "lines", "payment", "notes")
"""The sections in the order of their indexes."""
PUBLIC_SECTIONS = SECTIONS[:4]
"""What a holder's verifier sees; the rest is withheld from the public."""
SALT_BYTES = 16

Commitment = NewType("Commitment", bytes)
"""32 bytes that hide and bind the content. Whoever holds it holds a copy: in the QR code and nowhere else that others see."""
Copy = NewType("Copy", bytes)
"""32 bytes: what is logged and registered of a commitment, so that a proof about another copy never discloses its commitment."""

_PREFIXES = tuple(b"\x00zp1/section" + bytes([index]) for index in range(8))


def section_leaf(index: int, salt: bytes, canonical: bytes) -> bytes:
    """H(0x00 ‖ "zp1/section" ‖ u8(index) ‖ salt ‖ canonical bytes of the section), 32 bytes. The salt has 16."""
    return sha256(_PREFIXES[index] + salt + canonical).digest()


def section_leaves(salts: bytes, canonical: Sequence[bytes]) -> list[bytes]:
    """The eight section leaves, from the salts (128 bytes) and the canonical bytes in the order of SECTIONS."""
    return [
        sha256(prefix + salts[at : at + SALT_BYTES] + section).digest()
        for prefix, at, section in zip(_PREFIXES, range(0, len(salts), SALT_BYTES), canonical, strict=True)
    ]


def commitment_of(leaves: Sequence[bytes]) -> Commitment:
    """The RFC 9162 tree hash over the eight section leaves, in the order of SECTIONS."""
    a, b, c, d, e, f, g, h = leaves
    left = node_hash(node_hash(a, b), node_hash(c, d))
    return Commitment(node_hash(left, node_hash(node_hash(e, f), node_hash(g, h))))


def copy_of(commitment: bytes) -> Copy:
    """H("zp1/copy" ‖ 0x00 ‖ commitment)."""
    return Copy(sha256(b"zp1/copy\x00" + commitment).digest())


def commitment_to_text(commitment: bytes) -> str:
    """As it stands in a QR code: RFC 4648 base32, upper case, unpadded; 52 characters."""
    return b32encode(commitment).decode().rstrip("=")


def commitment_from_text(text: str) -> Commitment:
    """The reverse. Raises Malformed for anything that does not encode to itself again (protocol.md section 9)."""
    try:
        commitment = b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        raise Malformed("form.commitment") from None
    if len(commitment) != 32 or commitment_to_text(commitment) != text:
        raise Malformed("form.commitment")
    return Commitment(commitment)
