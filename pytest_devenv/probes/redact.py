"""Text from outside, such as the body of an answer, with the secrets that this run knows taken out of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pytest_devenv.settings.redact import HIDDEN, looks_secret, redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.targets.environment import Environment

_SHORTEST = 6
_NAMED = re.compile(
    r"(?P<name>\"(?:\w*(?:password|passwd|secret|token|api_?key|authorization))\"\s*:\s*\")[^\"]*", re.IGNORECASE
)
_BEARER = re.compile(r"(?P<name>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)


def redacted(text: str, environment: Environment) -> str:
    """Return the text without this environment's passwords, logins in URLs, and values that are named like secrets."""
    for value in sorted(set(_known(environment)), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for pattern in (_NAMED, _BEARER):
        text = pattern.sub(rf"\g<name>{HIDDEN}", text)
    return redact_url(text)


def _known(environment: Environment) -> Iterator[str]:
    """Yield the secrets of this run; an ordinary word is left to its place, since it would blank out ordinary text."""
    for value in _every(environment):
        if len(value) >= _SHORTEST and not (value.isalpha() and value.islower()):
            yield value


def _every(environment: Environment) -> Iterator[str]:
    for endpoint in environment.endpoints.values():
        if endpoint.password is not None:
            yield endpoint.password.reveal()
    for variables in environment.variables.values():
        for name, value in variables.items():
            if looks_secret(name):
                yield value
            elif "://" in value and (password := urlsplit(value).password) is not None:
                yield password
                yield unquote(password)
