"""What a single value may be: what it allows in words, and how the settings' value is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_devenv.options import duration_s
from pytest_devenv.settings import amounts
from pytest_devenv.settings.problems import did_you_mean, dotted, shown, shown_url
from pytest_devenv.settings.redact import looks_secret
from pytest_devenv.settings.template import TemplateError, parse

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Mapping

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """Why a value does not fit, where that is more than the shape itself says, and in which item of it."""

    at: str = ""
    expected: str | None = None
    found: str | None = None
    remedy: str | None = None


class MisfitError(ValueError):
    """A value that does not fit, for one reason or for several."""

    def __init__(self, *misfits: Misfit) -> None:
        self.misfits = misfits or (Misfit(),)
        super().__init__(*misfits)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is allowed, in words, and the function that converts a value or raises `MisfitError`."""

    expected: str
    convert: Callable[[object], object]


def text(expected: str = "a text that is not empty", pattern: str = r"(?s).*\S.*") -> Shape:
    """Allow strings that match the pattern."""
    compiled = re.compile(pattern)

    def convert(value: object) -> str:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise MisfitError
        return value

    return Shape(expected, convert)


def integer(expected: str, lowest: int, highest: int) -> Shape:
    """Allow integers of a range; a boolean is none."""

    def convert(value: object) -> int:
        if isinstance(value, str) and value.isdecimal() and lowest <= int(value[:9]) <= highest:
            raise MisfitError(Misfit(remedy=f"write it without quotes: {int(value)}"))
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise MisfitError
        return value

    return Shape(expected, convert)


def boolean() -> Shape:
    """Allow true and false."""

    def convert(value: object) -> bool:
        if not isinstance(value, bool):
            raise MisfitError
        return value

    return Shape("true or false", convert)


def duration(unit: str) -> Shape:
    """Allow durations more than zero, whose bare numbers count in `unit`: `s` or `ms`."""

    def convert(value: object) -> float:
        bare = isinstance(value, int | float) or (
            isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal()
        )
        try:
            seconds = duration_s(value)
        except ValueError as wrong:
            raise MisfitError from wrong
        return seconds if bare or unit == "s" else seconds * 1000

    words = {"s": "seconds", "ms": "milliseconds"}[unit]
    return Shape(f"a duration above 0: a number of {words}, or a text such as 250ms, 5s, 2m", convert)


def amount() -> Shape:
    """Allow amounts, and bare numbers without quotes; give the text."""

    def convert(value: object) -> str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        try:
            amounts.amount(str(value) if is_number or isinstance(value, str) else "")
        except ValueError as wrong:
            raise MisfitError from wrong
        return str(value)

    return Shape(amounts.EXPECTED, convert)


def choice(words: Mapping[str, enum.StrEnum]) -> Shape:
    """Allow the words, and give what each stands for. A word that is its own value comes first in messages."""
    own = [word for word, meaning in words.items() if word == meaning.value]
    aliases = [word for word in words if word not in own]
    expected = "one of " + ", ".join(own) + (f" (or, for short, {', '.join(aliases)})" if aliases else "")

    def convert(value: object) -> enum.StrEnum:
        if not isinstance(value, str):
            raise MisfitError
        if value not in words:
            raise MisfitError(Misfit(remedy=did_you_mean(value, words)))
        return words[value]

    return Shape(expected, convert)


def members(kind: type[enum.StrEnum]) -> Shape:
    """Allow the values of an enum."""
    return choice({member.value: member for member in kind})


def texts(item: Shape, *, unique: bool = True) -> Shape:
    """Allow arrays whose every item fits; unless said otherwise, no item twice."""

    def convert(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise MisfitError
        made, misfits = _items(item, {f"[{index}]": each for index, each in enumerate(value)})
        for index, each in enumerate(value):
            if unique and isinstance(each, str) and each in value[:index]:
                first = value.index(each)
                twice = f"{shown(each)}, also at [{first}]"
                misfits += (
                    Misfit(at=f"[{index}]", expected="each item once", found=twice, remedy="remove one of them"),
                )
        if misfits:
            raise MisfitError(*misfits)
        return tuple(made)

    return Shape(f"an array, each item {item.expected}", convert)


def mapping(name: str, name_in_words: str, item: Shape) -> Shape:
    """Allow tables of any keys that match the pattern `name`, whose every value fits."""

    def convert(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise MisfitError
        wrong = tuple(
            Misfit(at=f".{dotted([key])}", expected=name_in_words, found=f"the key {dotted([key])}")
            for key in value
            if re.fullmatch(name, key) is None
        )
        made, misfits = _items(item, {f".{dotted([key])}": each for key, each in value.items()})
        if wrong or misfits:
            raise MisfitError(*wrong, *misfits)
        return dict(zip(value, made, strict=True))

    return Shape(f"a table, each value {item.expected}", convert)


def template() -> Shape:
    """Allow texts whose placeholders can be read; whether there are such placeholders is a rule, not a shape."""

    def convert(value: object) -> str:
        if not isinstance(value, str):
            raise MisfitError
        try:
            parse(value)
        except TemplateError as wrong:
            misfit = Misfit(
                expected="a text with placeholders such as {python} or {postgres.url}",
                found=str(wrong),
                remedy="write {{ and }} for braces that are no placeholder",
            )
            raise MisfitError(misfit) from wrong
        return value

    return Shape("a text, with or without placeholders such as {python} or {postgres.url}", convert)


def url() -> Shape:
    """Allow URLs with a scheme and a host, and plain `host:port`."""

    def convert(value: object) -> str:
        if not isinstance(value, str):
            raise MisfitError
        if re.search(r"\s", value) is not None:
            raise MisfitError(Misfit(found=shown_url(value)))
        try:
            parts = urlsplit(value if "://" in value else f"//{value}")
            port = parts.port
        except ValueError as wrong:
            remedy = f"the port is to be a number from 1 to {HIGHEST_PORT}"
            raise MisfitError(Misfit(found=shown_url(value), remedy=remedy)) from wrong
        bare = "://" not in value
        if not parts.hostname or port == 0 or (bare and (port is None or parts.path or "@" in parts.netloc)):
            raise MisfitError(Misfit(found=shown_url(value)))
        return value

    return Shape("a URL with a scheme and a host, or host:port", convert)


def _items(item: Shape, values: Mapping[str, object]) -> tuple[list[object], tuple[Misfit, ...]]:
    """Convert each value, and say of each that does not fit where it is."""
    made: list[object] = []
    misfits: list[Misfit] = []
    for at, value in values.items():
        try:
            made.append(item.convert(value))
        except MisfitError as wrong:
            misfits += (
                replace(
                    each,
                    at=at + each.at,
                    expected=each.expected or item.expected,
                    found=each.found or shown(value, secret=looks_secret(at)),
                )
                for each in wrong.misfits
            )
    return made, tuple(misfits)
