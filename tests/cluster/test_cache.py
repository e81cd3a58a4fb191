"""What is kept for the cluster of the tests does not grow without end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_devenv.targets.wheels import CACHE_VARIABLE
from tests.cluster.kind import binaries, place

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def aged(path: Path, age_s: float) -> Path:
    """Make a file, or of a name without a dot a folder with one in it, that was last used so long ago."""
    if "." in path.name:
        path.write_text("of a version before")
    else:
        path.mkdir()
        (path / "kubelet").write_text("of a version before")
    then = path.stat().st_mtime - age_s
    os.utime(path, (then, then))
    return path


def test_what_was_made_of_versions_before_is_removed(tmp_path: Path) -> None:
    """What is used now stays, with the one before it; older ones of its family go, and nothing else."""
    now, before = aged(tmp_path / "node-v2-b.tar.zst", 900), aged(tmp_path / "node-v1-a.tar.zst", 60)
    for name in ("node-v1-0.tar.zst", "node-v1-1.tar.making"):
        aged(tmp_path / name, 600)
    other = aged(tmp_path / "modules", 900)
    assert place.recent(now, "node-*", kept=2) == now
    assert set(tmp_path.iterdir()) == {now, before, other}


def test_programs_of_versions_before_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that were built for other versions go when those of this version are asked for."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    kept, gone = (
        aged(place.home() / name, age_s) for name, age_s in (("bin-of-the-last", 60), ("bin-of-long-ago", 90))
    )
    ours = binaries.ensure(())
    assert ours.is_dir()
    assert kept.is_dir()
    assert not gone.exists()
