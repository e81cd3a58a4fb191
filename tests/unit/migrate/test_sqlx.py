"""The dialect of sqlx, by facts read from its source."""

from __future__ import annotations

import pytest

from pytest_devenv.migrate.dialect import FileName
from pytest_devenv.migrate.model import Direction
from pytest_devenv.migrate.sqlx import SQLX


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("1_a.sql", FileName("1", "a", Direction.UP)),
        ("20250301090000_add_users.up.sql", FileName("20250301090000", "add users", Direction.UP)),
        ("20250301090000_add_users.down.sql", FileName("20250301090000", "add users", Direction.DOWN)),
        ("007_x.sql", FileName("7", "x", Direction.UP)),
        ("-3_x.sql", FileName("-3", "x", Direction.UP)),
        ("+3_x.sql", FileName("3", "x", Direction.UP)),
        ("1_.sql", FileName("1", "", Direction.UP)),
        ("1_a.sql.sql", FileName("1", "a", Direction.UP)),
        ("1_a.tx.up.sql", FileName("1", "a.tx", Direction.UP)),
        ("9223372036854775807_x.sql", FileName("9223372036854775807", "x", Direction.UP)),
        ('1_ünïcode "q".sql', FileName("1", 'ünïcode "q"', Direction.UP)),
        ("readme.sql", None),
        ("1_a.txt", None),
        ("1_a.sql~", None),
        (".gitkeep", None),
    ],
)
def test_names_are_read_as_sqlx_reads_them(name: str, parsed: FileName | None) -> None:
    """Version, description and direction are those that sqlx finds, and what it ignores is ignored."""
    assert SQLX.parse_name(name) == parsed


@pytest.mark.parametrize(
    "name", ["a_b.sql", "1.0_b.sql", "_b.sql", "9223372036854775808_x.sql", "1 _b.sql", "\u0661_b.sql"]
)
def test_a_version_that_is_no_integer_is_an_error(name: str) -> None:
    """What sqlx stumbles over is not ignored."""
    with pytest.raises(ValueError, match="64-bit integer"):
        SQLX.parse_name(name)


def test_the_lock_is_that_of_the_migrator() -> None:
    """The key for the database kiro is the one that the sqlx crate computes."""
    assert SQLX.lock_key("kiro") == 1281243073203450728


@pytest.mark.parametrize(
    ("text", "transactional"),
    [
        ("-- no-transaction\nVACUUM", False),
        ("-- no-transaction: reason\nVACUUM", False),
        ("\n-- no-transaction\nVACUUM", True),
        ("--no-transaction\nVACUUM", True),
        ("\ufeff-- no-transaction\nVACUUM", True),
        ("", True),
    ],
)
def test_only_the_first_bytes_turn_the_transaction_off(text: str, *, transactional: bool) -> None:
    """`-- no-transaction` counts at the very start of the file, and nowhere else."""
    assert SQLX.is_transactional("1_a.sql", text) is transactional


def test_a_file_is_one_message() -> None:
    """The file is sent whole, as it is, with its own line numbers."""
    (chunk,) = SQLX.chunks("a;\n\nb;")
    assert chunk.text == "a;\n\nb;"
    assert chunk.line(3) == 3
