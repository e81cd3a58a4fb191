"""Building a project's images with the container engine that Docker's client finds."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_devenv.settings import Image

_LAST_LINES = 15
TAG = "warm"


def build(
    image: Image,
    root: Path,
    *,
    cached: bool = True,
    arguments: Mapping[str, str] | None = None,
    network: str | None = None,
    deadline_s: float,
) -> float:
    """Build one image under a tag of ours, and return how long that took, in seconds.

    Its layers are what the next build finds. Without `cached` none is used. Raises TargetError, with the last lines of
    the build where that failed.
    """
    words = ["docker", "build", "--file", image.dockerfile, "--tag", f"{image.image}:{TAG}"]
    words += [] if cached else ["--no-cache"]
    words += [] if network is None else ["--network", network]
    words += [f"--build-arg={name}={value}" for name, value in (arguments or {}).items()]
    words.append(image.context)
    began = time.monotonic()
    try:
        done = subprocess.run(
            words,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=deadline_s,
            check=False,
        )
    except FileNotFoundError as error:
        msg = f"expected docker on PATH to build {image.image}, found none"
        raise TargetError(msg, remedy="install Docker's client, and point DOCKER_HOST to its engine") from error
    except subprocess.TimeoutExpired as error:
        msg = f"expected {image.image} built within {deadline_s:g} s, found its build still under way"
        raise TargetError(msg, remedy=f"see what takes so long: {' '.join(words)}") from error
    if done.returncode != 0:
        last = "\n    ".join(done.stdout.rstrip().splitlines()[-_LAST_LINES:])
        where = root / image.dockerfile
        msg = f"expected {image.image} built, found that its build failed, looked at {where}:\n    {last}"
        raise TargetError(msg, remedy=f"mend what it says, then: {' '.join(words)}")
    return time.monotonic() - began
