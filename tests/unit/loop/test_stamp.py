"""Where a stamp goes, and how it comes out again."""

from __future__ import annotations

import pytest

from pytest_devenv.errors import ConfigError
from pytest_devenv.loop.stamp import new_series, place_for, stamp, without


@pytest.mark.parametrize(
    ("content", "at", "place"),
    [
        (b"0.1.0\n", None, 5),
        (b"0.1.0", None, 5),
        (b"", None, 0),
        (b"one\r\ntwo\r\n\r\n", None, 8),
        (b'NAME = "a"\n', 'NAME = "a', 9),
        ("title · page".encode(), "title ·", 8),
    ],
)
def test_stamp_goes_behind_the_text_or_to_the_end_of_what_the_file_says(
    content: bytes, at: str | None, place: int
) -> None:
    """Without a text, the last line's end stays behind the stamp."""
    assert place_for(content, at, file="a") == place


@pytest.mark.parametrize(("content", "times"), [(b"", 0), (b"a b a b", 2)])
def test_text_that_does_not_stand_there_once_is_said(content: bytes, times: int) -> None:
    """Where the stamp would go is never guessed."""
    with pytest.raises(ConfigError) as error:
        place_for(content, "a b", file="page.html")
    assert str(error.value) == (
        f"expected the text 'a b' once, found it {times} times, looked in page.html\n"
        "  remedy: correct `at` of the loop that edits page.html: a text that stands there once"
    )


def test_stamps_of_a_series_are_taken_out_and_no_others() -> None:
    """What another series has left is not ours to take out."""
    one, other = new_series(), new_series()
    content = b"a" + stamp(one, 1) + b"b" + stamp(one, 999) + stamp(other, 1)
    assert without(content, one) == b"ab" + stamp(other, 1)
    assert len(stamp(one, 1)) == len(stamp(one, 999))
