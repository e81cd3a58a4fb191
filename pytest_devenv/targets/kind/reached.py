"""How a cluster is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One context of the files that hold it, pinned for a run; `why` says in one line how it was chosen."""

    files: tuple[Path, ...]
    context: str
    why: str
