"""Encryption at rest: AES-256-GCM (NIST SP 800-38D) under versioned keys, bound to what it belongs to.

What is encrypted says which key version it was encrypted with, so that keys can be rotated: new texts take the newest, old ones
stay readable until they are encrypted again. What is large has a key of its own, which is kept encrypted beside it ("wrapped"): a
rotation encrypts that key again and leaves the rest alone, and whoever forgets it has forgotten all.
"""

import hmac
import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.config import Settings

_NONCE_BYTES = 12
_KEY_BYTES = 32


class NotDecrypted(Exception):
    """Not encrypted by us for this context, or its key version is gone."""


class DataKey:
    """The key of one document: 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._mac_key = hmac.digest(key, b"zhengpiao/data-key/mac", sha256)

    def encrypt(self, data: bytes, context: str) -> bytes:
        """nonce ‖ ciphertext and tag. `context` names what part it is of what document, and must be the same to decrypt."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, context.encode())

    def decrypt(self, sealed: bytes, context: str) -> bytes:
        """The reverse. Raises NotDecrypted."""
        return _open(self._cipher, sealed, context)

    def mac(self, data: bytes) -> bytes:
        """HMAC-SHA256 under a key that follows from this one: it says nothing to whoever lacks that key."""
        return hmac.digest(self._mac_key, data, sha256)


class Vault:
    """`keys` maps a version, 1 to 255, to 32 bytes; the highest is used for new texts."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys or any(not 1 <= version <= 255 or len(key) != _KEY_BYTES for version, key in keys.items()):
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
        return _open(cipher, sealed[1:], context)

    def new_data_key(self, context: str) -> tuple[DataKey, bytes]:
        """A key for one document, and the same wrapped, to be kept beside it."""
        key = os.urandom(_KEY_BYTES)
        return DataKey(key), self.encrypt(key, context)

    def unwrap(self, wrapped: bytes, context: str) -> DataKey:
        """The key of a document. Raises NotDecrypted."""
        return DataKey(self.decrypt(wrapped, context))

    def encrypt_again(self, sealed: bytes, context: str) -> bytes:
        """The same under the newest key: of a wrapped key too. Raises NotDecrypted."""
        return self.encrypt(self.decrypt(sealed, context), context)

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was encrypted with the newest key; a rotation encrypts the others again."""
        return sealed[:1] == bytes([self.newest])


def _open(cipher: AESGCM, sealed: bytes, context: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError):
        raise NotDecrypted("changed, or of another context") from None


def vault(settings: Settings) -> Vault:
    """The vault of the settings. Raises ValueError, which never shows a key."""
    if settings.data_keys is None:
        raise ValueError("ZHENGPIAO_DATA_KEYS is not set")
    try:
        pairs = (pair.split(":") for pair in settings.data_keys.get_secret_value().split(","))
        return Vault({int(version): bytes.fromhex(key) for version, key in pairs})
    except (ValueError, TypeError):
        raise ValueError("ZHENGPIAO_DATA_KEYS is not a list of version:32 bytes in hex") from None
