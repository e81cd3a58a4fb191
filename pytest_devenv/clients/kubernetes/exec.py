"""Commands run in a container."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pytest_devenv.clients.kubernetes.errors import said
from pytest_devenv.clients.kubernetes.pods import path_of
from pytest_devenv.clients.kubernetes.websocket import upgraded
from pytest_devenv.errors import TargetError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_devenv.clients.kubernetes.api import Api

_V5, _V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _STATUS = 0, 1, 2, 3
_END = 255
_CHUNK_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a command: its exit code, and what it wrote."""

    code: int
    out: bytes
    err: bytes


def run(
    api: Api,
    namespace: str,
    pod: str,
    command: Sequence[str],
    *,
    container: str | None = None,
    given: bytes | None = None,
    deadline_s: float = 30.0,
) -> Ended:
    """Run a command in a container and return how it ended; `given` is its standard input.

    Raises WaitTimeoutError at the deadline, TargetError where the container cannot run it, and what the API raises.
    """
    query = [("command", word) for word in command] + [("stdout", "true"), ("stderr", "true")]
    query += [] if container is None else [("container", container)]
    query += [] if given is None else [("stdin", "true")]
    path = f"{path_of('pod', namespace, pod)}/exec?{urlencode(query)}"
    end = time.monotonic() + deadline_s
    written = {_STDOUT: bytearray(), _STDERR: bytearray(), _STATUS: bytearray()}
    with upgraded(api, path, _V5, _V4) as remote:
        for start in range(0, len(given or b""), _CHUNK_BYTES):
            remote.queue(bytes([_STDIN]) + (given or b"")[start : start + _CHUNK_BYTES])
        if given is not None and remote.protocol == _V5:
            remote.queue(bytes([_END, _STDIN]))
        while not remote.closed:
            try:
                remote.flush()
                remote.wait(end)
            except TimeoutError as error:
                msg = (
                    f"a command in the pod {pod} did not end within {deadline_s:g} s: {command[0]}\n"
                    f"  expected: its end\n  found: {_last(written[_STDOUT] + written[_STDERR])}\n"
                    f"  where: namespace {namespace}, {said(api.access.context)}"
                )
                raise WaitTimeoutError(msg, remedy="give it more time, or see by hand what it waits for") from error
            for message in remote.messages():
                if message and message[0] in written:
                    written[message[0]] += message[1:]
    code = _code(bytes(written[_STATUS]))
    if code is None:
        found = _said(bytes(written[_STATUS])) or "that the connection was lost"
        msg = (
            f"no command could be run in the pod {pod}: {command[0]}\n  expected: its exit code\n  found: {found}\n"
            f"  where: namespace {namespace}, {said(api.access.context)}"
        )
        raise TargetError(msg, remedy="name a program that is in the container's image, and on its PATH")
    return Ended(code, bytes(written[_STDOUT]), bytes(written[_STDERR]))


def _code(status: bytes) -> int | None:
    """Return the exit code that a status tells; None where there is none, since nothing was run."""
    try:
        told = json.loads(status)
    except ValueError:
        return None
    if told.get("status") == "Success":
        return 0
    causes = told.get("details", {}).get("causes") or ()
    codes = [each.get("message", "") for each in causes if each.get("reason") == "ExitCode"]
    return int(codes[0]) if codes and codes[0].isdecimal() else None


def _said(status: bytes) -> str:
    try:
        return " ".join(str(json.loads(status).get("message", "")).split())
    except ValueError:
        return ""


def _last(written: bytearray) -> str:
    lines = written.decode(errors="replace").strip().splitlines()
    return f"that it last wrote: {lines[-1]}" if lines else "that it wrote nothing"
