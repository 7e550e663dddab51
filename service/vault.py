"""Encryption at rest: AES-256-GCM (NIST SP 800-38D) under versioned keys, bound to what it belongs to.

What is encrypted says which key version it was encrypted with, so that keys can be rotated: new texts take the newest, old ones
stay readable until they are encrypted again.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.config import Settings

_NONCE_BYTES = 12


class NotDecrypted(Exception):
    """Not encrypted by us for this context, or its key version is gone."""


class Vault:
    """`keys` maps a version, 1 to 255, to 32 bytes; the highest is used for new texts."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys or any(not 1 <= version <= 255 or len(key) != 32 for version, key in keys.items()):
            raise ValueError("a vault needs keys of 32 bytes with versions from 1 to 255")
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self.newest = max(keys)

    def encrypt(self, data: bytes, context: str) -> bytes:
        """u8(version) ‖ nonce ‖ ciphertext and tag. `context` names what it belongs to, and must be the same to decrypt."""
        nonce = os.urandom(_NONCE_BYTES)
        return bytes([self.newest]) + nonce + self._ciphers[self.newest].encrypt(nonce, data, context.encode())

    def decrypt(self, sealed: bytes, context: str) -> bytes:
        """The reverse. Raises NotDecrypted."""
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None:
            raise NotDecrypted("no key of that version")
        try:
            return cipher.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], context.encode())
        except (InvalidTag, ValueError):
            raise NotDecrypted("changed, or of another context") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was encrypted with the newest key; a rotation encrypts the others again."""
        return sealed[:1] == bytes([self.newest])


def vault(settings: Settings) -> Vault:
    """The vault of the settings. Raises ValueError, which never shows a key."""
    if settings.data_keys is None:
        raise ValueError("ZHENGPIAO_DATA_KEYS is not set")
    try:
        pairs = (pair.split(":") for pair in settings.data_keys.get_secret_value().split(","))
        return Vault({int(version): bytes.fromhex(key) for version, key in pairs})
    except (ValueError, TypeError):
        raise ValueError("ZHENGPIAO_DATA_KEYS is not a list of version:32 bytes in hex") from None
