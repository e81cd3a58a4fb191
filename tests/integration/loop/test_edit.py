"""A file that is edited is put back byte for byte, whatever happens to whoever edits it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import TargetError
from pytest_devenv.loop.edit import edited, put_back_all
from pytest_devenv.loop.stamp import stamp

if TYPE_CHECKING:
    from pathlib import Path

ORIGINAL = b"one\r\n\xfftwo\n"
EDITOR = """
import sys, time
from pathlib import Path
from pytest_devenv.loop.edit import edited
with edited(Path(sys.argv[1]), at=None) as editing:
    editing.stamp()
    editing.stamp()
    print(editing.series.decode(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def file(tmp_path: Path, state: Path) -> Path:  # noqa: ARG001  # where the journal is
    """Give a file that is no text, with a mode of its own."""
    made = tmp_path / "file"
    made.write_bytes(ORIGINAL)
    made.chmod(0o640)
    return made


def killed_while_editing(file: Path) -> str:
    """Have a process edit the file, kill it, and return the series of its stamps."""
    process = subprocess.Popen([sys.executable, "-c", EDITOR, str(file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    series = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert series.encode() in file.read_bytes()
    return series


def test_file_is_as_it_was_afterwards(file: Path) -> None:
    """Each stamp takes the place of the one before; content, mode and identity are kept, the journal is empty."""
    before = file.stat()
    with edited(file, at="one") as editing:
        for _ in range(2):
            written = editing.stamp()
            assert file.read_bytes() == b"one" + written.stamp + b"\r\n\xfftwo\n"
    after = file.stat()
    assert file.read_bytes() == ORIGINAL
    assert (after.st_mode, after.st_ino, after.st_uid) == (before.st_mode, before.st_ino, before.st_uid)
    assert put_back_all() == ()


def test_file_is_put_back_after_an_error(file: Path) -> None:
    """An error while the file is edited is not one of the file."""

    def interrupted() -> None:
        with edited(file, at=None) as editing:
            editing.stamp()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert file.read_bytes() == ORIGINAL


def test_file_behind_a_link_is_edited_in_its_place(file: Path) -> None:
    """The link stays a link."""
    link = file.with_name("link")
    link.symlink_to(file)
    with edited(link, at=None) as editing:
        assert editing.stamp().stamp in file.read_bytes()
    assert link.is_symlink()
    assert file.read_bytes() == ORIGINAL


def test_what_a_killed_run_left_is_put_back(file: Path) -> None:
    """After SIGKILL the journal, outside of the project, knows what the file was."""
    killed_while_editing(file)
    assert put_back_all() == (f"{file} was put back: a run that edited it had been killed",)
    assert file.read_bytes() == ORIGINAL
    assert file.stat().st_mode & 0o777 == 0o640
    assert put_back_all() == ()


def test_file_that_a_living_run_edits_is_left_to_it(file: Path) -> None:
    """Only who is gone leaves something to put back."""
    with edited(file, at=None) as editing:
        written = editing.stamp()
        assert put_back_all() == ()
        assert written.stamp in file.read_bytes()


@pytest.mark.parametrize("cut", range(3, 24, 4))
def test_write_that_was_cut_short_is_put_back(file: Path, cut: int) -> None:
    """A content that is half the original and half an edit is recognised, whichever was being written."""
    series = killed_while_editing(file)
    edit = ORIGINAL.rstrip() + stamp(series, 1) + b"\n"
    file.write_bytes(edit[:cut] + ORIGINAL[cut:])
    put_back_all()
    assert file.read_bytes() == ORIGINAL
    series = killed_while_editing(file)
    edit = ORIGINAL.rstrip() + stamp(series, 2) + b"\n"
    file.write_bytes(ORIGINAL[:cut] + edit[min(cut, len(ORIGINAL)) :])
    put_back_all()
    assert file.read_bytes() == ORIGINAL


def test_change_of_somebody_else_is_kept_without_our_stamp(file: Path) -> None:
    """Who saves the file meanwhile keeps their work, and does not get our stamp with it."""
    with edited(file, at=None) as editing:
        written = editing.stamp()
        file.write_bytes(b"mine: " + ORIGINAL.rstrip() + written.stamp)
        with pytest.raises(TargetError, match="somebody else has changed it"):
            editing.stamp()
    assert file.read_bytes() == b"mine: " + ORIGINAL.rstrip()
    assert editing.notes == [
        f"{file} was changed by somebody else while it was edited: that change is kept, without our stamp"
    ]


def test_file_that_somebody_else_removed_stays_removed(file: Path) -> None:
    """A removed file is not brought back to life."""
    with edited(file, at=None) as editing:
        editing.stamp()
        file.unlink()
    assert not file.exists()
    assert editing.notes == [f"{file} was removed by somebody else while it was edited, and is left so"]


def test_file_that_cannot_be_edited_is_said(file: Path) -> None:
    """What is no file is refused before anything is written."""
    with (
        pytest.raises(TargetError, match="expected a file that can be edited, found: Is a directory"),
        edited(file.parent, at=None),
    ):
        pass
    assert os.listdir(file.parent) == ["file"]  # noqa: PTH208  # names alone
