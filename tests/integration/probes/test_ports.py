"""Local ports: who may hold them, who does, how to make a stranger let go, and what speaks there."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients import processes
from pytest_devenv.clients.processes import Listener, Process, shown
from pytest_devenv.probes import strangers
from pytest_devenv.settings import Service, ServiceKind, TargetName
from pytest_devenv.verdict import State, failed
from tests.integration.probes.samples import environment, local, look
from tests.integration.probes.servers import (
    answering,
    closed_port,
    hanging_up,
    http,
    resetting,
    serving,
    silent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.targets.environment import Environment
    from tests.conftest import Postgres
    from tests.integration.probes.servers import Handler

OURS = "port.is_free_or_ours[backend]"
SPEAKS = "port.speaks_its_protocol[backend]"
HOLDER = Path(__file__).parent / "holder.py"


@contextmanager
def stranger() -> Iterator[tuple[int, Process]]:
    """Run a program that holds a port, and give the port and the process."""
    command = [sys.executable, str(HOLDER), "--password", "hunter2-x", "postgres://shop:hunter2-x@db/shop"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        found = processes.process(child.pid)
        assert found is not None
        yield port, found
        child.communicate()


def backend(local_port: int, at: int | None = None, *, target: TargetName = TargetName.ADDRESSES) -> Environment:
    """Return an environment whose backend claims a local port, and is reached at that one or at another."""
    service = Service(name="backend", kind=ServiceKind.HTTP, local_port=local_port, health="/health")
    endpoint = local("backend", ServiceKind.HTTP, local_port if at is None else at)
    return environment(endpoint, services=[service], target=target, deadline_s=0.3)


def test_a_free_port_passes() -> None:
    """A port that nobody holds is as it should be, and where the service is instead is told."""
    with closed_port() as port:
        verdict = look(backend(port, 43210, target=TargetName.EMBEDDED), OURS)
    assert verdict.state is State.PASS
    assert verdict.summary == f"{port} is free; backend is at 127.0.0.1:43210"


def test_a_port_held_by_the_server_that_is_simply_there_passes() -> None:
    """At an address that is given, whoever holds the port is who should."""
    with stranger() as (port, holder):
        verdict = look(backend(port), OURS)
    assert verdict.summary == f"{port} is held by {holder.name} (pid {holder.pid}, user {holder.user})"
    assert verdict.passed


def test_a_stranger_that_nothing_needs_passes_with_a_note() -> None:
    """A local port that this run does not use may be anyone's; who holds it is told."""
    with stranger() as (port, holder):
        verdict = look(backend(port, 43210, target=TargetName.EMBEDDED), OURS)
    assert verdict.passed
    assert verdict.summary == (
        f"{port} is held by {holder.name} (pid {holder.pid}, user {holder.user}); nothing here needs it;"
        " backend is at 127.0.0.1:43210"
    )


def test_a_stranger_that_a_service_is_led_to_fails() -> None:
    """A stranger on a port that a service was told to use is named: process, user, command, age, and how to stop it."""
    with stranger() as (port, holder):
        here = backend(port, 43210, target=TargetName.EMBEDDED)
        here = replace(here, variables={"frontend": {"API_URL": f"http://localhost:{port}/api"}})
        verdict = look(here, OURS)
    brief = f"{holder.name} (pid {holder.pid}, user {holder.user})"
    command = f"{sys.executable} {HOLDER} --password *** 'postgres://shop:***@db/shop'"
    assert verdict == failed(
        f"port {port} of backend is held by {brief}, and API_URL of frontend leads to it",
        expected=f"backend on port {port}, or nobody",
        found=f"{holder.name} (pid {holder.pid}, user {holder.user}, since {holder.since}): {command[:160]}"
        + (" …" if len(command) > 160 else ""),
        where=f"127.0.0.1:{port} on this machine",
        remedy=f"kill {holder.pid}; or change services.backend.local_port in pyproject.toml",
        port=port,
        pid=holder.pid,
    )
    assert "hunter2" not in str(verdict)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ALLOWED_ORIGINS", "http://localhost:{port}"),
        ("ALLOWED", "http://localhost:5000,http://localhost:{port}"),
        ("API_URL", "http://localhost:{port}0"),
        ("API_URL", "http://api.test:{port}"),
    ],
)
def test_a_variable_that_leads_elsewhere_needs_no_port(name: str, value: str) -> None:
    """Origins that are let in, other ports and other hosts are not where a service goes."""
    with stranger() as (port, _):
        here = backend(port, 43210, target=TargetName.EMBEDDED)
        variables = {"frontend": {name: value.format(port=port)}}
        assert look(replace(here, variables=variables), OURS).passed


def test_a_server_of_this_machine_before_the_clusters_fails() -> None:
    """Where the port should lead into the cluster, a server that stands there itself is a stranger."""
    with stranger() as (port, holder):
        # A child of this process is one of ours: seen from elsewhere, it is not.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(processes, "family", lambda _: frozenset[int]())
            verdict = look(backend(port, target=TargetName.CLUSTER), OURS)
        assert look(backend(port, target=TargetName.CLUSTER), OURS).passed
    assert verdict.state is State.FAIL
    assert verdict.summary == (
        f"port {port} of backend is held by {holder.name} (pid {holder.pid}, user {holder.user}),"
        " and it stands before backend of the cluster"
    )


def test_a_forward_into_the_cluster_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that forwards ports is who should hold the port of a cluster's service."""
    forward = Process(7, "kubectl", "ada", "kubectl port-forward", 0.0)
    monkeypatch.setattr(processes, "process", lambda _: forward)
    monkeypatch.setattr(processes, "listeners", lambda: (Listener("127.0.0.1", 3000, 7),))
    assert look(backend(3000, target=TargetName.CLUSTER), OURS).summary == "3000 is held by kubectl (pid 7, user ada)"


def test_a_holder_that_may_not_be_seen_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of another user is not passed over: it is unknown, with the command that shows it."""
    monkeypatch.setattr(processes, "listeners", lambda: (Listener("0.0.0.0", 3000, None),))  # noqa: S104
    verdict = look(backend(3000, target=TargetName.CLUSTER), OURS)
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == "3000 is held by a process that only root may see"
    assert verdict.remedy == "sudo lsof -nP -iTCP:3000 -sTCP:LISTEN"
    assert look(backend(3000), OURS).summary == "3000 is held by an unknown process"


def test_sockets_that_may_not_be_listed_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine shows no sockets, nothing is said of who holds a port."""

    def refuse() -> tuple[Listener, ...]:
        raise PermissionError("the sockets of this machine may not be listed")

    monkeypatch.setattr(processes, "listeners", refuse)
    verdict = look(backend(3000), OURS)
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == "the sockets of this machine may not be listed"


@pytest.mark.parametrize(
    ("process", "command"),
    [
        (Process(7, "python", getpass.getuser(), "python", 0.0), "kill 7"),
        (Process(7, "postgres", "somebody else", "postgres", 0.0), "sudo kill 7"),
        (
            Process(7, "postgres", "postgres", "postgres", 0.0, unit="postgresql@16-main.service"),
            "sudo systemctl stop postgresql@16-main.service",
        ),
        (
            Process(7, "docker-proxy", "root", "docker-proxy", 0.0),
            "docker stop $(docker ps --quiet --filter publish=5432)",
        ),
        (
            Process(7, "rootlessport", "ada", "rootlessport", 0.0),
            "podman stop $(podman ps --quiet --filter publish=5432)",
        ),
    ],
)
def test_a_stranger_is_stopped_by_what_runs_it(process: Process, command: str) -> None:
    """What a container engine or systemd runs is stopped there, since it would be started again."""
    assert strangers.stop(process, 5432) == command


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["redis-cli", "-a", "hunter2", "PING"], "redis-cli -a *** PING"),
        (["app", "--token=abc", "TOKEN=abc", "--port", "80"], "app --token=*** TOKEN=*** --port 80"),
        (["app", "redis://:hunter2@cache"], "app 'redis://:***@cache'"),
        (["app", "--password", "--verbose", "a b"], "app --password --verbose 'a b'"),
        (["app", "--password", "-hunter2"], "app --password ***"),
        ([], ""),
    ],
)
def test_a_command_line_shows_no_secret(arguments: list[str], line: str) -> None:
    """Values of arguments that are named like secrets, and logins in URLs, are hidden."""
    assert shown(arguments) == line


def test_ports_that_are_claimed_once_pass_and_twice_fail() -> None:
    """Two services with one local port are named with the setting to change."""
    one = Service(name="backend", kind=ServiceKind.HTTP, local_port=3000)
    other = Service(name="frontend", kind=ServiceKind.HTTP, local_port=5000)
    probe = "ports.are_distinct[shop]"
    assert look(environment(services=[one, other]), probe).summary == "2 ports, each claimed once"
    verdict = look(environment(services=[one, replace(other, local_port=3000)]), probe)
    assert verdict == failed(
        "backend and frontend both claim port 3000",
        expected="a local port for each service",
        found="services.backend.local_port = 3000, services.frontend.local_port = 3000",
        where="/srv/shop/pyproject.toml",
        remedy="give services.frontend.local_port another port in pyproject.toml",
    )


def test_services_of_two_kinds_at_one_address_fail() -> None:
    """One address cannot be that of two services which speak differently."""
    claims = Service(name="backend", kind=ServiceKind.HTTP, local_port=3000)
    cache = local("redis", ServiceKind.REDIS, 3000)
    here = environment(local("backend", ServiceKind.HTTP, 3000), cache, services=[claims])
    assert look(here, "ports.are_distinct[shop]").summary == "backend and redis are both reached at 127.0.0.1:3000"


def claimed(endpoint: Endpoint) -> Environment:
    """Return an environment that claims the very port at which a service is reached."""
    service = Service(name=endpoint.service, kind=endpoint.kind, local_port=endpoint.port)
    return environment(endpoint, services=[service], deadline_s=0.3)


def test_every_kind_of_server_speaks_its_protocol(postgres_server: Postgres, redis_server: Endpoint) -> None:
    """PostgreSQL, Redis (with a password, too) and HTTP are known by their first words."""
    database = replace(postgres_server.endpoint, service="postgres")
    assert look(claimed(database), "port.speaks_its_protocol[postgres]").summary == (
        f"{database.address} speaks PostgreSQL"
    )
    assert (
        look(claimed(redis_server), "port.speaks_its_protocol[redis]").summary == f"{redis_server.address} speaks Redis"
    )
    with serving(http(b"{}", status="503 Service Unavailable")) as port:
        assert look(backend(port), SPEAKS).summary == f"127.0.0.1:{port} speaks HTTP"


@pytest.mark.parametrize("kind", [ServiceKind.POSTGRES, ServiceKind.REDIS, ServiceKind.HTTP])
@pytest.mark.parametrize(
    ("handler", "found"),
    [
        (silent, "it takes the connection and says nothing for 0.3 s"),
        (hanging_up, "it closes the connection without an answer"),
        (resetting, "it closes the connection without an answer"),
    ],
)
def test_a_dead_forward_fails(kind: ServiceKind, handler: Handler, found: str) -> None:
    """A port that is open and does not answer in its protocol is found at the deadline, whatever it is for."""
    protocol = {"postgres": "PostgreSQL", "redis": "Redis", "http": "HTTP"}[kind.value]
    with serving(handler) as port:
        verdict = look(claimed(local("thing", kind, port)), "port.speaks_its_protocol[thing]")
    assert verdict == failed(
        f"127.0.0.1:{port} is open, and does not speak {protocol}",
        expected=f"the first words of {protocol}",
        found=found,
        where=f"127.0.0.1:{port}",
        remedy=f"a forward may be dead: start thing at 127.0.0.1:{port}, or correct"
        " services.thing.url in pyproject.toml",
    )


@contextmanager
def web_server() -> Iterator[tuple[int, Process]]:
    """Run Python's own web server, and give its port and its process."""
    with closed_port() as port:
        pass
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            end = time.monotonic() + 20
            while not any(each.port == port for each in processes.listeners()):
                assert time.monotonic() < end
                time.sleep(0.02)
            found = processes.process(child.pid)
            assert found is not None
            yield port, found
        finally:
            child.kill()


def test_a_stranger_that_waits_for_more_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server takes PostgreSQL's first words for half a line and says nothing: it is named, and how it ends."""
    with web_server() as (port, holder):
        here = claimed(local("postgres", ServiceKind.POSTGRES, port))
        dead = look(here, "port.speaks_its_protocol[postgres]")
        monkeypatch.setattr(processes, "family", lambda _: frozenset[int]())  # a child of this process is one of ours
        verdict = look(here, "port.speaks_its_protocol[postgres]")
        root = look(here, "postgres.accepts_queries[postgres]")
    assert dead.remedy is not None
    assert dead.remedy.startswith("a forward may be dead")
    assert verdict.found == "it takes the connection and says nothing for 0.3 s"
    assert verdict.remedy == f"unless this is postgres, kill {holder.pid} ends it: {holder}"
    assert "-m http.server" in verdict.remedy
    assert root.remedy is not None
    assert root.remedy.endswith("; or a stranger holds its port: pytest -m ports")


@pytest.mark.parametrize("name", ["postgres", "kubectl"])
def test_a_silent_server_or_forward_is_no_stranger(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What hangs, and is what should be there, is not named to be killed."""
    monkeypatch.setattr(processes, "process", lambda pid: Process(pid, name, "ada", name, 0.0))
    monkeypatch.setattr(processes, "family", lambda _: frozenset[int]())
    with serving(silent) as port:
        verdict = look(claimed(local("db", ServiceKind.POSTGRES, port)), "port.speaks_its_protocol[db]")
    assert verdict.remedy is not None
    assert verdict.remedy.startswith("a forward may be dead: start db at")


def test_a_silent_holder_that_may_not_be_seen_is_to_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only root may see who holds the port, the remedy says how."""
    with serving(silent) as port:
        monkeypatch.setattr(processes, "listeners", lambda: (Listener("127.0.0.1", port, None),))
        verdict = look(backend(port), SPEAKS)
    assert verdict.remedy is not None
    assert verdict.remedy.endswith(f"; or find who holds it: sudo lsof -nP -iTCP:{port} -sTCP:LISTEN")


def test_another_protocol_fails_with_what_was_said() -> None:
    """A server of another kind is told by its first words, and who it is."""
    with serving(answering(b"-ERR unknown command 'GET'\r\n")) as port:
        verdict = look(backend(port), SPEAKS)
    assert verdict.found == "it answers in another protocol: \"-ERR unknown command 'GET'\""
    assert verdict.remedy == f"kill {os.getpid()} ends {processes.process(os.getpid())}"


def test_a_closed_port_is_free() -> None:
    """A port at which nothing listens is free; that the service is not there is for its own probe to say."""
    with closed_port() as port:
        verdict = look(backend(port), SPEAKS)
    assert verdict.passed
    assert verdict.summary == f"nothing listens at 127.0.0.1:{port}"


def test_a_service_without_an_address_is_off() -> None:
    """Without an address there is nobody to greet."""
    service = Service(name="backend", kind=ServiceKind.HTTP, local_port=3000)
    assert look(environment(services=[service]), SPEAKS).summary == "no address is known for backend"
