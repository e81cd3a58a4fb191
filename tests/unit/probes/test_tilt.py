"""Which versions of Tilt a Tiltfile allows, and which projects have checks of Tilt at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.probes.catalog import catalog
from pytest_devenv.probes.tilt import keeps
from pytest_devenv.settings import Requirement, Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("version", "constraint", "kept"),
    [
        ("0.37.6", ">=0.33", True),
        ("0.37.6", ">= v0.37.6, <1", True),
        ("0.9.0", ">=0.33", False),
        ("0.37.5-dev", "<0.37.5", False),
        ("0.37.6", "0.37.6", True),
        ("0.37.6", "!=0.37.6", False),
        ("0.37.6", "~0.37", None),
        ("nightly", ">=0.33", None),
    ],
)
def test_version_keeps_its_constraint(version: str, constraint: str, *, kept: bool | None) -> None:
    """Versions are compared by their numbers; what cannot be compared is neither kept nor broken."""
    assert keeps(version, constraint) is kept


def test_only_a_project_with_a_tiltfile_has_checks_of_tilt(tmp_path: Path) -> None:
    """Whoever requires Tilt has them too, and is told what is missing."""

    def found(require: Requirement = Requirement.NOTHING) -> list[str]:
        settings = Settings(root=tmp_path, file=tmp_path / "pyproject.toml", name="shop", require=require)
        return [each for each in catalog(settings) if each.startswith("tilt.")]

    assert found() == []
    assert "tilt.runs[Tiltfile]" in found(Requirement.TILT)
    (tmp_path / "Tiltfile").write_text("")
    assert found() == found(Requirement.TILT)
