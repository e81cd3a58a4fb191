"""Which names say that what they name is a secret."""

from __future__ import annotations

import re

_SECRET_WORDS = frozenset(
    {"apikey", "auth", "credential", "credentials", "key", "keys", "pass", "passphrase", "passwd", "password"}
    | {"passwords", "pepper", "private", "pwd", "salt", "secret", "secrets", "token", "tokens"}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SUFFIX = re.compile(r"(password|passwd|passphrase|secret|token|apikey)s?$", re.IGNORECASE)


def looks_secret(key: str) -> bool:
    """Return whether a variable of this name holds a secret, going by the words in it.

    `JWT_SECRET`, `apiKey` and `PGPASSWORD` do; `PUBLIC_KEY`, `KEYBOARD` and `DATABASE_URL` do not (for URLs, see
    `redact_url`).
    """
    words = {word.lower() for word in _WORD.findall(key)}
    if "public" in words and not words & {"password", "secret", "token"}:
        return False
    return bool(words & _SECRET_WORDS) or _SUFFIX.search(key) is not None
