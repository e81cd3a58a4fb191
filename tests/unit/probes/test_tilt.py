"""Which versions of Tilt a Tiltfile allows, and which projects have checks of Tilt at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.probes.catalog import catalog
from pytest_devenv.probes.tilt import keeps
from pytest_devenv.settings import Requirement, Service, ServiceKind, Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_fault_of_a_service_is_told_by_its_own_probe(tmp_path: Path) -> None:
    """What Tilt makes of resources and forwards comes behind the roots of all services, and its version does not."""
    (tmp_path / "Tiltfile").write_text("")
    services = {"web": Service(name="web", kind=ServiceKind.HTTP)}
    settings = Settings(root=tmp_path, file=tmp_path / "pyproject.toml", name="shop", services=services)
    found = catalog(settings)
    for name in ("tilt.resources_are_ready[Tiltfile]", "tilt.forwards_are_alive[Tiltfile]"):
        assert found[name].after == ("http.answers[web]",)
    assert found["tilt.is_new_enough[Tiltfile]"].after == ()


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
