"""Texts without secrets: what a seed's failure says, before it is shown or noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.redact.names import looks_secret
from pytest_devenv.redact.places import redact_url
from pytest_devenv.redact.redactor import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHORTEST_GIVEN = 4
_SHORTEST_NAMED = 6


def masked(text: str, *, given: Iterable[str], environ: Mapping[str, str]) -> str:
    """Return the text without the secrets that a seed was given, and without those that the environment names so.

    An ordinary lower-case word of the environment is left to its place in a URL or setting, since it would blank out
    ordinary text.
    """
    named = {
        value
        for name, value in environ.items()
        if looks_secret(name) and len(value) >= _SHORTEST_NAMED and not (value.isalpha() and value.islower())
    }
    return redact_url(Redactor({*given, *named}, shortest_number=_SHORTEST_GIVEN).text(text))
