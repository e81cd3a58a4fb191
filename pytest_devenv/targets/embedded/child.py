"""A server process: started with its log in a file, and ended by its id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import psutil

    from pytest_devenv.targets.embedded.account import Account

INSTANCE_VARIABLE = "PYTEST_DEVENV_INSTANCE"
TAIL_LINES = 15
_GRACE_S = 3.0
# What they hold is thrown away, and asked politely the API server waits for its watches first.
_KILLED = frozenset({"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"})
_TERMINAL = 4  # tty_nr among the fields of /proc/PID/stat that follow the name: man 5 proc_pid_stat


@dataclass(slots=True)
class Child:
    """A running server of ours. It leads a session of its own, so that Ctrl-C reaches pytest alone."""

    name: str
    process: psutil.Process
    log: Path

    def ended(self) -> int | None:
        """Return the exit status, or None while it runs."""
        import psutil

        try:
            return self.process.wait(timeout=0) or 0
        except psutil.TimeoutExpired:
            return None

    def tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of its log."""
        return log_tail(self.log, lines)


def spawn(
    name: str,
    command: Sequence[str],
    *,
    instance: Path,
    account: Account,
    env: Mapping[str, str],
    cwd: Path,
) -> Child:
    """Start `command` with its output in the instance's log of that name.

    The instance is named in the child's environment from its first instruction on: whoever sweeps after a killed run
    recognises the child by it, even when nobody lived to write its id down.
    """
    import psutil

    log = instance / "logs" / f"{name}.log"
    with log.open("ab") as output:
        popen = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**env, INSTANCE_VARIABLE: str(instance)},
            cwd=cwd,
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
            start_new_session=True,
        )
    process = psutil.Process(popen.pid)
    popen.returncode = 0  # psutil waits for it from here on: a Popen that never did would warn when it is collected
    return Child(name, process, log)


def log_tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, reading at most its last 16 KiB."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16 * 1024))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def wait_until(ready: Callable[[], bool], child: Child, *, deadline: float, pause_s: float = 0.01) -> bool:
    """Wait until `ready()`, the child's end or the deadline (of `time.monotonic`); tell whether it became ready."""
    while child.ended() is None and time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.1)
    return False


def end(processes: Sequence[psutil.Process]) -> None:
    """End these processes and all their descendants: asked once, killed after three seconds."""
    import psutil

    everyone = {process.pid: process for root in processes for process in (root, *_descendants(root))}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(_farewell(process))
    _, alive = psutil.wait_procs(list(everyone.values()), timeout=_GRACE_S)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE_S)


def _farewell(process: psutil.Process) -> signal.Signals:
    """Return the signal on which this server ends without waiting for its clients or its disk."""
    name = process.name()
    if name in _KILLED:
        return signal.SIGKILL
    return signal.SIGQUIT if name == "postgres" else signal.SIGTERM


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    import psutil

    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def processes_of(instance: Path) -> list[psutil.Process]:
    """Find every process that belongs to an instance, whoever started it and whatever was written down.

    One belongs to it when its environment names the instance. PostgreSQL overwrites the memory that holds its own, so
    one that works in a folder below the instance belongs to it too, unless it has a terminal: that is a person's.
    """
    import psutil

    inside = str(instance) + os.sep
    ours = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == os.getpid():
                continue
            works_inside = process.cwd().startswith(inside) and not _has_terminal(process)
            if works_inside or process.environ().get(INSTANCE_VARIABLE) == str(instance):
                ours.append(process)
    return ours


def _has_terminal(process: psutil.Process) -> bool:
    """Tell whether a process has a controlling terminal.

    psutil only knows those that were there when it first looked, and none that another container opened: ask Linux.
    """
    try:
        numbers = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return process.terminal() is not None
    return numbers[_TERMINAL] != "0"
