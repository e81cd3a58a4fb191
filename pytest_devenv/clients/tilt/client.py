"""Speaking to the Tilt that runs for a project, through its own command line, pinned to that Tilt's port."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.tilt.program import NoTiltError, program
from pytest_devenv.clients.tilt.update import Updated, follow
from pytest_devenv.clients.tilt.values import TILTFILE, Forward, Resource, unix
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 10350
PORT_VARIABLE = "TILT_PORT"
UPDATE_S = 180.0
STABLE_S = 2.0
_CONNECT_S = 1.0
_LONGEST_S = 30.0


class TiltError(TargetError):
    """Tilt runs and did not do what it was asked for, or its answer cannot be understood."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """The Tilt that runs for a project: its resources, forwards and logs, and updates that are asked for."""

    program: str
    port: int
    tiltfile: Path

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://localhost:{self.port}"

    def version(self) -> str:
        """Return its version, such as `0.37.6`. Raises TiltError."""
        said = self._run("version")
        words = said.split(",")[0].split()
        if not words or not words[0].startswith("v"):
            msg = f"expected the version of tilt, found {said.strip()!r}, from {self.program} version"
            raise TiltError(msg)
        return words[0].removeprefix("v")

    def resources(self) -> dict[str, Resource]:
        """Return its resources by name, in the order of the Tiltfile, which is one itself. Raises TiltError."""
        found = sorted((Resource.from_json(item) for item in self._items("uiresources")), key=lambda each: each.order)
        return {each.name: each for each in found}

    def resource(self, name: str) -> Resource:
        """Return one resource. Raises TiltError for a name that is none's."""
        found = self.resources()
        if name in found:
            return found[name]
        known = ", ".join(each for each in found if each != TILTFILE)
        msg = f"expected a resource of {self.tiltfile} ({known}), found {name!r}"
        raise TiltError(msg, remedy="tilt get uiresources")

    def forwards(self) -> tuple[Forward, ...]:
        """Return its port forwards. Raises TiltError."""
        return tuple(each for item in self._items("portforwards") for each in Forward.all_of(item))

    def forwards_into(self, context: str) -> tuple[Forward, ...]:
        """Return the port forwards that work, where it is connected to this kube context alone. Raises TiltError."""
        items = self._items("clusters,portforwards")
        connections = [(item.get("status", {}).get("connection") or {}).get("kubernetes") for item in items]
        if {each.get("context") for each in connections if each} != {context}:
            return ()
        found = (each for item in items if item["kind"] == "PortForward" for each in Forward.all_of(item))
        return tuple(each for each in found if each.error is None)

    def image_builds(self, name: str) -> tuple[tuple[float, float], ...]:
        """Return when the last build of each image of a resource began and ended, as Unix times. Raises TiltError."""
        found = []
        for item in self._items("dockerimages,cmdimages"):
            done = item.get("status", {}).get("completed") or {}
            began, ended = unix(done.get("startedAt")), unix(done.get("finishedAt"))
            of = (item["metadata"].get("annotations") or {}).get("tilt.dev/resource")
            if of == name and began is not None and ended is not None:
                found.append((began, ended))
        return tuple(found)

    def logs(self, name: str, *, lines: int = 15) -> str:
        """Return the last lines that a resource has logged. Raises TiltError."""
        return "\n".join(self._run("logs", name).rstrip().splitlines()[-lines:])

    def trigger(self, name: str, *, deadline_s: float = UPDATE_S, stable_s: float = STABLE_S) -> Updated:
        """Ask for an update of a resource and wait for that very one, then until it is ready, then stable.

        An update that was under way already is not waited for. The answer says whether it succeeded, failed, or cannot
        be told within `deadline_s` seconds. Raises TiltError for a resource that cannot be updated.
        """
        before = self.resource(name)
        if before.disabled:
            msg = f"expected a resource that is enabled, found {name} disabled, looked at {self.url}"
            raise TiltError(msg, remedy=f"tilt enable {name}")
        return follow(
            lambda: self.resource(name),
            before,
            ask=lambda: self.ask(name),
            log=lambda: self.logs(name),
            deadline_s=deadline_s,
            stable_s=stable_s,
        )

    def ask(self, name: str) -> None:
        """Ask for an update of a resource, and wait for nothing. Raises TiltError."""
        self._run("trigger", name)

    def _items(self, kinds: str) -> list[dict[str, Any]]:
        said = self._run("get", kinds, "-o", "json")
        try:
            items: list[dict[str, Any]] = json.loads(said)["items"]
        except (ValueError, KeyError, TypeError) as error:
            msg = f"expected JSON from tilt get {kinds}, found {said[:80]!r}"
            raise TiltError(msg, remedy=f"tilt get {kinds} -o json") from error
        return items

    def _run(self, *words: str) -> str:
        pinned = () if words[0] == "version" else (f"--port={self.port}",)
        return run([self.program, *words, *pinned])


def running(root: Path, *, environ: Mapping[str, str] = os.environ) -> Tilt:
    """Return the Tilt that runs for the project in `root`. Raises NoTiltError where none does.

    It is looked for at TILT_PORT, else 10350. One that runs another project's Tiltfile is not ours.
    """
    path = program(environ)
    named = environ.get(PORT_VARIABLE, "")
    port = int(named) if named.isdecimal() else DEFAULT_PORT
    start = f"tilt up --port={port}" if port != DEFAULT_PORT else "tilt up"
    if not _listens(port):
        msg = f"no Tilt runs: nothing listens on port {port}"
        raise NoTiltError(msg, remedy=start)
    try:
        sessions = json.loads(run([path, "get", "sessions", "-o", "json", f"--port={port}"]))["items"]
        tiltfile = Path(sessions[0]["spec"]["tiltfilePath"])
    except (TiltError, ValueError, LookupError, TypeError) as error:
        msg = f"what listens on port {port} does not answer as Tilt does"
        raise NoTiltError(msg, remedy=f"see who it is: ss -ltnp 'sport = :{port}'; then: {start}") from error
    if not tiltfile.resolve().is_relative_to(root.resolve()):
        msg = f"the Tilt on port {port} runs {tiltfile}, which is not of {root}"
        raise NoTiltError(msg, remedy=f"name the port of this project's Tilt: export {PORT_VARIABLE}=10351")
    return Tilt(path, port, tiltfile)


def run(command: list[str]) -> str:
    """Run one of Tilt's commands and return what it printed. Raises TiltError with what it said of its failure."""
    shown = " ".join(["tilt", *command[1:]])
    environ = {**os.environ, "TILT_DISABLE_ANALYTICS": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LONGEST_S, check=False, env=environ, errors="replace"
        )
    except subprocess.TimeoutExpired as error:
        msg = f"expected an answer from {shown} within {_LONGEST_S:g} s, found none"
        raise TiltError(msg, remedy="see whether Tilt still answers: tilt get session") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        msg = f"{shown} failed: {said[-1] if said else f'exit code {done.returncode}'}"
        raise TiltError(msg, remedy=shown)
    return done.stdout


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=_CONNECT_S).close()
    except OSError:
        return False
    return True
