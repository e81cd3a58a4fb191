"""Folders of migrations: their order, and what is refused by name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.migrate.bun import BUN
from pytest_devenv.migrate.failure import FolderError
from pytest_devenv.migrate.folder import list_folder, read_source
from pytest_devenv.migrate.sqlx import SQLX

if TYPE_CHECKING:
    from pathlib import Path


def _fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_versions_are_numbers_in_sqlx(tmp_path: Path) -> None:
    """10 comes after 9, and an up file is paired with its down file."""
    _fill(tmp_path, "10_c.sql", "9_b.up.sql", "9_b.down.sql", "1_a.sql", "notes.md", "deeper/2_x.sql")
    migrations = list_folder(tmp_path, SQLX).migrations
    assert [migration.version for migration in migrations] == ["1", "9", "10"]
    assert [migration.down is not None for migration in migrations] == [False, True, False]


def test_versions_are_text_in_bun_and_folders_are_entered(tmp_path: Path) -> None:
    """Bun sorts names as text and finds files in folders below."""
    _fill(tmp_path, "9_b.up.sql", "10_c.tx.up.sql", "deeper/2_x.up.sql")
    assert [migration.version for migration in list_folder(tmp_path, BUN).migrations] == ["10", "2", "9"]


@pytest.mark.parametrize(
    "names", [("1_a.sql", "1_b.sql"), ("1_a.sql", "01_a.up.sql"), ("1_a.down.sql", "+1_b.down.sql")]
)
def test_a_duplicate_version_names_both_files(tmp_path: Path, names: tuple[str, str]) -> None:
    """Two files of one version are refused, which sqlx itself does not notice."""
    _fill(tmp_path, *names)
    with pytest.raises(FolderError, match="is already that of") as caught:
        list_folder(tmp_path, SQLX)
    assert all(name in str(caught.value) for name in names)


def test_a_folder_is_listed_without_reading_its_files(tmp_path: Path) -> None:
    """Names are enough: what is in a file matters when it is run or compared."""
    (tmp_path / "1_a.sql").write_bytes(b"\xff")
    (listed,) = list_folder(tmp_path, SQLX).migrations
    with pytest.raises(FolderError, match="is not UTF-8"):
        read_source(listed.file)


def test_all_bad_names_are_told_at_once(tmp_path: Path) -> None:
    """One message names every file that is in the way."""
    _fill(tmp_path, "x_a.sql", "y_b.sql", "1_c.sql")
    with pytest.raises(FolderError) as caught:
        list_folder(tmp_path, SQLX)
    assert "x_a.sql: expected" in str(caught.value)
    assert "y_b.sql: expected" in str(caught.value)


def test_a_way_back_from_nowhere_is_remarked(tmp_path: Path) -> None:
    """A down file without its up file stops nothing, and is said."""
    _fill(tmp_path, "1_a.sql", "2_b.down.sql")
    assert list_folder(tmp_path, SQLX).notes == ("2_b.down.sql takes back a migration that is not there",)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A missing folder is not an empty one."""
    with pytest.raises(FolderError, match="the folder of migrations cannot be read"):
        list_folder(tmp_path / "nowhere", SQLX)


def test_the_checksum_covers_every_byte(tmp_path: Path) -> None:
    """Byte order mark and carriage returns are part of the checksum, as in sqlx."""
    path = tmp_path / "1_a.sql"
    data = b"\xef\xbb\xbfSELECT 1;\r\n"
    path.write_bytes(data)
    assert read_source(str(path)).checksum == hashlib.sha384(data).hexdigest()


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    """The byte and the line where the encoding breaks are named."""
    path = tmp_path / "1_a.sql"
    path.write_bytes(b"SELECT 1;\nSELECT '\xe9';\n")
    with pytest.raises(FolderError, match=r"byte 0xe9 at offset 18[\s\S]*1_a.sql, line 2"):
        read_source(str(path))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """A file that is gone between listing and reading is named."""
    with pytest.raises(FolderError, match=r"1_a.sql cannot be read"):
        read_source(str(tmp_path / "1_a.sql"))
