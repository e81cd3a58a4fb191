"""What is recorded of an instance, for those who attach to it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.secret import Secret
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_START_TICKS = 18  # the place of starttime in /proc/PID/stat, counted from behind the state; see proc(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an instance is, as those who attach to it read it."""

    endpoints: Mapping[str, Endpoint]
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    faults: Mapping[str, Verdict] = field(default_factory=dict)
    timings_s: Mapping[str, float] = field(default_factory=dict)
    processes: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    kept: bool = False
    started: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values, credentials included: it is written for its owner's eyes alone."""
        return {
            "endpoints": {name: endpoint_to_json(endpoint) for name, endpoint in self.endpoints.items()},
            "variables": {name: dict(values) for name, values in self.variables.items()},
            "faults": {name: verdict.to_json() for name, verdict in self.faults.items()},
            "timings_s": dict(self.timings_s),
            "processes": {name: list(process) for name, process in self.processes.items()},
            "kept": self.kept,
            "started": self.started,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Make the record that `to_json` wrote."""
        return cls(
            endpoints={name: endpoint_from_json(value) for name, value in data["endpoints"].items()},
            variables=data["variables"],
            faults={name: Verdict.from_json(value) for name, value in data["faults"].items()},
            timings_s=data["timings_s"],
            processes={name: (pid, created) for name, (pid, created) in data["processes"].items()},
            kept=data["kept"],
            started=data["started"],
        )

    def alive(self) -> bool:
        """Whether any recorded process still runs: where some died, that is for their probes to say."""
        return len(self.died()) < len(self.processes)

    def died(self) -> frozenset[str]:
        """Return the services whose recorded process no longer runs."""
        return frozenset(name for name, (pid, created) in self.processes.items() if not _runs(pid, created))


def _runs(pid: int, created: float) -> bool:
    """Tell whether this process still runs and is the one that was recorded, not another with its number."""
    try:
        began = _began_at(pid)
    except ProcessLookupError:
        return False
    return abs(began - created) < 1


def _began_at(pid: int) -> float:
    """Return when a process began, in seconds since the epoch, as psutil says it. Raises ProcessLookupError.

    Read from /proc where there is one: to import psutil would take a tenth of an attached run.
    """
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except FileNotFoundError:
        return _began_at_without_proc(pid)
    if state == "Z":
        raise ProcessLookupError(pid)
    return int(boot.split()[1]) + int(rest[_START_TICKS]) / os.sysconf("SC_CLK_TCK")


def _began_at_without_proc(pid: int) -> float:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            raise ProcessLookupError(pid)
        return process.create_time()
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError(pid) from error


def endpoint_to_json(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint as plain values, its password included."""
    return {
        "service": endpoint.service,
        "kind": endpoint.kind.value,
        "host": endpoint.host,
        "port": endpoint.port,
        "user": endpoint.user,
        "password": None if endpoint.password is None else endpoint.password.reveal(),
        "tls": endpoint.tls,
        "path": endpoint.path,
        "source": endpoint.source,
    }


def endpoint_from_json(data: dict[str, Any]) -> Endpoint:
    """Make the endpoint that `endpoint_to_json` wrote."""
    password = data.pop("password")
    kind = ServiceKind(data.pop("kind"))
    return Endpoint(**data, kind=kind, password=None if password is None else Secret(password))
