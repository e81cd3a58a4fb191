"""Which passwords are good enough, and how they are kept."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

MIN_LENGTH = 12
MAX_LENGTH = 128


@dataclass(frozen=True)
class Rule:
    """One thing that a password must have; app/frontend/rules.js holds the same rules."""

    name: str
    text: str
    holds: Callable[[str], bool]


def _has(*categories: str) -> Callable[[str], bool]:
    """Look for one character whose Unicode general category begins with one of these."""
    return lambda password: any(unicodedata.category(character).startswith(categories) for character in password)


RULES = (
    Rule("length", f"At least {MIN_LENGTH} characters", lambda password: len(password) >= MIN_LENGTH),
    Rule("upper", "An upper-case letter", _has("Lu")),
    Rule("lower", "A lower-case letter", _has("Ll")),
    Rule("digit", "A digit", _has("Nd")),
    Rule("symbol", "A symbol, such as ! or #", _has("P", "S")),
)


def unmet_rules(password: str) -> tuple[Rule, ...]:
    """Give the rules that a password breaks, in the order in which people read them."""
    return tuple(rule for rule in RULES if not rule.holds(password))


_MEMORY_KIB, _PASSES, _LANES = 19_456, 2, 1
"""The first recommendation of the OWASP password storage cheat sheet for Argon2id."""

_NOBODYS_HASH = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${'A' * 22}${'A' * 43}"


def hash_password(password: str) -> str:
    """Hash with Argon2id and a fresh salt, written in the PHC string format."""
    from argon2 import PasswordHasher  # not needed to start

    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES).hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Say whether the hash is the password's; without a hash (no such account) take as long, and say no.

    Raises argon2's InvalidHashError for what is no Argon2 hash.
    """
    from argon2 import PasswordHasher  # not needed to start
    from argon2.exceptions import VerifyMismatchError

    try:
        PasswordHasher().verify(password_hash or _NOBODYS_HASH, password)
    except VerifyMismatchError:
        return False
    return password_hash is not None
