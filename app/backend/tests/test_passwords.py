"""Passwords: the rules, and how they are kept."""

import pytest
from argon2.exceptions import InvalidHashError

from app.backend.passwords import hash_password, unmet_rules, verify_password


@pytest.mark.parametrize(
    ("password", "unmet"),
    [
        ("Correct-Horse-7", []),
        ("Short-1", ["length"]),
        ("no upper case 1!", ["upper"]),
        ("NO LOWER CASE 1!", ["lower"]),
        ("No digit at all!", ["digit"]),
        ("No symbol at all 1", ["symbol"]),
        ("", ["length", "upper", "lower", "digit", "symbol"]),
        ("Ünïcödé-Pässwört-٣", []),
    ],
)
def test_every_unmet_rule_is_named(password: str, unmet: list[str]) -> None:
    """A refusal lists each rule that the password breaks, and no other."""
    assert [rule.name for rule in unmet_rules(password)] == unmet


def test_a_password_verifies_against_its_own_hash_only() -> None:
    """The right password is accepted, any other refused."""
    password_hash = hash_password("Correct-Horse-7")
    assert verify_password("Correct-Horse-7", password_hash)
    assert not verify_password("correct-Horse-7", password_hash)


def test_a_hash_hides_the_password_and_names_its_parameters() -> None:
    """What is kept says how it was made and holds nothing of the password; equal passwords look different."""
    first, second = hash_password("Correct-Horse-7"), hash_password("Correct-Horse-7")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "Horse" not in first
    assert first != second


def test_nobody_has_a_password() -> None:
    """Without an account no password is right, not even the empty one."""
    assert not verify_password("", None)


def test_a_hash_of_another_scheme_is_an_error() -> None:
    """A hash that we did not write is reported, not taken for a wrong password."""
    with pytest.raises(InvalidHashError):
        verify_password("Correct-Horse-7", "$scrypt$ln=14,r=8,p=5$c2FsdA$aGFzaA")
