"""What must not be shown: which keys name a secret, and which part of a text is one."""

from __future__ import annotations

import re

HIDDEN = "***"

_SECRET_WORDS = frozenset(
    {"apikey", "auth", "credential", "credentials", "key", "keys", "pass", "passphrase", "passwd", "password"}
    | {"passwords", "pepper", "private", "pwd", "salt", "secret", "secrets", "token", "tokens"}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SUFFIX = re.compile(r"(password|passwd|passphrase|secret|token|apikey)s?$", re.IGNORECASE)

# Greedy up to the last @ of the word: a password that holds an unescaped / or @ is hidden whole.
_LOGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<user>[^\s:/@,;]*):[^\s,;]*@", re.IGNORECASE)
_TOKEN_LOGIN = re.compile(r"(?P<scheme>https?://)[^\s:/@,;{}]+@", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?P<name>(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key)\s*[=:]\s*)(?!//)[^\s&;,'\"{}]+",
    re.IGNORECASE,
)


def looks_secret(key: str) -> bool:
    """Return whether a variable of this name holds a secret, going by the words in it.

    `JWT_SECRET`, `apiKey` and `PGPASSWORD` do; `PUBLIC_KEY`, `KEYBOARD` and `DATABASE_URL` do not (for URLs, see
    `redact_url`).
    """
    words = {word.lower() for word in _WORD.findall(key)}
    if "public" in words and not words & {"password", "secret", "token"}:
        return False
    return bool(words & _SECRET_WORDS) or _SUFFIX.search(key) is not None


def redact_url(text: str) -> str:
    """Return the text with the password of every URL in it hidden, and every `password=…` or `token=…`."""
    text = _LOGIN.sub(rf"\g<scheme>\g<user>:{HIDDEN}@", text)
    text = _TOKEN_LOGIN.sub(rf"\g<scheme>{HIDDEN}@", text)
    return _ASSIGNED.sub(rf"\g<name>{HIDDEN}", text)


def redact(key: str, value: str) -> str:
    """Return what may be shown of the variable `key`: nothing of a secret, all but the passwords of anything else.

    A value that consists of placeholders alone (`{postgres.url}`) holds nothing to hide.
    """
    if looks_secret(key) and not re.fullmatch(r"\{[\w.-]+\}", value):
        return HIDDEN
    return redact_url(value)
