"""Files read ahead: each once, in order, and what is wrong with one told in its turn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.migrate.ahead import Ahead
from pytest_devenv.migrate.check import check_source
from pytest_devenv.migrate.failure import FolderError
from pytest_devenv.migrate.sqlx import SQLX

if TYPE_CHECKING:
    from pytest_devenv.migrate.folder import Source


def _files(folder: Path, *texts: str) -> list[str]:
    paths = [folder / f"{number}_m.sql" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return [str(path) for path in paths]


def _checked(_number: int, source: Source) -> Source:
    check_source(source, SQLX)
    return source


def test_files_are_taken_in_order(tmp_path: Path) -> None:
    """Looking ahead, once, twice or not at all, changes nothing of what is taken."""
    ahead = Ahead(_files(tmp_path, "SELECT 1", "SELECT 2", "SELECT 3"), _checked)
    ahead.look()
    ahead.look()
    assert ahead.take().text == "SELECT 1"
    assert ahead.take().text == "SELECT 2"
    ahead.look()
    assert ahead.take().text == "SELECT 3"
    ahead.look()


def test_few_files_wait(tmp_path: Path) -> None:
    """However long the server takes, only some of many files are read, and none after a large one."""
    ahead = Ahead(_files(tmp_path, *(f"SELECT {number}" for number in range(99))), _checked)
    while ahead.look():
        pass
    for path in tmp_path.iterdir():
        path.write_text("edited")
    taken = [ahead.take().text for _ in range(99)]
    assert 1 < sum(text != "edited" for text in taken) < 50
    large = Ahead(_files(tmp_path, "SELECT 1 -- " + "x" * 2_000_000, "SELECT 2", "SELECT 3"), _checked)
    assert large.look()
    assert not large.look()
    assert large.take().text.startswith("SELECT 1")
    assert large.look()
    assert [large.take().text, large.take().text] == ["SELECT 2", "SELECT 3"]
    with pytest.raises(IndexError):
        large.take()


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """What was looked at is what is run, even if the file is changed in between."""
    (path,) = _files(tmp_path, "SELECT 1")
    ahead = Ahead([path], _checked)
    ahead.look()
    Path(path).write_text("SELECT 2")
    assert ahead.take().text == "SELECT 1"


def test_a_bad_file_is_told_in_its_turn(tmp_path: Path) -> None:
    """The one before it runs undisturbed."""
    ahead = Ahead(_files(tmp_path, "SELECT 1", "COMMIT"), _checked)
    ahead.look()
    ahead.take()
    ahead.look()
    with pytest.raises(FolderError, match="ends its own transaction"):
        ahead.take()
