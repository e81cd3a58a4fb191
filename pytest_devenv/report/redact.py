"""The last net against secrets in any output: known ones by value, unknown ones by where they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from pytest_devenv.report.spellings import spellings
from pytest_devenv.report.texts import map_texts
from pytest_devenv.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

MASK = "***"

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

# `$PGPASSWORD`, `<password>` and `{ env = "…" }` tell where a secret is, they are none; what is masked stays masked.
_NO_REFERENCE = r"(?!\\?[\"']?(?:\$[A-Za-z_{(]|<[A-Za-z]|\{\s*(?:secret|key|env)\b|\.\.\.|…|\*\*\*))"
_QUOTED = r"""(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")"""
_VALUE = rf"{_NO_REFERENCE}(?:{_QUOTED}|[^\s\"']+)"
_NAME = (  # bounded, so that a long word in a log costs no time
    r"(?:[A-Za-z0-9]{1,40}[_.-]){0,12}(?:[A-Za-z]{0,40}passw(?:or)?d|pwd|passphrase|requirepass|token|jwt[_-]?secret"
    r"|(?:access|auth|refresh|id)[_-]?token|(?:api|access|secret|encryption|private)[_-]?key|client[_-]?secret)"
)
_SCHEME = r"(?:bearer|basic|token|digest)\s+"
_SENSITIVE_KEY = re.compile(_NAME, re.IGNORECASE)


def _rule(pattern: str, replacement: str = rf"\1{MASK}") -> tuple[re.Pattern[str], str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE), replacement


_IN_PLACE = (
    _rule(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|\Z)", MASK),
    # scheme://user:PASSWORD@host; the last @ of the word ends it, since a badly quoted password may hold others
    _rule(rf"(://[^\s:/@\"'`]*:)(?!\d+[/?#]){_NO_REFERENCE}[^\s\"'`]+@", rf"\1{MASK}@"),
    _rule(rf"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:{_SCHEME}|(?!{_SCHEME}))){_NO_REFERENCE}[^\s\"',]+"),
    _rule(rf"(\bbearer\s+){_NO_REFERENCE}(?=[^\s\"',]*\d)[a-z0-9._~+/-]{{8,}}=*"),
    _rule(r"\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*", MASK),
    _rule(rf"(\b{_NAME}\s?=\s?){_VALUE}"),  # conninfo, query, environment
    _rule(rf"([\"']{_NAME}\\?[\"']\s*:\s*){_NO_REFERENCE}(?:{_QUOTED}|\\\"[^\"]*\")", rf'\1"{MASK}"'),  # JSON, Python
    _rule(rf"(^[ \t-]*{_NAME}:[ \t]+){_VALUE}[ \t]*$"),  # YAML, alone on its line
    _rule(rf"(--{_NAME}[ =]){_VALUE}"),
    _rule(r"(\bpassword\s+)'(?:[^'\\]|\\.|'')*'"),  # ALTER ROLE … PASSWORD '…'
    _rule(rf"(\brequirepass\s+){_VALUE}\s*$"),
)


def _too_common(value: str) -> bool:
    return len(value) < (_SHORTEST_NUMBER if value.isdecimal() else _SHORTEST_ANYWHERE)


class Redactor:
    """Replaces secrets in texts and values by `***`.

    `secrets` are the ones that this run knows. `words` are names that occur in a report anyway, such as those of
    services, databases and users: a secret that equals one of them, or is an ordinary word, or is shorter than four
    characters or eight digits, is replaced only where its place says that it is one.
    """

    def __init__(self, secrets: Iterable[Secret | str] = (), *, words: Iterable[str] = ()) -> None:
        ordinary = _WORDS | {word.lower() for word in words}
        values = {secret.reveal() if isinstance(secret, Secret) else secret for secret in secrets}
        distinct = {value for value in values if value.lower() not in ordinary and not _too_common(value)}
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
        for pattern, replacement in _IN_PLACE:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: T) -> T:
        """Return a verdict, a run, or any other value of dataclasses, mappings and sequences without secrets."""
        return map_texts(value, self._keyed)

    def _keyed(self, text: str, key: str) -> str:
        return MASK if _SENSITIVE_KEY.fullmatch(key) else self.text(text)
