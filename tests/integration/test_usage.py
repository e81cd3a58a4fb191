"""What processes of this machine use, measured on real ones."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_devenv.clients.usage import Usage, usage_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Postgres

LISTENER = """
import socket, sys
ballast = b"x" * int(sys.argv[1])
busy = sum(range(int(sys.argv[2])))
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@contextmanager
def listening(folder: Path, *, ballast: int = 0, work: int = 0) -> Iterator[int]:
    """Run a process that works in a folder and listens, after it has taken so much memory and done so much work."""
    command = [sys.executable, "-c", LISTENER, str(ballast), str(work)]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


def used(port: int, project: Path) -> Usage:
    """Return what is used at a port where somebody listens."""
    found = usage_at(port, project=project)
    assert found is not None
    return found


def test_memory_and_work_are_seen(tmp_path: Path) -> None:
    """A process with fifty megabytes more and much to do uses so much more memory and CPU time."""
    with listening(tmp_path) as idle, listening(tmp_path, ballast=50 * 2**20, work=20_000_000) as busy:
        rested, worked = used(idle, tmp_path), used(busy, tmp_path)
    assert 45 * 2**20 < worked.memory_bytes - rested.memory_bytes < 60 * 2**20
    assert worked.cpu_s > rested.cpu_s + 0.1


def test_files_of_its_own_folder_are_counted(tmp_path: Path) -> None:
    """Files count below the folder that a process works in, where that is not the project's or above it."""
    own, project = tmp_path / "own", tmp_path / "project"
    for folder in (own / "below", project):
        folder.mkdir(parents=True)
    (own / "below" / "data").write_bytes(b"x" * 2**20)
    with listening(own) as port:
        assert used(port, project).disk_bytes >= 2**20
        assert used(port, own / "below").disk_bytes == 0


def test_a_servers_children_belong_to_it(postgres_server: Postgres, tmp_path: Path) -> None:
    """PostgreSQL's data and its processes for each connection are its own."""
    found = used(postgres_server.endpoint.port, tmp_path)
    assert found.disk_bytes > 10 * 2**20
    assert found.memory_bytes > 2**20


def test_nobody_who_listens_uses_nothing_that_is_known(tmp_path: Path) -> None:
    """Where no process of this machine listens there is no answer, instead of a zero."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert usage_at(bound.getsockname()[1], project=tmp_path) is None
