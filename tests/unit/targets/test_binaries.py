"""Where programs are copied to, for an account that may not enter the folder in which they are installed."""

from __future__ import annotations

import os
import stat
import tempfile
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import TargetError
from pytest_devenv.targets.embedded.binaries import _staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an installed package with a program, all made with umask 077, which stays in force; temporary is beside."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    before = os.umask(0o077)
    try:
        folder = tmp_path / "site" / "programs"
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "server").write_text("#!/bin/sh\n")
        (folder / "bin" / "server").chmod(0o700)
        (folder / "notes").write_text("read me")
        yield folder
    finally:
        os.umask(before)


def test_what_is_staged_is_open_to_every_account(package: Path) -> None:
    """Whatever the umask is and was, others may enter the folders, read the files and run the programs; not write."""
    staged = _staged(package, version="1")
    assert staged.name == "programs"
    shared = staged.parent.parent
    modes = {
        str(path.relative_to(shared)): oct(stat.S_IMODE(path.stat().st_mode)) for path in (shared, *shared.rglob("*"))
    }
    assert modes == {
        ".": "0o755",
        "postgres-1": "0o755",
        "postgres-1/programs": "0o755",
        "postgres-1/programs/bin": "0o755",
        "postgres-1/programs/bin/server": "0o755",
        "postgres-1/programs/notes": "0o644",
    }
    assert _staged(package, version="1") == staged


def test_a_folder_that_was_made_too_close_is_opened(package: Path) -> None:
    """One of ours that others may not enter is opened to them."""
    shared = package.parent.parent / "temporary" / f"pytest-devenv-programs-{os.geteuid()}"
    shared.mkdir(mode=0o700)
    _staged(package, version="1")
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755


def test_a_link_in_the_place_of_the_folder_is_refused(package: Path) -> None:
    """Who may write to the temporary folder could lead us elsewhere: a link is not ours, whoever owns what it is to."""
    shared = package.parent.parent / "temporary" / f"pytest-devenv-programs-{os.geteuid()}"
    elsewhere = package.parent.parent / "elsewhere"
    elsewhere.mkdir()
    shared.symlink_to(elsewhere)
    with pytest.raises(TargetError) as caught:
        _staged(package, version="1")
    assert str(caught.value) == (
        f"expected {shared} to be a folder of ours, found it owned by user id {os.geteuid()}\n"
        "  remedy: remove it, or name another folder in TMPDIR"
    )
    assert list(elsewhere.iterdir()) == []
