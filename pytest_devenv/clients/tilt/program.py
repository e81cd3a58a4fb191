"""The program `tilt`, and what is said where it or a Tilt for the project is missing; imports nothing of the client."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoTiltError(TargetError):
    """No Tilt runs for this project; the message says how that is known."""


def program(environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of the program. Raises NoTiltError where there is none."""
    found = shutil.which("tilt", path=environ.get("PATH"))
    if found is None:
        raise NoTiltError("there is no tilt on PATH", remedy="install Tilt: https://docs.tilt.dev/install.html")
    return found
