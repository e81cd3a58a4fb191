"""Secrets that nobody told us of, known by their place: in a URL, a setting, a header, a query."""

from __future__ import annotations

import re
from functools import cache

MASK = "***"

# `$PGPASSWORD`, `<password>` and `{ env = "…" }` tell where a secret is, they are none; what is masked stays masked.
_NO_REFERENCE = r"(?!\\?[\"']?(?:\$[A-Za-z_{(]|<[A-Za-z]|\{\s*(?:secret|key|env)\b|\.\.\.|…|\*\*\*))"
_QUOTED = r"""(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")"""
_VALUE = rf"{_NO_REFERENCE}(?:{_QUOTED}|[^\s\"']+)"
_NAME = (  # bounded, so that a long word in a log costs no time
    r"(?:[A-Za-z0-9]{1,40}[_.-]){0,12}(?:[A-Za-z]{0,40}passw(?:or)?d|pwd|passphrase|requirepass|token|jwt[_-]?secret"
    r"|(?:access|auth|refresh|id)[_-]?token|(?:api|access|secret|encryption|private)[_-]?key|client[_-]?secret)"
)
_HINTS = ("://", "pass", "pwd", "token", "secret", "key", "authorization", "bearer", "eyj")
_SCHEME = r"(?:bearer|basic|token|digest)\s+"


def hide_in_place(text: str) -> str:
    """Return a text without the secrets whose place says what they are; messages about secrets stay as they are."""
    if not _may_hide(text):
        return text
    for pattern, replacement in _in_place():
        text = pattern.sub(replacement, text)
    return text


def redact_url(text: str) -> str:
    """Return a setting, a word of a command or a text from outside without the secrets whose place gives them away.

    It hides more than `hide_in_place`: whatever follows `password:` or `secret=`, which in a message may be words.
    """
    if not _may_hide(text):
        return text
    text = hide_in_place(text)
    for pattern, replacement in _in_a_setting():
        text = pattern.sub(replacement, text)
    return text


def _may_hide(text: str) -> bool:
    """Tell at a glance whether a rule can apply: each asks for one of these, and most texts of a report have none."""
    folded = text.casefold()
    return any(hint in folded for hint in _HINTS)


@cache
def sensitive_key() -> re.Pattern[str]:
    """Return the pattern of keys whose value is a secret, whatever it is."""
    return re.compile(_NAME, re.IGNORECASE)


def _rule(pattern: str, replacement: str = rf"\1{MASK}") -> tuple[re.Pattern[str], str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE), replacement


@cache  # compiled where they are first needed: that costs more than most runs have to spare
def _in_place() -> tuple[tuple[re.Pattern[str], str], ...]:
    return (
        _rule(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|\Z)", MASK),
        _rule(rf"([?&]{_NAME}=){_NO_REFERENCE}[^&\s\"'#]+"),  # of a query, whose other parts may be shown
        # scheme://user:PASSWORD@host; the last @ of the word ends it, since a badly quoted password may hold others
        _rule(rf"(://[^\s:/@\"'`]*:)(?!\d+[/?#]){_NO_REFERENCE}[^\s\"'`]+@", rf"\1{MASK}@"),
        _rule(rf"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:{_SCHEME}|(?!{_SCHEME}))){_NO_REFERENCE}[^\s\"',]+"),
        _rule(rf"(\bbearer\s+){_NO_REFERENCE}(?=[^\s\"',]*\d)[a-z0-9._~+/-]{{8,}}=*"),
        _rule(r"\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*", MASK),
        _rule(rf"(\b{_NAME}\s?=\s?){_VALUE}"),  # conninfo, query, environment
        # JSON, Python
        _rule(rf"([\"']{_NAME}\\?[\"']\s*:\s*){_NO_REFERENCE}(?:{_QUOTED}|\\\"[^\"]*\")", rf'\1"{MASK}"'),
        _rule(r"(\"[\w-]{0,40}(?:secret|authorization)\\?\"\s*:\s*)\"[^\"]*\"", rf'\1"{MASK}"'),
        _rule(rf"(^[ \t-]*{_NAME}:[ \t]+){_VALUE}[ \t]*$"),  # YAML, alone on its line
        _rule(rf"(--{_NAME}[ =]){_VALUE}"),
        _rule(r"(\bpassword\s+)'(?:[^'\\]|\\.|'')*'"),  # ALTER ROLE … PASSWORD '…'
        _rule(rf"(\brequirepass\s+){_VALUE}\s*$"),
    )


@cache
def _in_a_setting() -> tuple[tuple[re.Pattern[str], str], ...]:
    return (
        # greedy up to the last @ of the word: a password that holds an unescaped / or @ is hidden whole
        _rule(r"([a-z][a-z0-9+.-]*://[^\s:/@,;]*:)[^\s,;]*@", rf"\1{MASK}@"),
        _rule(r"(https?://)[^\s:/@,;{}]+@", rf"\1{MASK}@"),
        _rule(r"((?:password|passwd|pwd|passphrase|secret|token|api[_-]?key)\s*[=:]\s*)(?!//)[^\s&;,'\"{}]+"),
    )
