"""What two people approved, as it stands on the chain: of a release (releasing.py), of a reprint (service/reprints/reviewing.py).

    H(approval) = SHA-256("zhengpiao/approval" ‖ 0x00 ‖ approval), an approval being canonical JSON
    auth of the entry = SHA-256("zhengpiao/approvals" ‖ 0x00 ‖ H(first) ‖ H(second))

Both approvals are kept, so that whoever has the database can compute what stands on the chain again.
"""

from hashlib import sha256


def hash_of_approval(approval: str) -> bytes:
    """H(approval)."""
    return sha256(b"zhengpiao/approval\x00" + approval.encode()).digest()


def auth_of(first: str, second: str) -> bytes:
    """`auth` of the entry that both approved."""
    return sha256(b"zhengpiao/approvals\x00" + hash_of_approval(first) + hash_of_approval(second)).digest()
