"""The life of a kind cluster: made or reused at the beginning, deleted at the end by the last run that uses it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig
from pytest_devenv.settings import Kind
from pytest_devenv.targets.embedded.instance import locked, own_folder, state_folder
from pytest_devenv.targets.kind import programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.kind.programs import Programs

IMAGE_VARIABLE = "PYTEST_DEVENV_KIND_IMAGE"
_READY_S = 180
_CREATE_S = 900.0  # the node image may have to be pulled
_LOAD_S = 600.0
_DELETE_S = 120.0


def cluster_name(settings: Settings) -> str:
    """Return the name of the environment's kind cluster: `devenv-` and the environment's own, as kind allows names."""
    return f"devenv-{re.sub(r'[^a-z0-9.-]', '-', settings.name.lower())}"


@contextlib.contextmanager
def provided(settings: Settings, *, keep: bool = False) -> Iterator[Kubeconfig]:
    """Give the environment's kind cluster, ready to take pods, with the images loaded that the settings name.

    One that is there is reused, and not deleted; except one that a run made and was killed before it could delete it.
    One that is made here is deleted when the last run that uses it ends, unless `keep`. Raises TargetError where
    pytest-kind, kind or kubectl is not there, and where kind does not succeed; NoEngineError where no engine answers.
    """
    found = programs.find()
    name, folder = cluster_name(settings), _folder(settings)
    with (folder / "users").open("ab") as users, contextlib.ExitStack() as ending:
        with locked(folder / "lock", deadline_s=_CREATE_S + _LOAD_S):
            reused = name in programs.clusters(found)
            fcntl.flock(users, fcntl.LOCK_SH)
            if not reused:
                (folder / "made").touch()
            ending.callback(_leave, folder, name, found, users)
            _create(settings, folder, found, reused=reused)
            if keep:
                (folder / "made").unlink(missing_ok=True)
        yield replace(reached(settings), why=f"kind cluster {name}, {'reused' if reused else 'made for this run'}")


def node_options(settings: Settings) -> list[str]:
    """Return the options of `kind create cluster` that say what its nodes are, as the settings have it."""
    kind = settings.kind or Kind()
    image = os.environ.get(IMAGE_VARIABLE, kind.image)
    words = [] if image is None else [f"--image={image}"]
    return words if kind.config is None else [*words, f"--config={settings.root / kind.config}"]


def reached(settings: Settings) -> Kubeconfig:
    """Return how the environment's kind cluster is reached while it is there."""
    name = cluster_name(settings)
    return Kubeconfig(files=(_folder(settings) / "kubeconfig",), context=f"kind-{name}", why=f"kind cluster {name}")


def remove(settings: Settings) -> None:
    """Delete the environment's kind cluster, kept or not; does nothing where there is none."""
    found = programs.find()
    name, folder = cluster_name(settings), _folder(settings)
    with locked(folder / "lock", deadline_s=_CREATE_S + _LOAD_S):
        if name in programs.clusters(found):
            _delete(folder, name, found)


def _folder(settings: Settings) -> Path:
    """Return the folder of what is known of the cluster: its kubeconfig, and who uses it."""
    kinds = own_folder(state_folder() / "kind", mode=0o700)
    return own_folder(kinds / cluster_name(settings), mode=0o700)


def _create(settings: Settings, folder: Path, found: Programs, *, reused: bool) -> None:
    name, kind = cluster_name(settings), settings.kind or Kind()
    words = [*_words("create", folder, name, found), *node_options(settings)]
    if reused:
        programs.export(found, name, folder / "kubeconfig")
    what = f"the kind cluster {name} ready"
    programs.call([*words, f"--ready-s={_READY_S}"], folder=folder, deadline_s=_CREATE_S, what=what)
    if kind.load:
        words = [*_words("load", folder, name, found), *(f"--load={each}" for each in kind.load)]
        what = f"the images of kind.load in the kind cluster {name}"
        programs.call(words, folder=folder, deadline_s=_LOAD_S, what=what)


def _leave(folder: Path, name: str, found: Programs, users: IO[bytes]) -> None:
    """Delete the cluster if it was made to be deleted, and no other run uses it."""
    with locked(folder / "lock", deadline_s=_CREATE_S + _LOAD_S):
        fcntl.flock(users, fcntl.LOCK_UN)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if (folder / "made").exists():
            _delete(folder, name, found)


def _delete(folder: Path, name: str, found: Programs) -> None:
    words = _words("delete", folder, name, found)
    programs.call(words, folder=folder, deadline_s=_DELETE_S, what=f"the kind cluster {name} deleted")
    for rest in ("made", "kubeconfig"):
        (folder / rest).unlink(missing_ok=True)


def _words(action: str, folder: Path, name: str, found: Programs) -> list[str]:
    return [action, name, f"--kubeconfig={folder / 'kubeconfig'}", f"--kind={found.kind}", f"--kubectl={found.kubectl}"]
