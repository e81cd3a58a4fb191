"""What a run says where something else is at the port of a service."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults.probes import HEALTH, REDIS, SECRET, SITES
from tests.faults.servers import stranger

if TYPE_CHECKING:
    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize(
    ("service", "root", "passing"),
    [
        ("postgres", "postgres.accepts_queries[postgres]", REDIS | SECRET),
        ("redis", "redis.answers[redis]", HEALTH - REDIS - SITES),
        ("backend", "http.answers[backend]", HEALTH - SITES),
    ],
    ids=["postgres", "redis", "backend"],
)
def test_a_stranger_at_the_address_of_a_service_is_one_failure(
    shop_at: Shop, service: str, root: str, passing: set[str]
) -> None:
    """What answers in another protocol is not the service: its check says so, and how to find who it is."""
    scheme = {"postgres": "postgresql://shop@", "redis": "redis://", "backend": "http://"}[service]
    with stranger() as port:
        run = shop_at.given_too(**{f"PYTEST_DEVENV_{service.upper()}_URL": f"{scheme}127.0.0.1:{port}"}).run()
    verdict = run.only_root(root)
    assert run.passed == passing
    assert verdict["found"] == "an answer in another protocol"
    assert verdict["remedy"] == "pytest -m ports names who holds the port"
    assert run.took_s < 40


def test_a_silent_stranger_is_told_once_and_named(shop_at: Shop) -> None:
    """A web server on the declared port of postgres is one root, which says where its name is to be had; and it is."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            shop_at.edit('kind = "postgres"\n', f'kind = "postgres"\nlocal_port = {port}\n')
            shop_at.edit("deadline_s = 5", "deadline_s = 2")
            moved = shop_at.given_too(PYTEST_DEVENV_POSTGRES_URL=f"postgresql://shop@127.0.0.1:{port}")
            while subprocess.run(
                [sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}))"],
                stderr=subprocess.DEVNULL,
                check=False,
            ).returncode:
                assert server.poll() is None
            both = moved.run("-m", "ports or health")
            ports = moved.run("-m", "ports")
        finally:
            server.kill()
    remedy = both.only_root("postgres.accepts_queries[postgres]")["remedy"]
    assert remedy.endswith("; or a stranger holds its port: pytest -m ports")
    remedy = ports.only_root("port.speaks_its_protocol[postgres]")["remedy"]
    assert remedy.startswith(f"unless this is postgres, kill {server.pid} ends it: python")
    assert f"-m http.server --bind 127.0.0.1 {port}" in remedy


def test_a_stranger_on_a_port_that_a_service_needs_is_named(shop: Shop) -> None:
    """Where a variable of the backend leads to a declared port that a stranger holds, its process is named."""
    with stranger() as port:
        shop.edit('kind = "redis"\n', f'kind = "redis"\nlocal_port = {port}\n')
        shop.edit('REDIS_URL = "{redis.url}"', f'REDIS_URL = "redis://localhost:{port}"')
        run = shop.run("-m", "ports")
    verdict = run.only_root("port.is_free_or_ours[redis]")
    assert f"pid {os.getpid()}" in verdict["found"]
    assert verdict["facts"]["pid"] == os.getpid()
    assert str(os.getpid()) in verdict["remedy"]


def test_a_stranger_on_a_port_that_nobody_needs_is_no_fault(shop: Shop) -> None:
    """The embedded environment takes other ports: a stranger on a declared one is left alone, and all is well."""
    with stranger() as port:
        shop.edit('kind = "redis"\n', f'kind = "redis"\nlocal_port = {port}\n')
        run = shop.run("-m", "health or ports")
    assert run.exit_code == 0
    assert run.passed == set(run.states)
