"""Sealing: private keys as they lie in the store. Pure but for the nonces it draws.

AES-256-GCM (NIST SP 800-38D). What is sealed is bound to its key of the store, so that it can't be moved
to another one; the sealed bytes are the version 1, a nonce of 12 bytes, and the ciphertext with its tag.
"""

import os
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError

KEY_BYTES: Final = 32

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_HEADER: Final = len(_VERSION) + _NONCE_BYTES
_IN_MEMORY: Final = "a key in memory"


class Sealer:
    """Seals and opens with one key. Its repr tells where the key comes from, never the key."""

    def __init__(self, key: bytes, source: str) -> None:
        """Take a key of 32 bytes; ``source`` is the file or the variable that it comes from."""
        self.source: Final = source
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return f"Sealer({self.source!r})"

    @classmethod
    def in_memory(cls) -> Self:
        """One with a key that ends with the process, as its store does."""
        return cls(os.urandom(KEY_BYTES), _IN_MEMORY)

    def seal(self, key: str, plain: bytes) -> bytes:
        """Seal what is to be stored under a key of the store; each time it looks different."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, _VERSION + key.encode())

    def open(self, key: str, sealed: bytes) -> bytes:
        """Open what is stored under a key of the store.

        Raises:
            RefusedError: it was sealed with another encryption key, or under another key of the store, or is
                damaged.
        """
        version, nonce, ciphertext = sealed[:1], sealed[1:_HEADER], sealed[_HEADER:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, version + key.encode())
        except (InvalidTag, ValueError):
            what = f"this encryption key does not open {key}: it was sealed with another one, or is damaged"
            remedy = "give the server the encryption key that this store was started with"
            problem = Problem(Place(source=self.source), what, remedy, code=Code.SEALED)
            raise RefusedError(problem) from None
