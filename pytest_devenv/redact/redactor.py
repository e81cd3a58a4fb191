"""The net against secrets in any text: known ones by value, in any spelling, unknown ones by where they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from pytest_devenv.redact.places import MASK, hide_in_place, sensitive_key
from pytest_devenv.redact.spellings import spellings
from pytest_devenv.redact.texts import map_texts
from pytest_devenv.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

# A password that is one of these says nothing where it stands alone: "password authentication failed" must stay
# readable, and must not tell that the password is `password`. In a URL or a setting its place gives it away.
_WORDS = frozenset(
    (  # noqa: SIM905  # a column of sixty quoted words reads worse
        "admin administrator app backend cache change changeme ci cluster data database debug default demo "
        "dev development docker example false frontend guest health host http https info kubernetes letmein "
        "local localhost login main master migration none null passwd password pg postgres postgresql prod "
        "production public qwerty redis root sample secret server service staging system test testing token "
        "true user username value welcome worker "
    ).split()
)
_SHORTEST_ANYWHERE = 4
_SHORTEST_NUMBER = 8  # shorter ones are ports, sizes and times
_SHORTEST_LINE = 16


class Redactor:
    """Replaces secrets in texts and values by `***`.

    `secrets` are the ones that this run knows. `words` are names that occur in a report anyway, such as those of
    services, databases and users: a secret that equals one of them, or is an ordinary word, or is shorter than four
    characters or `shortest_number` digits, is replaced only where its place says that it is one.
    """

    def __init__(
        self,
        secrets: Iterable[Secret | str] = (),
        *,
        words: Iterable[str] = (),
        shortest_number: int = _SHORTEST_NUMBER,
    ) -> None:
        ordinary = _WORDS | {word.lower() for word in words}
        values = {secret.reveal() if isinstance(secret, Secret) else secret for secret in secrets}
        distinct = {
            value
            for value in values
            if value.lower() not in ordinary
            and len(value) >= (shortest_number if value.isdecimal() else _SHORTEST_ANYWHERE)
        }
        lines = {row for value in distinct for row in value.splitlines() if len(row) >= _SHORTEST_LINE}
        patterns = [spellings(value) for value in sorted(distinct | lines, key=lambda value: (-len(value), value))]
        self._known = re.compile("|".join(patterns)) if patterns else None

    def __repr__(self) -> str:
        return "Redactor(***)"

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if self._known is not None:
            while (shorter := self._known.sub(MASK, text)) != text:  # a mask beside a rest may make the secret again
                text = shorter
        return hide_in_place(text)

    def value(self, value: T) -> T:
        """Return a verdict, a run, or any other value of dataclasses, mappings and sequences without secrets."""
        return map_texts(value, self._keyed)

    def _keyed(self, text: str, key: str) -> str:
        return MASK if sensitive_key().fullmatch(key) else self.text(text)
