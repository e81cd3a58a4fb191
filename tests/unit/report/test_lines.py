"""Text from outside, wrapped and made harmless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_devenv.report.lines import NO_BREAK, cells, clean, one_line, pad, wrap, wrap_items
from pytest_devenv.report.phrases import count, milliseconds, seconds


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;file:///etc\x07link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("10%\r20%\r\ndone", "10%\n20%\ndone"),
        ("a\tb\x00\x07\x9b2J", "a    b"),
        ("txt\u202egnp", "txtgnp"),
    ],
)
def test_what_steers_a_terminal_is_gone(text: str, cleaned: str) -> None:
    """Logs and bodies cannot colour, move, link or reverse anything."""
    assert clean(text) == cleaned


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    """Whatever comes in, only printable characters and line breaks come out."""
    assert not [char for char in clean(text) if char != "\n" and (ord(char) < 32 or 127 <= ord(char) < 160)]


@given(st.text(st.sampled_from("ab \n漢é"), max_size=60), st.integers(4, 30))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    """Every word is there, in order, and no line is too long that could be shorter."""
    rows = wrap(text, width)

    assert " ".join(rows).split() == text.split()
    assert all(cells(row) <= width or " " not in row for row in rows)


def test_wide_characters_take_two_columns() -> None:
    """Names in Chinese or Japanese are aligned, and combining characters take no room."""
    assert (cells("漢字"), cells("e\u0301"), pad("漢", 4)) == (4, 1, "漢  ")


def test_a_number_stays_with_its_unit() -> None:
    """A line is not broken where the text says so."""
    assert wrap(f"answers in 12{NO_BREAK}ms", 13) == ["answers in", f"12{NO_BREAK}ms"]


def test_items_are_broken_only_between_them() -> None:
    """Short pieces stand side by side as far as they fit."""
    assert wrap_items(["one two", "three", "four"], 16) == ["one two · three", "  four"]


def test_one_line_is_one_line() -> None:
    """Line breaks and runs of blanks become one blank."""
    assert one_line("a\n  b\tc ") == "a b c"


def test_numbers_read_well() -> None:
    """One check, two checks; milliseconds as long as they are fewer than a thousand."""
    assert [count(1, "check"), count(2, "check"), count(0, "entry", "entries")] == ["1 check", "2 checks", "0 entries"]
    assert [milliseconds(value) for value in (0.42, 3.1, 999.4, 999.6)] == ["0.4 ms", "3 ms", "999 ms", "1.0 s"]
    assert [seconds(value) for value in (0.421, 75.04)] == ["0.42 s", "75.0 s"]
