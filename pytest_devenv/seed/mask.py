"""Texts without secrets: what a seed's failure says, before it is shown or noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.settings.redact import HIDDEN, looks_secret, redact_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHORTEST_GIVEN = 4
_SHORTEST_NAMED = 6


def masked(text: str, *, given: Iterable[str], environ: Mapping[str, str]) -> str:
    """Return the text without the secrets that a seed was given, and without those that the environment names so.

    An ordinary lower-case word of the environment is left to its place in a URL or setting, since it would blank out
    ordinary text.
    """
    known = {value for value in given if len(value) >= _SHORTEST_GIVEN}
    known |= {
        value
        for name, value in environ.items()
        if looks_secret(name) and len(value) >= _SHORTEST_NAMED and not (value.isalpha() and value.islower())
    }
    for value in sorted(known, key=len, reverse=True):
        for spelling in (value, repr(value)[1:-1]):
            text = text.replace(spelling, HIDDEN)
    return redact_url(text)
