"""Which passwords are good enough, and how they are kept."""

import base64
import hashlib
import hmac
import os
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


_LOG2_N, _BLOCK_SIZE, _PARALLELISM = 14, 8, 5
"""The OWASP password storage cheat sheet's scrypt parameters for 16 MiB."""

_MAX_MEMORY_BYTES = 64 * 1024 * 1024


def hash_password(password: str) -> str:
    """Hash with scrypt and a fresh salt, written as $scrypt$ln=14,r=8,p=5$salt$hash."""
    salt = os.urandom(16)
    digest = _scrypt(password, salt, _LOG2_N, _BLOCK_SIZE, _PARALLELISM)
    return f"$scrypt$ln={_LOG2_N},r={_BLOCK_SIZE},p={_PARALLELISM}${_encode(salt)}${_encode(digest)}"


def verify_password(password: str, password_hash: str | None) -> bool:
    """Say whether the hash is the password's; without a hash (no such account) take as long, and say no."""
    parameters, salt, expected = _parse(password_hash or _NOBODYS_HASH)
    return hmac.compare_digest(_scrypt(password, salt, *parameters), expected) and password_hash is not None


def _scrypt(password: str, salt: bytes, log2_n: int, block_size: int, parallelism: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=1 << log2_n, r=block_size, p=parallelism, maxmem=_MAX_MEMORY_BYTES, dklen=32
    )


def _parse(password_hash: str) -> tuple[tuple[int, int, int], bytes, bytes]:
    _, scheme, parameters, salt, digest = password_hash.split("$")
    if scheme != "scrypt":
        message = f"expected a scrypt hash, found the scheme {scheme!r}"
        raise ValueError(message)
    log2_n, block_size, parallelism = (int(parameter.partition("=")[2]) for parameter in parameters.split(","))
    return (log2_n, block_size, parallelism), _decode(salt), _decode(digest)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


_NOBODYS_HASH = f"$scrypt$ln={_LOG2_N},r={_BLOCK_SIZE},p={_PARALLELISM}${_encode(bytes(16))}${_encode(bytes(32))}"
