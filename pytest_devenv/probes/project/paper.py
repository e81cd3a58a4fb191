"""The environment as it stands on paper: its settings, and nothing of it started, asked or reached."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_devenv.errors import DevenvError
from pytest_devenv.settings import TargetName
from pytest_devenv.targets.choose import choose
from pytest_devenv.targets.environment import Environment

if TYPE_CHECKING:
    from pytest_devenv.settings import Settings

_WHY = "its files were read, and nothing was started"


def on_paper(settings: Settings) -> Environment:
    """Return the environment for probes that look at files and programs: it has no endpoint."""
    return Environment(settings=settings, target=target_of(settings), why=_WHY, endpoints=MappingProxyType({}))


def target_of(settings: Settings) -> TargetName:
    """Return where the environment would run; a context that may not be used is one of a cluster nevertheless."""
    try:
        return choose(settings).target
    except DevenvError:
        return TargetName.CLUSTER
