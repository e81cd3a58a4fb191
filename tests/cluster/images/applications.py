"""The project's own images, built by its own Dockerfiles."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tests.cluster.images import wheels
from tests.cluster.images.engine import build, is_bare, label, megabytes
from tests.cluster.images.place import ROOT, folder, key_of
from tests.cluster.kind.say import step
from tests.cluster.kind.versions import key

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Application:
    """An image of the project: its Dockerfile, what of the repository it is made of, and which wheels."""

    image: str
    dockerfile: str
    sources: tuple[str, ...]
    wheels: Callable[[], Path] | None = None

    def made_of(self, standins: str) -> str:
        """Return the key of all that it is made of."""
        sources = key_of(*(ROOT / each for each in (self.dockerfile, ".dockerignore", *self.sources)))
        return key(standins, sources, "" if self.wheels is None or not is_bare() else self.wheels().name)


APPLICATIONS = (
    Application(
        "kiro/backend:dev", "app/backend/Dockerfile", ("app/__init__.py", "app/backend"), wheels=wheels.for_backend
    ),
    Application("kiro/frontend:dev", "app/frontend/Dockerfile", ("app/frontend",)),
    Application(
        "kiro/tools:dev",
        "k8s/tools/Dockerfile",
        (
            "CHANGELOG.md",
            "LICENSE",
            "README.md",
            "app/__init__.py",
            "app/backend",
            "checks",
            "entry",
            "k8s/tools/requirements.py",
            "migrations",
            "pyproject.toml",
            "pytest_devenv",
            "seeds",
        ),
        wheels=wheels.for_tools,
    ),
)


def ensure(standins: str) -> None:
    """Have every image of the project in the engine. Raises StepError."""
    for application in APPLICATIONS:
        made_of = application.made_of(standins)
        if label(application.image) != made_of:
            with step(f"build {application.image}"):
                _build(application, made_of)
                size = megabytes(application.image)
            click.echo(f"   it has {size:.0f} MB")


def _build(application: Application, made_of: str) -> None:
    """Build from a folder that holds what the Dockerfile copies, and the wheels."""
    with tempfile.TemporaryDirectory(dir=folder()) as scratch:
        context = Path(scratch)
        for each in (application.dockerfile, ".dockerignore", *application.sources):
            source, there = ROOT / each, context / each
            there.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, there, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, there)
        arguments = {"BUILDKIT_INLINE_CACHE": "1"}
        if application.wheels is not None and is_bare():
            shutil.copytree(application.wheels(), context / "wheels")
            arguments = {"PIP_NO_INDEX": "1"}
        build(context, application.image, made_of, file=application.dockerfile, arguments=arguments)
