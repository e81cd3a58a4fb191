"""An instance: the folder of one embedded environment, its owner's lease, and what is recorded for those who attach."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pytest_devenv.errors import TargetError, WaitTimeoutError
from pytest_devenv.targets.embedded.child import end, processes_of
from pytest_devenv.targets.embedded.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Settings

STATE_VARIABLE = "PYTEST_DEVENV_STATE"
_STATE = "state.json"
_LEASE = "lease"
_LOCK = ".lock"
_UNBORN = ".unborn-"
_GONE = ".gone-"
_LOCK_S = 60.0


def own_folder(path: Path, *, mode: int, named_in: str = STATE_VARIABLE) -> Path:
    """Make a folder in a place that others may write to, or refuse one that is not ours.

    `named_in` is the environment variable by which the user may choose another place.
    """
    try:
        path.mkdir(mode=mode)
        path.chmod(mode)  # whatever the umask is: the account that runs PostgreSQL has to get through
    except FileExistsError:
        pass
    except OSError as error:
        msg = f"expected to make the folder {path}, found: {error.strerror}"
        raise TargetError(msg, remedy=f"free or open it, or name another folder in {named_in}") from error
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.geteuid():
        msg = f"expected {path} to be a folder of ours, found it owned by user id {found.st_uid}"
        raise TargetError(msg, remedy=f"remove it, or name another folder in {named_in}")
    return path


def state_folder() -> Path:
    """Return the folder that holds this user's instances: below the system's temporary folder, or PYTEST_DEVENV_STATE.

    Root's may be entered, not read, by the account that runs PostgreSQL.
    """
    named = os.environ.get(STATE_VARIABLE)
    base = (
        Path(named).absolute() if named is not None else Path(tempfile.gettempdir()) / f"pytest-devenv-{os.geteuid()}"
    )
    return own_folder(base, mode=0o711 if os.geteuid() == 0 else 0o700)


def project_key(settings: Settings) -> str:
    """Return a short name for the environment that one settings file describes on this machine."""
    digest = hashlib.sha256(str(settings.file.resolve()).encode()).hexdigest()[:8]
    return f"{settings.name}-{digest}"


@dataclass(slots=True)
class Instance:
    """One embedded environment's folder. Whoever holds its lease owns it; a kept one is owned by nobody."""

    folder: Path
    _lease: IO[bytes] | None = None

    def read(self) -> Record | None:
        """Return what is recorded; None while it is being made, and where another release wrote what we cannot read."""
        try:
            return Record.from_json(json.loads((self.folder / _STATE).read_text()))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, record: Record) -> None:
        """Record what the instance is, whole or not at all."""
        scratch = self.folder / f".{_STATE}"
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(record.to_json(), file)
        scratch.rename(self.folder / _STATE)

    def take_lease(self) -> None:
        """Own the instance, until it is let go or this process ends."""
        self._lease = (self.folder / _LEASE).open("ab")
        _try_lock(self._lease)

    def release(self) -> None:
        """Let go of the lease."""
        if self._lease is not None:
            self._lease.close()
            self._lease = None

    def destroy(self) -> None:
        """End every process that belongs to the instance, then remove its folder."""
        if self._lease is None:
            with locked(self.folder.parent / _LOCK):  # nobody makes another of the same name meanwhile
                self.remove()
        else:
            self.remove()

    def remove(self) -> None:
        """End and remove the instance, for who holds its lease or the lock of all instances."""
        end(processes_of(self.folder))
        gone = self.folder.with_name(f"{_GONE}{uuid.uuid4().hex}")
        with contextlib.suppress(FileNotFoundError):
            self.folder.rename(gone)  # at once, so that whoever is killed from here on leaves no half of an instance
        self.release()
        shutil.rmtree(gone, ignore_errors=True)


@contextlib.contextmanager
def locked(path: Path, *, deadline_s: float = _LOCK_S) -> Iterator[None]:
    """Hold an exclusive lock on `path` among the processes of this machine. It is let go when its holder dies."""
    deadline = time.monotonic() + deadline_s
    with path.open("ab") as file:
        while not _try_lock(file):
            if time.monotonic() > deadline:
                msg = f"expected the lock {path} within {deadline_s:g} s, found it held by another run"
                raise WaitTimeoutError(msg, remedy=f"see who holds it: fuser {path}")
            time.sleep(0.01)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def create(settings: Settings, *, name: str | None = None) -> Instance:
    """Make an empty instance and take its lease; first end what earlier owners left when they died.

    `name` is that of the instance to keep; a run of its own gets a new one.
    """
    base = state_folder()
    try:
        with locked(base / _LOCK):
            sweep(base)
            return _made(base, name if name is not None else f"{project_key(settings)}-{uuid.uuid4().hex[:8]}")
    except OSError as error:
        if isinstance(error, WaitTimeoutError):
            raise
        msg = f"expected to make an environment in {base}, found: {error.strerror}"
        raise TargetError(msg, remedy=f"free or open it, or name another folder in {STATE_VARIABLE}") from error


def _made(base: Path, name: str) -> Instance:
    """Make a folder with its lease taken; whoever is killed meanwhile leaves one that `sweep` knows."""
    folder = base / name
    if folder.exists():
        msg = f"expected no environment kept at {folder}, found one that is up, or that another run is bringing up"
        raise TargetError(msg, remedy="pytest-devenv env status shows it, pytest-devenv env down ends it")
    unborn = Instance(base / f"{_UNBORN}{uuid.uuid4().hex}")
    try:
        own_folder(unborn.folder, mode=0o711)
        own_folder(unborn.folder / "logs", mode=0o700)
        unborn.take_lease()
        unborn.folder.rename(folder)
    except BaseException:
        unborn.release()
        shutil.rmtree(unborn.folder, ignore_errors=True)
        raise
    unborn.folder = folder
    return unborn


def kept(settings: Settings) -> tuple[Instance, Record] | None:
    """Return the instance of this project that `env up` left running, or None where nothing of it runs."""
    instance = Instance(state_folder() / project_key(settings))
    record = instance.read()
    if record is None or not record.kept or not record.alive():
        return None
    return instance, record


def sweep_up() -> None:
    """Do what `sweep` does for all instances of this user, with their lock."""
    base = state_folder()
    with locked(base / ".lock"):
        sweep(base)


def sweep(base: Path) -> None:
    """End and remove the instances whose owner is gone, and the kept ones of which nothing runs. Nothing else.

    Needs the lock of all instances.
    """
    for rest in (*base.glob(f"{_UNBORN}*"), *base.glob(f"{_GONE}*")):
        shutil.rmtree(rest, ignore_errors=True)
    for folder in sorted(base.iterdir()):
        if not (folder / _LEASE).exists():
            continue
        with (folder / _LEASE).open("ab") as lease:
            if not _try_lock(lease):
                continue
            instance = Instance(folder)
            record = instance.read()
            if record is None or not record.kept or not record.alive():
                instance.remove()
