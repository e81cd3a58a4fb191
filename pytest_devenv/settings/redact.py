"""What of a configuration must not be shown: secrets by their key, and passwords in URLs, also in malformed ones."""

from __future__ import annotations

import re

from pytest_devenv.redact.names import looks_secret
from pytest_devenv.redact.places import MASK as HIDDEN
from pytest_devenv.redact.places import redact_url

__all__ = ["HIDDEN", "looks_secret", "redact", "redact_login", "redact_url", "refused_url"]

# What of a URL can be told from a password without doubt: an ordinary scheme, at most one login, a host, a port.
_PLAIN = re.compile(
    r"(?P<scheme>[a-z][a-z+]{0,20}://)(?P<login>[^@/?#]*@)?"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?(?P<rest>[/?#][^@]*)?"
)
_SCHEME = re.compile(r"[a-z][a-z+]{0,20}://")
_ORDINARY_SCHEME = r"(?:postgres(?:ql)?|rediss?|https?)://"
_HIGHEST_PORT = 65535


def redact_login(url: str) -> str:
    """Return one whole URL with its password hidden, also where the password holds what ends a URL in a text.

    Up to the last @ only an ordinary scheme and what follows it up to a colon is shown: where the scheme is malformed,
    what comes first may be anything.
    """
    url = re.sub(rf"(?s)^({_ORDINARY_SCHEME})?+([^:]*):.*@", rf"\1\2:{HIDDEN}@", url)
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
