"""The dialect of Bun, by facts read from its source."""

from __future__ import annotations

import pytest

from pytest_devenv.migrate.bun import BUN
from pytest_devenv.migrate.dialect import FileName
from pytest_devenv.migrate.model import Direction


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("20220414_a.up.sql", FileName("20220414", "a", Direction.UP)),
        ("20220414_a-b_c.tx.up.sql", FileName("20220414", "a-b_c", Direction.UP)),
        ("20220414_a.tx.down.sql", FileName("20220414", "a", Direction.DOWN)),
        ("20220414_a.sql", None),
        ("20220414_a.go", None),
    ],
)
def test_names_are_read_as_bun_reads_them(name: str, parsed: FileName | None) -> None:
    """Version, name and direction are those that Bun finds, and what it ignores is ignored."""
    assert BUN.parse_name(name) == parsed


@pytest.mark.parametrize("name", ["a_b.up.sql", "1_B.up.sql", "123456789012345_b.up.sql", "1_é.up.sql", "1.up.sql"])
def test_a_name_that_bun_refuses_is_an_error(name: str) -> None:
    """What Bun stumbles over is not ignored."""
    with pytest.raises(ValueError, match="1 to 14 digits"):
        BUN.parse_name(name)


@pytest.mark.parametrize(
    ("name", "transactional"),
    [("1_a.up.sql", False), ("1_a.tx.up.sql", True), ("1_a.down.sql", False), ("1_a.tx.down.sql", True)],
)
def test_the_name_alone_says_whether_there_is_a_transaction(name: str, *, transactional: bool) -> None:
    """`.tx.` runs in a transaction, the plain name does not: the opposite of sqlx."""
    assert BUN.is_transactional(name, "-- no-transaction\n") is transactional


def test_a_file_is_parted_at_split_lines() -> None:
    """Each part is a message of its own, without blank lines and carriage returns, and knows its lines in the file."""
    first, second = BUN.chunks("SELECT 1;\r\n\r\n--bun:split\r\n\r\nSELECT\r\n\r\n2\r\n--bun:split\n")
    assert (first.text, second.text) == ("SELECT 1;\n", "SELECT\n2\n")
    assert [second.line(number) for number in (1, 2)] == [5, 7]


def test_an_unknown_directive_is_refused() -> None:
    """A directive that Bun does not know is named with its line."""
    with pytest.raises(ValueError, match="in line 2, and not --bun:splits"):
        BUN.chunks("SELECT 1;\n--bun:splits\n")


def test_an_empty_file_has_no_message() -> None:
    """Nothing but space is nothing to send."""
    assert BUN.chunks("\n  \n") == ()
