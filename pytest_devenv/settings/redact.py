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

# What of a URL can be told from a password without doubt: an ordinary scheme, at most one login, a host, a port.
_PLAIN = re.compile(
    r"(?P<scheme>[a-z][a-z+]{0,20}://)(?P<login>[^@/?#]*@)?"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?(?P<rest>[/?#][^@]*)?"
)
_SCHEME = re.compile(r"[a-z][a-z+]{0,20}://")
_HIGHEST_PORT = 65535


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


def redact_login(url: str) -> str:
    """Return one whole URL with its password hidden, also where the password holds what ends a URL in a text."""
    url = re.sub(r"(?s)(?<=://)([^:]*):.*@", rf"\1:{HIDDEN}@", url)
    return redact_url(re.sub(r"(?s)^(https?://)[^:]*@", rf"\1{HIDDEN}@", url))


def refused_url(text: str) -> str:
    """Return what may be shown of a text that was to be a URL and is not one that can be used.

    That is its scheme and its host, where no part of a password can be mistaken for them, else only `***`.
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        return HIDDEN
    plain = _PLAIN.fullmatch(text)
    if plain is None or (plain["port"] is not None and int(plain["port"][1:]) > _HIGHEST_PORT):
        return text if text == scheme[0] else f"{scheme[0]}{HIDDEN}"
    login = "" if plain["login"] is None else f"{HIDDEN}@"
    rest = "" if plain["rest"] in {None, "/"} else f"{plain['rest'][0]}{HIDDEN}"
    return f"{scheme[0]}{login}{plain['host']}{plain['port'] or ''}{rest}"


def redact(key: str, value: str) -> str:
    """Return what may be shown of the variable `key`: nothing of a secret, all but the passwords of anything else.

    A value that consists of placeholders alone (`{postgres.url}`) holds nothing to hide.
    """
    if looks_secret(key) and not re.fullmatch(r"\{[\w.-]+\}", value):
        return HIDDEN
    return redact_url(value)
