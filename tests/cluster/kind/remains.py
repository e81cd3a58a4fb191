"""Taking everything away, also after a crash: each part looks for what is there, and does nothing without it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from pathlib import Path

from tests.cluster.kind import engine, network
from tests.cluster.kind.place import data, name, running
from tests.cluster.kind.say import StepError, run, step, succeeds

_CGROUPS = Path("/sys/fs/cgroup")
_FAREWELL_S = 30
# What the kubelet sets for the whole machine.
_SYSCTLS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


def remember_sysctls() -> None:
    """Write down the settings of the machine that a cluster changes, unless that is done already."""
    file = running() / "sysctls.json"
    if file.exists():
        return
    found = {each: (Path("/proc/sys") / each).read_text() for each in _SYSCTLS if (Path("/proc/sys") / each).exists()}
    running().mkdir(mode=0o700, exist_ok=True)
    scratch = file.with_suffix(".making")
    scratch.write_text(json.dumps(found))
    scratch.rename(file)


def there() -> bool:
    """Tell whether anything of an engine of ours is there, running or left behind."""
    return running().exists() or network.handle().exists() or bool(cgroups()) or bool(engine.processes())


def take_away() -> None:
    """End the engine with all that it runs, and give back what it took of the machine. The images stay."""
    if not there():
        return
    with step("take away the container engine and what it left"):
        _end_containers()
        _end_processes_of_containers()  # those that the engine no longer ended, while their parents are there to notice
        _end_engine()
        _end_processes_of_containers()  # and those that it began again meanwhile
        _unmount(data())
        _unmount(running())
        if any((data() / "containers").glob("*")):  # it could not say goodbye: what it holds no longer fits together
            shutil.rmtree(data())
        _remove_cgroups()
        network.remove()
        _restore_sysctls()
        shutil.rmtree(running(), ignore_errors=True)


def _end_containers() -> None:
    if engine.answers():
        containers = engine.docker("ps", "-aq").split()
        if containers:
            engine.docker("rm", "--force", "--volumes", *containers)
        engine.docker("volume", "prune", "--force")
        engine.docker("network", "prune", "--force")


def _end_engine() -> None:
    """Ask the engine to end, and what is left of it to end at once."""
    import psutil

    with contextlib.suppress(FileNotFoundError, ValueError, psutil.Error):
        daemon = psutil.Process(int((running() / "docker.pid").read_text()))
        if daemon.environ().get(engine.VARIABLE) == str(running()):  # not somebody else by the same number
            daemon.terminate()
            psutil.wait_procs([daemon], timeout=_FAREWELL_S)
    rest = engine.processes()
    for process in rest:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(rest, timeout=_FAREWELL_S)


def cgroups() -> list[Path]:
    """Return the folders of our control group: one in each hierarchy, or a single one where there is one hierarchy."""
    return [each for each in (_CGROUPS / name(), *_CGROUPS.glob(f"*/{name()}")) if each.is_dir()]


def _below(group: Path) -> list[Path]:
    """Return a control group's folder and those below it, each before its own; what goes meanwhile is no error."""
    return [Path(folder) for folder, _, _ in os.walk(group)]


def _end_processes_of_containers() -> None:
    deadline = time.monotonic() + _FAREWELL_S
    while time.monotonic() < deadline:
        pids = {
            int(pid)
            for group in cgroups()
            for folder in _below(group)
            for pid in _text(folder / "cgroup.procs").split()
            if pid != "0"
        }
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    msg = f"expected the containers' processes to end within {_FAREWELL_S} s, found some that do not: {sorted(pids)}"
    raise StepError(msg)


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the group went away meanwhile
        return ""


def _unmount(folder: Path) -> None:
    """Unmount what is mounted on a folder and below it, the innermost first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((each for each in points if f"{each}/".startswith(f"{folder}/")), key=len, reverse=True):
        if not succeeds("umount", point):
            run("umount", "--lazy", point)


def _remove_cgroups() -> None:
    deadline = time.monotonic() + _FAREWELL_S
    for group in cgroups():
        for folder in reversed(_below(group)):
            while folder.is_dir():
                try:
                    folder.rmdir()
                except OSError:  # the kernel takes a moment to notice that the last process has ended
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)


def _restore_sysctls() -> None:
    with contextlib.suppress(FileNotFoundError):
        for each, value in json.loads((running() / "sysctls.json").read_text()).items():
            file = Path("/proc/sys") / each
            if file.read_text() != value:
                file.write_text(value)
