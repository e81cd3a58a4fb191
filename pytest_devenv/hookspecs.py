"""The hooks by which a project adds probes, services and report sections of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.report.model import Run
    from pytest_devenv.settings import Service, Settings


@pytest.hookspec
def pytest_devenv_services(settings: Settings) -> Iterable[Service]:  # type: ignore[empty-body]
    """Return services besides those of the settings, such as ones found at run time. Their names must be new."""


@pytest.hookspec
def pytest_devenv_probes(settings: Settings) -> Iterable[Probe]:  # type: ignore[empty-body]
    """Return probes besides those that the settings imply. Each is asserted by the check `devenv/project.py`."""


@pytest.hookspec
def pytest_devenv_report_sections(run: Run) -> Iterable[tuple[str, str]]:  # type: ignore[empty-body]
    """Return sections, each a title and its text, that follow the report in the terminal."""
