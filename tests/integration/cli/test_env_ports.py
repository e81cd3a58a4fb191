"""Who holds a port is named before anything is started there; what the asking program holds itself is not."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.loop.test_runs import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDER = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held() -> Iterator[tuple[int, int]]:
    """Give the port that a process holds, and that process's id."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield int(process.stdout.readline()), process.pid
    process.communicate("")


def asked(*claims: str) -> subprocess.CompletedProcess[str]:
    """Ask for ports."""
    return subprocess.run([*COMMAND, "env", "ports", *claims], capture_output=True, text=True, timeout=120, check=False)


def test_holder_of_a_port_is_named(held: tuple[int, int]) -> None:
    """The service, the port, the process and the way to end it are told."""
    port, pid = held
    said = asked(f"backend={port}").stdout
    assert said.startswith(f"the port of backend is taken\n  expected: {port} free\n  found: ")
    assert f"pid {pid}" in said
    assert f"remedy: kill {pid}" in said


def test_free_port_and_one_of_the_asking_program_are_not_told() -> None:
    """A Tilt that asks holds its forwards itself."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        done = asked(f"backend={own.getsockname()[1]}")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("claim", ["backend", "=1", "backend=x"])
def test_claim_that_is_none_is_a_usage_error(claim: str) -> None:
    """A mistyped claim is said."""
    done = asked(claim)
    assert done.returncode == 2
    assert f"expected NAME=PORT, found '{claim}'" in done.stderr
