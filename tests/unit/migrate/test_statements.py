"""SQL told apart by PostgreSQL's own parser."""

from __future__ import annotations

import pytest

from pytest_devenv.migrate import statements
from pytest_devenv.migrate.statements import (
    Place,
    extension_wanted,
    find_transaction_end,
    may_end_transaction,
    place,
    shown,
    statement_at,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT 1;\n  COMMIT;", ("COMMIT", Place(2, 3))),
        ("rollback", ("rollback", Place(1, 1))),
        ("SELECT 1;/* x */END", ("END", Place(1, 17))),
        ("ABORT", ("ABORT", Place(1, 1))),
        ("COMMIT AND CHAIN", ("COMMIT AND CHAIN", Place(1, 1))),
        ("PREPARE TRANSACTION 'x'", ("PREPARE TRANSACTION 'x'", Place(1, 1))),
        ("BEGIN; COMMIT", ("COMMIT", Place(1, 8))),
    ],
)
def test_a_top_level_end_of_the_transaction_is_found(text: str, found: tuple[str, Place]) -> None:
    """The statement and its place are returned."""
    assert may_end_transaction(text)
    assert find_transaction_end(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "-- commit\nSELECT 1",
        "/* rollback; */ SELECT 1",
        "SELECT 'a; commit; b'",
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$",
        "SAVEPOINT a; ROLLBACK TO a; RELEASE a",
        'CREATE TABLE "end" ("commit" int, rollback text)',
        "PREPARE q AS SELECT 1",
        "CREATE TABLE t (id int) ON COMMIT DROP",
    ],
)
def test_what_only_looks_like_one_is_let_be(text: str) -> None:
    """Comments, texts, bodies of functions, names and savepoints end no transaction."""
    assert find_transaction_end(text) is None


@pytest.mark.parametrize("text", ["INSERT INTO pending VALUES ('sender')", "SELECT committed, backend, end_at FROM a"])
def test_words_within_words_need_no_parser(text: str) -> None:
    """A file that holds none of the keywords as a word is not parsed at all."""
    assert not may_end_transaction(text)


def test_the_place_counts_from_one() -> None:
    """Line and column are as editors count them, in characters."""
    assert place("ä\nbc", 3) == Place(2, 2)
    assert place("", 0) == Place(1, 1)


def test_a_statement_is_found_by_index_and_by_number() -> None:
    """By the place of an error, or by how many statements went well before it."""
    text = "SELECT 1;\n-- why\nSELECT 2; SELECT 3"
    assert statement_at(text, index=24, number=0) == ("SELECT 2", Place(3, 8))
    assert statement_at(text, index=None, number=2) == ("SELECT 3", Place(3, 11))
    assert statement_at(text, index=None, number=3) == (None, None)


def test_a_statement_that_cannot_be_parsed_is_found_all_the_same() -> None:
    """The place of a syntax error still shows its statement."""
    text = "SELECT 1;\nSELEC 2;\nSELECT 3"
    assert statement_at(text, index=10, number=0) == ("SELEC 2", Place(2, 1))


def test_without_the_parser_the_line_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pglast the line stands for the statement, and nothing is guessed without a place."""
    monkeypatch.setattr(statements, "parser_installed", lambda: False)
    assert statement_at("SELECT 1;\nSELEC 2;", index=10, number=0) == ("SELEC 2;", Place(2, 1))
    assert statement_at("SELECT 1;\nSELEC 2;", index=None, number=1) == (None, None)


def test_a_password_is_not_shown() -> None:
    """A statement that speaks of a password appears in no message."""
    assert "hunter2" not in shown("CREATE ROLE a PASSWORD 'hunter2'")


def test_a_long_statement_is_cut() -> None:
    """A message stays readable."""
    assert len(shown("SELECT " + "1, " * 1000)) == 240


@pytest.mark.parametrize(
    ("statement", "extension"),
    [
        ("CREATE EXTENSION IF NOT EXISTS pgcrypto", "pgcrypto"),
        ('create extension "uuid-ossp" schema public', "uuid-ossp"),
        ("SELECT 'create extension x'", None),
        ("CREATE EXTENSION", None),
    ],
)
def test_the_extension_of_a_statement_is_told(statement: str, extension: str | None) -> None:
    """CREATE EXTENSION names what it wants."""
    assert extension_wanted(statement) == extension
