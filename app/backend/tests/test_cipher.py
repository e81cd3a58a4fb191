"""Encryption of the tokens that music services give us."""

import os

import pytest

from app.backend.cipher import NONCE_BYTES, Cipher, DecryptionError


@pytest.fixture
def cipher() -> Cipher:
    """Make a cipher under a fresh key."""
    return Cipher(os.urandom(32))


def test_what_was_encrypted_can_be_read_again(cipher: Cipher) -> None:
    """Key and context give the text back."""
    assert cipher.decrypt(cipher.encrypt("tökën", "user:spotify"), "user:spotify") == "tökën"


def test_one_text_is_never_encrypted_alike_twice(cipher: Cipher) -> None:
    """Each encryption has a nonce of its own."""
    first, second = cipher.encrypt("token", "c"), cipher.encrypt("token", "c")
    assert first[:NONCE_BYTES] != second[:NONCE_BYTES]
    assert first[NONCE_BYTES:] != second[NONCE_BYTES:]


def test_a_token_cannot_be_moved_to_another_row(cipher: Cipher) -> None:
    """The context of one row does not open the token of another."""
    with pytest.raises(DecryptionError):
        cipher.decrypt(cipher.encrypt("token", "ada:spotify"), "bob:spotify")


@pytest.mark.parametrize("position", [0, NONCE_BYTES, -1])
def test_a_changed_byte_is_found(cipher: Cipher, position: int) -> None:
    """Neither nonce, ciphertext nor tag can be changed unseen."""
    data = bytearray(cipher.encrypt("token", "c"))
    data[position] ^= 1
    with pytest.raises(DecryptionError):
        cipher.decrypt(bytes(data), "c")


def test_data_that_is_too_short_is_an_error_of_its_own(cipher: Cipher) -> None:
    """Truncated data is refused like changed data."""
    with pytest.raises(DecryptionError):
        cipher.decrypt(b"short", "c")
