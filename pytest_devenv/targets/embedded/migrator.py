"""Alembic in a process of its own: importing it takes longer than all servers need to start, and a third of the memory.

Run as a program it is that process: told by the first line it reads what to import from, by each other one what to
apply, and it answers each of these with a line.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.errors import DevenvError, MigrationError
from pytest_devenv.settings import Tier
from pytest_devenv.targets.embedded.child import INSTANCE_VARIABLE, log_tail
from pytest_devenv.targets.embedded.record import endpoint_from_json, endpoint_to_json

if TYPE_CHECKING:
    from pytest_devenv.migrate.alembic import AlembicEngine

_NAME = "alembic"
_GRACE_S = 5.0


class ToldError(MigrationError):
    """What the process says of a failed migration; `extension` is one that the server does not have."""

    def __init__(self, message: str, *, remedy: str | None, extension: str | None) -> None:
        super().__init__(message, remedy=remedy)
        self.extension = extension


class Migrator:
    """The process as its parent sees it; threads may share it. Use it as a context manager: leaving ends it."""

    def __init__(self, instance: Path, root: Path) -> None:
        self._log = instance / "logs" / f"{_NAME}.log"
        self._lock = threading.Lock()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env={**os.environ, INSTANCE_VARIABLE: str(instance)},
                cwd=root,
                text=True,
                start_new_session=True,
            )
        self._tell({"path": sys.path})

    def __enter__(self) -> Self:
        return self

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def __exit__(self, *_: object) -> None:
        with self._process as process, contextlib.suppress(BrokenPipeError):
            try:
                process.communicate(timeout=_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def apply(self, engine: AlembicEngine, address: DatabaseAddress, *, tier: Tier) -> None:
        """Apply what is pending. Raises MigrationError, with what the process says of its failure."""
        task = {
            "folder": str(engine.folder),
            "table": engine.table,
            "endpoint": endpoint_to_json(address.endpoint),
            "database": address.database,
            "tier": tier.value,
        }
        with self._lock:
            self._tell(task)
            answer = _pipe(self._process.stdout).readline()
        if not answer:
            message = f"Alembic's process ended while it migrated {address.database}\n{log_tail(self._log)}"
            raise MigrationError(message, remedy="mend env.py, or the revision that ends the process")
        told = json.loads(answer)
        if told:
            raise ToldError(told["message"], remedy=told["remedy"], extension=told["extension"])

    def _tell(self, what: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # whoever waits for the answer hears of it
            stdin = _pipe(self._process.stdin)
            stdin.write(json.dumps(what) + "\n")
            stdin.flush()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # noqa: S101  # for the type checker
    return stream


def main() -> None:
    """Import Alembic, then apply what is asked for until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what env.py prints belongs into the log
    sys.path[:] = json.loads(sys.stdin.readline())["path"]
    with contextlib.suppress(ImportError):  # the engine says what is missing
        import pytest_devenv.migrate.alembic_env  # noqa: F401
    for line in sys.stdin:
        answers.write(json.dumps(_applied(json.loads(line))) + "\n")
        answers.flush()
    os._exit(os.EX_OK)  # nobody waits for Python to take apart what it imported


def _applied(task: dict[str, Any]) -> dict[str, str | None]:
    """Apply what is pending of one database; return nothing, or what went wrong."""
    from pytest_devenv.migrate.alembic import AlembicEngine

    engine = AlembicEngine(folder=Path(task["folder"]), table=task["table"])
    address = DatabaseAddress(endpoint_from_json(task["endpoint"]), task["database"])
    try:
        engine.apply(address, tier=Tier(task["tier"]))
    except DevenvError as error:
        return {"message": error.message, "remedy": error.remedy, "extension": getattr(error, "extension", None)}
    except Exception as error:  # noqa: BLE001  # env.py and revisions may raise whatever they like
        message = f"{type(error).__name__} in env.py or a revision\n{error}"
        return {"message": message, "remedy": f"mend what raises it in {engine.folder}", "extension": None}
    return {}


if __name__ == "__main__":
    main()
