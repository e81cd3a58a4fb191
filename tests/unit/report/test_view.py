"""For whom a report is written, by stream, environment and options."""

from __future__ import annotations

import io

import pytest

from pytest_devenv.report.view import Ascii, View, view_for
from pytest_devenv.verdict import State


class Terminal(io.TextIOWrapper):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Claim it."""
        return True


def stream(*, terminal: bool = False, encoding: str = "utf-8") -> io.TextIOWrapper:
    """Make an output with an encoding, which is a terminal or not."""
    return (Terminal if terminal else io.TextIOWrapper)(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize(
    ("terminal", "environ", "colored"),
    [
        (False, {}, False),
        (True, {}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": ""}, False),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_follows_the_terminal_and_its_environment(
    *, terminal: bool, environ: dict[str, str], colored: bool
) -> None:
    """A terminal has colour, all else has none; NO_COLOR and FORCE_COLOR say otherwise."""
    assert view_for(stream(terminal=terminal), environ).color is colored


def test_an_explicit_choice_of_colour_wins() -> None:
    """What pytest's `--color` decides is not decided again."""
    assert view_for(stream(terminal=True), {}, color=False).color is False
    assert view_for(stream(), {"NO_COLOR": "1"}, color=True).color is True


@pytest.mark.parametrize(
    ("choice", "encoding", "expected"),
    [
        ("auto", "utf-8", False),
        ("auto", "ascii", True),
        ("auto", "latin-1", True),
        ("always", "utf-8", True),
        (Ascii.NEVER, "ascii", False),
    ],
)
def test_words_stand_for_symbols_where_they_cannot_be_written(
    *, choice: Ascii | str, encoding: str, expected: bool
) -> None:
    """The encoding decides, unless the option does."""
    assert view_for(stream(encoding=encoding), {}, ascii=choice).ascii is expected


@pytest.mark.parametrize(
    ("environ", "width", "expected"),
    [({}, None, 100), ({"COLUMNS": "60"}, None, 60), ({"COLUMNS": "x"}, None, 100), ({}, 250, 120), ({}, 3, 20)],
)
def test_the_width_is_that_of_the_output(environ: dict[str, str], width: int | None, expected: int) -> None:
    """Without a terminal it is 100; lines never get so long that they are hard to read."""
    assert view_for(stream(), environ, width=width).width == expected


def test_a_terminal_that_does_not_tell_its_width_has_a_usual_one() -> None:
    """A stream that claims to be a terminal and has no descriptor does no harm."""
    assert 20 <= view_for(stream(terminal=True), {}).width <= 120


def test_every_verdict_has_its_own_sign() -> None:
    """No two verdicts look the same, in symbols or in words."""
    for view in (View(), View(ascii=True)):
        assert len({view.symbol(state) for state in State}) == len(State)


def test_what_the_output_cannot_carry_is_escaped() -> None:
    """Names in another script do not break an ASCII terminal, and half a character breaks none."""
    assert View(ascii=True, encoding="ascii").encodable("größe → 1") == "gr\\xf6\\xdfe -> 1"
    assert View(ascii=True).encodable("größe…") == "größe..."
    assert View().encodable("byte \udcff") == "byte \\udcff"
