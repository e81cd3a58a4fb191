"""What can be wrong with a file, on a real server."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.migrate import FolderError, MissingExtensionError, RunError, StateError
from pytest_devenv.settings import Tier
from tests.integration.migrate.sandbox import fill, query, tables

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Engine


def test_a_flipped_byte_is_refused_with_both_checksums(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """A file that changed after it was applied stops the run; restored, it is clean again."""
    content = b"CREATE TABLE a (id int); -- x"
    fill(folder, {"1_a.sql": content})
    sqlx.apply(empty_database, tier=Tier.TEST)
    flipped = content[:-1] + b"y"
    fill(folder, {"1_a.sql": flipped, "2_b.sql": "CREATE TABLE b ()"})
    with pytest.raises(StateError, match="was edited after it was applied") as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert f"expected: checksum {hashlib.sha384(content).hexdigest()}" in str(caught.value)
    assert f"found: checksum {hashlib.sha384(flipped).hexdigest()}" in str(caught.value)
    assert "public.b" not in tables(empty_database)
    fill(folder, {"1_a.sql": content})
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert sqlx.status(empty_database).clean


def test_other_line_ends_are_an_edit(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A checkout that turns LF into CRLF is seen, as by sqlx."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ();\nSELECT 1;\n"})
    sqlx.apply(empty_database, tier=Tier.TEST)
    fill(folder, {"1_a.sql": "CREATE TABLE a ();\r\nSELECT 1;\r\n"})
    assert [change.version for change in sqlx.status(empty_database).edited] == ["1"]


def test_carriage_returns_are_kept(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A file with CRLF is applied as it is, and a place in it is counted as editors count."""
    fill(
        folder, {"1_a.sql": "CREATE TABLE a AS SELECT 'x\r\ny' AS t;\r\n", "2_b.sql": "SELECT 1;\r\n\r\n  SELEC 2;\r\n"}
    )
    with pytest.raises(RunError) as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert (caught.value.line, caught.value.column) == (3, 3)
    assert query(empty_database, "SELECT t FROM a") == [("x\r\ny",)]


def test_a_byte_order_mark_is_refused(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """PostgreSQL would take it for a part of the first word, with an error that shows nothing."""
    fill(folder, {"1_a.sql": b"\xef\xbb\xbfCREATE TABLE a ()"})
    with pytest.raises(FolderError, match=r"1_a.sql begins with a byte order mark"):
        sqlx.apply(empty_database, tier=Tier.TEST)


def test_a_zero_byte_is_refused(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """What comes after a zero byte would never reach the server."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ();\n\0CREATE TABLE b ()"})
    with pytest.raises(FolderError, match=r"zero byte[\s\S]*line 2, column 1"):
        sqlx.apply(empty_database, tier=Tier.TEST)


@pytest.mark.parametrize("content", ["", " \n", "-- only words\n", ";;"])
def test_an_empty_file_is_applied(empty_database: DatabaseAddress, folder: Path, sqlx: Engine, content: str) -> None:
    """Nothing to do is done, and noted."""
    fill(folder, {"1_a.sql": content})
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert sqlx.status(empty_database).clean


def test_fifty_megabytes_are_applied(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A file of 50 MB goes through, whole, and with a syntax error in its last line not at all."""
    rows = b"INSERT INTO a VALUES ('" + b"x" * (1 << 20) + b"');\n"
    fill(folder, {"1_a.sql": b"CREATE TABLE a (t text);\n", "2_b.sql": rows * 50, "3_c.sql": rows * 50 + b"SELEC 1;"})
    assert (folder / "2_b.sql").stat().st_size > 50e6
    with pytest.raises(RunError) as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert (caught.value.failed.version, caught.value.line) == ("3", 51)
    assert query(empty_database, "SELECT count(*), sum(length(t)) FROM a") == [(50, 50 << 20)]


def test_a_syntax_error_is_shown_in_its_file(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """File, line, column and statement are named, with what PostgreSQL said, and nothing is kept."""
    fill(folder, {"1_a.sql": "CREATE TABLE a (id int);\n\n  INSERT INTO a VALS (1);\nSELECT 1;\n"})
    with pytest.raises(RunError) as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert str(caught.value) == (
        'migration 1 (a) could not be applied: syntax error at or near "VALS"\n'
        "  expected: every statement of the file to succeed\n"
        '  found: syntax error at or near "VALS" (42601)\n'
        "  statement: INSERT INTO a VALS (1)\n"
        f"  where: {folder}/1_a.sql, line 3, column 17; {empty_database}\n"
        "  remedy: mend the file, then run it again: nothing of it was kept"
    )
    assert "public.a" not in tables(empty_database)


def test_a_statement_that_fails_without_a_place_is_shown(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """Where PostgreSQL names no place, the statement is found by how many went well before it."""
    fill(folder, {"1_a.sql": "CREATE TABLE a (id int);\n-- twice; alas\nCREATE TABLE a (\n  id int);\nSELECT 1"})
    with pytest.raises(RunError, match="statement: CREATE TABLE a") as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert (caught.value.line, caught.value.column, caught.value.sqlstate) == (3, 1, "42P07")


def test_what_fails_at_the_commit_is_not_kept(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A deferred constraint that is violated at COMMIT takes the history row along."""
    fill(
        folder,
        {
            "1_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"
            "CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO b VALUES (1)"
        },
    )
    with pytest.raises(RunError, match="violates foreign key constraint"):
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert len(sqlx.status(empty_database).pending) == 1


def test_a_password_in_a_statement_is_in_no_message(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """A statement that fails and speaks of a password is not shown."""
    fill(folder, {"1_a.sql": "CREATE ROLE postgres PASSWORD 'hunter2'"})
    with pytest.raises(RunError, match="already exists") as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["sp ace", "quote's", 'double"quote', "ünïcode ✓", "semi;colon", "100%s {x}", "back\\slash"]
)
def test_odd_names_round_trip(empty_database: DatabaseAddress, folder: Path, sqlx: Engine, name: str) -> None:
    """Whatever a file is called, its description is stored and found as it is."""
    fill(folder, {f"1_{name}.sql": "CREATE TABLE a ()"})
    sqlx.apply(empty_database, tier=Tier.TEST)
    status = sqlx.status(empty_database)
    assert status.clean
    assert status.renamed == ()
    assert query(empty_database, "SELECT description FROM _sqlx_migrations") == [(name,)]


@pytest.mark.parametrize("parsed", [True, False], ids=["with pglast", "without"])
def test_a_missing_extension_is_told_by_name(
    empty_database: DatabaseAddress,
    folder: Path,
    sqlx: Engine,
    monkeypatch: pytest.MonkeyPatch,
    *,
    parsed: bool,
) -> None:
    """An extension that the server lacks is an error of its own, which names it."""
    if not parsed:
        monkeypatch.setattr("pytest_devenv.migrate.statements.parser_installed", lambda: False)
    fill(folder, {"1_a.sql": 'SELECT 1;\nCREATE EXTENSION IF NOT EXISTS "no-such-thing";'})
    with pytest.raises(MissingExtensionError, match="use a server that has the extension no-such-thing") as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert caught.value.extension == "no-such-thing"


def test_a_missing_role_is_told_with_the_setting(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """Roles belong to the server: the remedy names the setting that provides them."""
    fill(folder, {"1_a.sql": "CREATE TABLE a (); GRANT SELECT ON a TO no_such_role"})
    with pytest.raises(RunError, match=r'role "no_such_role" does not exist[\s\S]*`roles` setting'):
        sqlx.apply(empty_database, tier=Tier.TEST)


def test_copy_from_the_client_is_refused(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A file that waits for rows from the client ends with an error and not in a wait."""
    fill(folder, {"1_a.sql": "CREATE TABLE a (id int); COPY a FROM STDIN;\n1\n\\.\n", "2_b.sql": "SELECT 1"})
    with pytest.raises(RunError, match=r"syntax error|COPY from or to the client"):
        sqlx.apply(empty_database, tier=Tier.TEST)
    fill(folder, {"1_a.sql": "CREATE TABLE a (id int); COPY a FROM STDIN"})
    with pytest.raises(RunError, match="COPY from or to the client has no place in a migration"):
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert len(sqlx.status(empty_database).pending) == 2


def test_a_missing_file_is_refused_by_name(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """What is applied and has no file stops the run."""
    fill(folder, {"1_a.sql": "", "2_gone_away.sql": ""})
    sqlx.apply(empty_database, tier=Tier.TEST)
    (folder / "2_gone_away.sql").unlink()
    with pytest.raises(StateError, match=r"no file for 2 \(gone away\)"):
        sqlx.apply(empty_database, tier=Tier.TEST)
