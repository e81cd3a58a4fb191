"""Kustomizations: folders whose manifests kubectl puts together."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class KustomizationError(TargetError):
    """A kustomization cannot be built as it is written; `found` is what kubectl says of it, in one line."""

    def __init__(self, folder: Path, complaint: str) -> None:
        self.found = " ".join(complaint.split())
        super().__init__(
            f"expected a kustomization that can be built, found: {self.found}\n  where: {folder}",
            remedy=f"correct it, then see: kubectl kustomize {folder}",
        )


def kustomization_of(folder: Path) -> Path | None:
    """Return the file that makes a folder a kustomization, None where it is none."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def build(folder: Path, *, deadline_s: float) -> str:
    """Return the YAML that `kubectl kustomize` makes of a folder.

    Raises `KustomizationError` for one that is written wrongly, `TargetError` where there is no kubectl, or where it
    does not end in time.
    """
    command = ["kubectl", "kustomize", str(folder)]
    try:
        built = subprocess.run(command, capture_output=True, text=True, timeout=deadline_s, check=False)
    except FileNotFoundError as error:
        msg = f"kubectl builds the kustomization {folder}: expected it on PATH, found none"
        raise TargetError(msg, remedy="install kubectl: https://kubernetes.io/docs/tasks/tools/") from error
    except subprocess.TimeoutExpired as error:
        msg = f"expected kubectl to build {folder} within {deadline_s:g} s, found it still at it"
        raise TargetError(msg, remedy=f"see what it waits for: kubectl kustomize {folder}") from error
    if built.returncode != 0:
        raise KustomizationError(folder, built.stderr)
    return built.stdout
