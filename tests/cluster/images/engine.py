"""The container engine, as DOCKER_HOST names it: what it builds, and what became of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.cluster.kind.say import StepError, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LABEL = "devenv.made-of"
_BUILD_S = 600


def is_bare() -> bool:
    """Tell whether the engine reaches no registry and no package index: tests.cluster.kind says so of its own."""
    return os.environ.get("DOCKER_BUILDKIT") == "0"


def docker(*words: str | Path, deadline_s: float = _BUILD_S) -> str:
    """Run Docker's client; raises StepError."""
    return run("docker", *words, deadline_s=deadline_s)


def build(
    context: Path, image: str, made_of: str, *, file: str = "Dockerfile", arguments: Mapping[str, str] | None = None
) -> None:
    """Build an image that says what it was made of. Raises StepError."""
    given = [f"--build-arg={name}={value}" for name, value in (arguments or {}).items()]
    words = ("--quiet", f"--label={_LABEL}={made_of}", f"--tag={image}", f"--file={context / file}")
    docker("build", *words, *(("--network=none",) if is_bare() else ()), *given, context)


def label(image: str) -> str | None:
    """Return what an image says it was made of, None where it is not there."""
    try:
        return docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{_LABEL}"}}}}', image).strip()
    except StepError:
        return None


def megabytes(image: str) -> float:
    """Return the size of an image, with all that it is built on."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6
