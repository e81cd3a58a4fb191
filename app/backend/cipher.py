"""Encryption of the tokens that music services give us."""

import os

NONCE_BYTES = 12


class DecryptionError(Exception):
    """The data was not encrypted with this key for this context, or was changed since."""


class Cipher:
    """AES-GCM under one 32-byte key; the context binds a ciphertext to the row it belongs to."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, text: str, context: str) -> bytes:
        """Give a fresh nonce, then the ciphertext and its tag."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # not needed to start

        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, text.encode(), context.encode())

    def decrypt(self, data: bytes, context: str) -> str:
        """Give the text back; raise DecryptionError when key, context or data are not those of `encrypt`."""
        from cryptography.exceptions import InvalidTag  # not needed to start
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # not needed to start

        try:
            text = AESGCM(self._key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("expected data encrypted with this key and context") from error
        return text.decode()
