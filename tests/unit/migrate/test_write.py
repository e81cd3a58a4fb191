"""New migrations: names round-trip through the folder or are refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_devenv.migrate.bun import BUN
from pytest_devenv.migrate.failure import FolderError
from pytest_devenv.migrate.folder import list_folder
from pytest_devenv.migrate.sqlx import SQLX
from pytest_devenv.migrate.write import write_files

if TYPE_CHECKING:
    from pytest_devenv.migrate.dialect import Dialect


def test_a_new_migration_comes_last_and_has_a_way_back(tmp_path: Path) -> None:
    """Up and down files are written, with a version above all others."""
    (tmp_path / "99990101000000_last.up.sql").touch()
    (tmp_path / "99990101000000_last.down.sql").touch()
    files = write_files(tmp_path, SQLX, "add users", transaction=True)
    assert [path.name for path in files] == ["99990101000001_add_users.up.sql", "99990101000001_add_users.down.sql"]
    assert list_folder(tmp_path, SQLX).migrations[-1].description == "add users"


def test_a_folder_without_ways_back_goes_on_that_way(tmp_path: Path) -> None:
    """Where no migration has a down file, none is written."""
    (tmp_path / "1_a.sql").touch()
    (file,) = write_files(tmp_path, SQLX, "b", transaction=True)
    assert file.name.endswith("_b.sql")


@pytest.mark.parametrize(("dialect", "transaction"), [(SQLX, True), (SQLX, False), (BUN, True), (BUN, False)])
def test_the_transaction_is_as_asked_for(tmp_path: Path, dialect: Dialect, *, transaction: bool) -> None:
    """Each dialect's own sign turns the transaction off."""
    for path in write_files(tmp_path / "new", dialect, "a", transaction=transaction):
        assert dialect.is_transactional(path.name, path.read_text()) is transaction


@pytest.mark.parametrize("name", ["", " ", "a/b", "../a", "a\0b", "a\nb", "x" * 200, " a", "\ud800"])
def test_a_name_that_makes_no_file_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written for a name that cannot be one."""
    with pytest.raises(FolderError, match="a migration cannot be called"):
        write_files(tmp_path, SQLX, name, transaction=True)
    assert list(tmp_path.iterdir()) == []


def test_bun_reads_no_more_of_a_name_than_its_first_dot(tmp_path: Path) -> None:
    """A name that Bun would cut off at a dot is refused, and not written under half of it."""
    with pytest.raises(FolderError, match="which bun would read as something else"):
        write_files(tmp_path, BUN, "0.", transaction=True)


@pytest.mark.parametrize("dialect", [SQLX, BUN])
@given(name=st.text(max_size=60))
def test_every_name_round_trips_or_is_refused(dialect: Dialect, name: str) -> None:
    """What was written is found again under its name, and nothing is left of what was refused."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            write_files(folder, dialect, name, transaction=True)
        except FolderError:
            assert list(folder.iterdir()) == []
            return
        (migration,) = list_folder(folder, dialect).migrations
        wanted = name.replace("_", " ") if dialect is SQLX else name.replace(" ", "_")
        assert migration.description == wanted
        assert migration.down is not None
