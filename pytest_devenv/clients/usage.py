"""What processes of this machine use: CPU time, memory, and the disk below the folder that they work in."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.clients.processes import listeners

if TYPE_CHECKING:
    import psutil

_BLOCK_BYTES = 512  # what st_blocks counts, whatever the file system's own blocks are


@dataclass(frozen=True, slots=True)
class Usage:
    """What a service uses: CPU time since it was started, memory that nobody shares, and files.

    `disk_bytes` is 0 for a service that works in no folder of its own.
    """

    cpu_s: float
    memory_bytes: int
    disk_bytes: int


def usage_at(port: int, *, project: Path) -> Usage | None:
    """Return what the processes that listen at a port of this machine use, with their children; None without any.

    The folder of the project, and those above it, are not a service's own. Raises `PermissionError` where the sockets
    of this machine may not be listed.
    """
    import psutil

    family: dict[int, psutil.Process] = {}
    for pid in {each.pid for each in listeners() if each.port == port and each.pid is not None}:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid)
            family |= {each.pid: each for each in (parent, *parent.children(recursive=True))}
    if not family:
        return None
    folders = {folder for folder in map(_folder, family.values()) if folder and not project.is_relative_to(folder)}
    return Usage(
        cpu_s=sum(map(_cpu_s, family.values())),
        memory_bytes=sum(map(_memory_bytes, family.values())),
        disk_bytes=sum(map(_disk_bytes, folders)),
    )


def _cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of a process, and of those children that have ended."""
    import psutil

    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _memory_bytes(process: psutil.Process) -> int:
    """Return the memory that would be free again without this process."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return int(process.memory_full_info().uss)
    return 0


def _folder(process: psutil.Process) -> Path | None:
    import psutil

    with contextlib.suppress(psutil.Error):
        return Path(process.cwd())
    return None


def _disk_bytes(folder: Path) -> int:
    """Return the blocks that the files of a folder take, as `du` counts them."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(place, name).lstat().st_blocks * _BLOCK_BYTES
    return total
