"""Text from outside, such as the body of an answer, with the secrets that this run knows taken out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pytest_devenv.redact.names import looks_secret
from pytest_devenv.redact.places import redact_url
from pytest_devenv.redact.redactor import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.targets.environment import Environment

_SHORTEST = 6


def redacted(text: str, environment: Environment) -> str:
    """Return the text without this environment's passwords, logins in URLs, and values that are named like secrets."""
    return redact_url(Redactor(_known(environment), shortest_number=_SHORTEST).text(text))


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
