"""What an embedded environment leaves behind: processes and folders, looked for without the code under test."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "PYTEST_DEVENV_INSTANCE"


def processes_in(state: Path) -> list[psutil.Process]:
    """Return every process that names a folder below `state` as its instance, or works in one."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            named = process.environ().get(VARIABLE, "")
            if process.pid != os.getpid() and any(
                place.startswith(f"{state}{os.sep}") for place in (named, process.cwd())
            ):
                found.append(process)
    return found


def remains_in(state: Path) -> list[str]:
    """Return what is left of the environments below `state`: nothing but the lock that makes them one by one."""
    processes = [f"{process.name()} {process.pid}" for process in processes_in(state)]
    folders = sorted(each.name for each in state.iterdir() if each.name != ".lock") if state.exists() else []
    return processes + folders


def wait_for(state: Path, *names: str, within_s: float = 60.0) -> dict[str, psutil.Process]:
    """Wait until processes of these names run below `state`, and return them."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        running = {}
        for process in processes_in(state):
            with contextlib.suppress(psutil.Error):
                running[process.name()] = process
        if set(names) <= set(running):
            return running
        time.sleep(0.02)
    message = f"{', '.join(names)} did not start within {within_s:g} s"
    raise AssertionError(message)
