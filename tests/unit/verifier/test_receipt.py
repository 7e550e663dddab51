"""Receipts are strict Ed25519: what OpenSSL lets through beside it is refused."""

from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.vector_files import vector
from verifier.receipt import is_public_key, is_signed, key_id, receipt_message

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SECRET.public_key().public_bytes_raw()
MESSAGE = b"a message"
SIGNATURE = SECRET.sign(MESSAGE)

# The eight points whose order divides 8, and every way to write them, by the y of each (RFC 7748 section 4.1 has the curve).
Y8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
SMALL_ORDER = [(y | sign << 255).to_bytes(32, "little") for y in (0, 1, P - 1, Y8, P - Y8, P, P + 1) for sign in (0, 1)]


def on_curve(y: int) -> bool:
    """Whether -x² + y² = 1 + d x² y² has a solution."""
    d = -121665 * pow(121666, P - 2, P) % P
    x2 = (y * y - 1) * pow(d * y * y + 1, P - 2, P) % P
    return x2 == 0 or pow(x2, (P - 1) // 2, P) == 1


def test_signed() -> None:
    assert is_signed(PUBLIC, SIGNATURE, MESSAGE)
    assert not is_signed(PUBLIC, SIGNATURE, MESSAGE + b"x")
    assert not is_signed(PUBLIC, SIGNATURE[:-1], MESSAGE)
    assert not is_signed(PUBLIC, SIGNATURE + b"\0", MESSAGE)
    assert not is_signed(PUBLIC[:-1], SIGNATURE, MESSAGE)
    assert not is_signed(b"", b"", MESSAGE)


@pytest.mark.parametrize("bit", range(0, 512, 7))
def test_another_signature(bit: int) -> None:
    changed = int.from_bytes(SIGNATURE, "little") ^ 1 << bit
    assert not is_signed(PUBLIC, changed.to_bytes(64, "little"), MESSAGE)


@pytest.mark.parametrize("times", [1, 2, 8])
def test_a_scalar_not_below_the_order(times: int) -> None:
    scalar = int.from_bytes(SIGNATURE[32:], "little") + times * ORDER
    assert not is_signed(PUBLIC, SIGNATURE[:32] + scalar.to_bytes(32, "little"), MESSAGE)


@pytest.mark.parametrize("r", SMALL_ORDER, ids=bytes.hex)
def test_r_of_small_order_or_written_otherwise(r: bytes) -> None:
    """With R the neutral element the scalar is h·a, so that the equation of RFC 8032 holds, as with every way to write it."""
    hashed = sha512(SECRET.private_bytes_raw()).digest()
    secret = int.from_bytes(hashed[:32], "little") & (2**254 - 8) | 2**254
    challenge = int.from_bytes(sha512(r + PUBLIC + MESSAGE).digest(), "little")
    assert not is_signed(PUBLIC, r + (challenge * secret % ORDER).to_bytes(32, "little"), MESSAGE)


@pytest.mark.parametrize("key", SMALL_ORDER, ids=bytes.hex)
def test_a_key_of_small_order_signs_nothing(key: bytes) -> None:
    assert not is_public_key(key)
    for r in SMALL_ORDER:
        assert not is_signed(key, r + bytes(32), MESSAGE)


def forged_under_the_neutral_element() -> bytes:
    """S·B = R + h·A holds for every message where A is the neutral element: R = S·B, of full order. PUBLIC is such a product."""
    secret = int.from_bytes(sha512(SECRET.private_bytes_raw()).digest()[:32], "little") & (2**254 - 8) | 2**254
    return PUBLIC + (secret % ORDER).to_bytes(32, "little")


@pytest.mark.parametrize("y", [1, P + 1])
def test_what_openssl_alone_would_accept(y: int) -> None:
    """Why the key is asked for. If the first line fails, OpenSSL has become stricter, and nothing is lost."""
    neutral = y.to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(neutral).verify(forged_under_the_neutral_element(), MESSAGE)
    assert not is_signed(neutral, forged_under_the_neutral_element(), MESSAGE)


@pytest.mark.parametrize("excess", [y for y in range(2, 19) if on_curve(y)])
def test_a_key_whose_y_is_not_below_the_prime(excess: int) -> None:
    """There are few: 2^255 - 19 up to 2^255 - 1."""
    assert is_public_key(excess.to_bytes(32, "little"))
    assert not is_public_key((P + excess).to_bytes(32, "little"))


def test_key_of_the_vectors() -> None:
    anchors = vector("proofs/anchors")
    [(name, key)] = anchors["service_keys"].items()
    assert key_id(bytes.fromhex(key)) == name
    assert is_public_key(bytes.fromhex(key))


def test_message() -> None:
    message = receipt_message(31337, b"\x11" * 20, b"entry", 1)
    assert message.startswith(b"zp1/receipt\0\0\0\0\0\0\x7ai" + b"\x11" * 20)
    assert len(message) == 11 + 8 + 20 + 32 + 8
    assert message.endswith(b"\0\0\0\0\0\0\0\1")
