"""Where the programs of a control plane are: in the folder that envtest's own variable names, else on PATH."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping

ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
# https://book.kubebuilder.io/reference/envtest: where the tools of that house look when nothing is said
ASSETS_FOLDER = Path("/usr/local/kubebuilder/bin")
_NEEDED = ("etcd", "kube-apiserver")
_FURTHER = ("kube-controller-manager", "kube-scheduler")
_HOW = (
    "go install sigs.k8s.io/controller-runtime/tools/setup-envtest@latest, "
    'then: eval "$(setup-envtest use --print env)"'
)


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of a control plane. Without the last two it is an API alone, in which nothing is acted upon."""

    etcd: Path
    apiserver: Path
    controller_manager: Path | None = None
    scheduler: Path | None = None

    def named(self, name: str) -> Path | None:
        """Return where the program of this name is."""
        found = (self.etcd, self.apiserver, self.controller_manager, self.scheduler)
        return dict(zip((*_NEEDED, *_FURTHER), found, strict=True)).get(name)


def programs(environ: Mapping[str, str] = os.environ, *, fallback: Path = ASSETS_FOLDER) -> Programs:
    """Return the programs: all from KUBEBUILDER_ASSETS where that is set, else from PATH, else from `fallback`.

    They are never mixed with those of another place, which may be of another version. Raises TargetError that names
    what is missing.
    """
    named = environ.get(ASSETS_VARIABLE)
    if named is not None:
        return _in(named, f"{ASSETS_VARIABLE}={named}")
    on_path = environ.get("PATH", os.defpath)
    if shutil.which("kube-apiserver", path=on_path) is None and (fallback / "kube-apiserver").exists():
        return _in(str(fallback), str(fallback))
    return _in(on_path, f"PATH ({ASSETS_VARIABLE} is not set)")


def _in(path: str, where: str) -> Programs:
    found = {name: shutil.which(name, path=path) for name in _NEEDED}
    missing = [name for name, program in found.items() if program is None]
    if missing:
        msg = (
            "the control plane runs etcd and kube-apiserver: expected both as programs, "
            f"found no {' and no '.join(missing)}, looked in {where}"
        )
        raise TargetError(msg, remedy=_HOW)
    etcd, apiserver = (Path(program) for program in found.values() if program is not None)
    manager, scheduler = (shutil.which(name, path=path) for name in _FURTHER)
    return Programs(
        etcd=etcd,
        apiserver=apiserver,
        controller_manager=None if manager is None else Path(manager),
        scheduler=None if scheduler is None else Path(scheduler),
    )
