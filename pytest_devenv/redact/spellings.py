"""How a secret can be spelled: a pattern that matches it raw, quoted, escaped and encoded, in any mixture."""

from __future__ import annotations

import base64
import html
import re
from itertools import groupby

_SHORTEST_IN_A_WORD = 8
_SHORTEST_IN_BASE64 = 6
_NAMED = {"\n": "n", "\r": "r", "\t": "t"}
_QUOTES = {
    "'": ("''", "'\"'\"'", r"'\''", "&apos;", "&#39;", "&#x27;"),  # SQL, shells, HTML
    '"': ('""', "&quot;", "&#34;"),
    " ": ("+",),
}


def spellings(secret: str) -> str:
    """Return a regular expression for every spelling of a secret.

    It covers the secret as it is, percent-encoded (any letter case, once or more often), with backslashes (JSON,
    conninfo, Python, shells), with doubled quotes (SQL), as HTML, and within base64. A secret of fewer than eight
    characters only counts as a word of its own.
    """
    runs = [(char, len(list(run))) for char, run in groupby(secret)]
    before = [""] + [char for char, _ in runs]
    raw = "".join(_run(char, length, previous) for (char, length), previous in zip(runs, before, strict=False))
    if len(secret) < _SHORTEST_IN_A_WORD:
        raw = rf"(?<![A-Za-z0-9]){raw}(?![A-Za-z0-9])"
    return "|".join([raw, *(re.escape(form) for form in _in_base64(secret.encode(errors="surrogatepass")))])


def _run(char: str, length: int, previous: str) -> str:
    """Match a character so many times; backslashes at least as often, since they are what escaping doubles."""
    if char == "\\":
        # eightfold is JSON in JSON in JSON; possessive, so that a text of nothing but backslashes costs no time
        return rf"(?:\\|{_percent(char)}){{{length},{length * 8}}}+"
    first = _character(char, fewest=0 if previous == "\\" else 1)  # which took all the backslashes
    return first + _character(char, fewest=1) * (length - 1)


def _character(char: str, *, fewest: int) -> str:
    """Match one character in any spelling; an escape of it has at least `fewest` backslashes."""
    if char.isascii() and char.isalnum():
        return char
    forms = [re.escape(form) for form in _QUOTES.get(char, ())]
    if (escaped := html.escape(char)) != char:
        forms.append(re.escape(escaped))
    forms += [_percent(char), *_escapes(char, fewest), rf"\\{{0,4}}{re.escape(char)}"]
    return f"(?:{'|'.join(dict.fromkeys(forms))})"


def _percent(char: str) -> str:
    return "".join(f"%(?:25)*{_any_case(f'{byte:02x}')}" for byte in char.encode(errors="surrogatepass"))


def _escapes(char: str, fewest: int) -> list[str]:
    """Return the escapes of JSON and Python for a character."""
    code = ord(char)
    units = char.encode("utf-16-be", errors="surrogatepass").hex()
    pairs = [units[start : start + 4] for start in range(0, len(units), 4)]
    forms = [
        "".join(rf"\\{{{fewest},4}}u{_any_case(unit)}" for unit in pairs),
        rf"\\{{{fewest},4}}U{_any_case(f'{code:08x}')}",
    ]
    if code <= 0xFF:  # noqa: PLR2004  # what \x can say
        forms.append(rf"\\{{{fewest},4}}x{_any_case(f'{code:02x}')}")
    if char in _NAMED:
        forms.append(rf"\\{{{fewest},4}}{_NAMED[char]}")
    return forms


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _in_base64(secret: bytes) -> list[str]:
    """Return what base64 of any text holds wherever that text holds the secret, for each of three alignments."""
    if len(secret) < _SHORTEST_IN_BASE64:
        return []
    forms: dict[str, None] = {}
    for offset in range(3):
        whole = (offset + len(secret)) // 3 * 3 - offset  # the bytes that fill groups of three
        first = (0, 2, 3)[offset]  # the digits that also hold bits of what stands before
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms[encode(b"\0" * offset + secret[:whole]).decode()[first:]] = None
    return list(forms)
