"""Forwards lead to whichever pod is ready when somebody connects, and are gone when they end."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from pytest_devenv.clients.kubernetes.forward import Forward
from pytest_devenv.clients.kubernetes.pods import NoPodError
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.errors import TargetError
from pytest_devenv.secret import Secret
from pytest_devenv.settings import ServiceKind
from tests.cluster.postgres import PASSWORD, PORT, READY_S, USER

if TYPE_CHECKING:
    from tests.cluster.postgres import Deployed

pytestmark = pytest.mark.cluster


def address(forward: Forward) -> DatabaseAddress:
    """Return the database that a forward leads to."""
    endpoint = Endpoint(
        service="postgres",
        kind=ServiceKind.POSTGRES,
        host="127.0.0.1",
        port=forward.port,
        user=USER,
        password=Secret(PASSWORD),
    )
    return DatabaseAddress(endpoint, USER)


def answer(forward: Forward, query: str = "select 1") -> object:
    """Return what the database answers through a forward."""
    with connect(address(forward), deadline_s=60) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def reset(forward: Forward) -> None:
    """Connect where nothing answers: reset at the first byte, or while it connects where the forward is faster."""
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", forward.port), timeout=60) as connection,
    ):
        connection.recv(1)


def use_on(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Go on asking until the connection breaks."""
    while True:
        connection.execute("select pg_sleep(0.2)")


@pytest.mark.parametrize(("subject", "port"), [("deployment/postgres", PORT), ("service/postgres", 15432)])
def test_a_forward_leads_to_a_ready_pod(deployed: Deployed, subject: str, port: int) -> None:
    """Through a workload, or through a Service and its named target port, the server of the pod answers."""
    deployed.pod()
    with Forward(deployed.api, deployed.namespace, subject, port) as forward:
        assert answer(forward) == 1
        assert forward.problem is None


def test_large_answers_pass_whole_and_together(deployed: Deployed) -> None:
    """Megabytes go both ways without loss, on several connections at the same time."""
    deployed.pod()
    found: list[object] = []
    with Forward(deployed.api, deployed.namespace, "deployment/postgres", PORT) as forward:

        def ask() -> None:
            with connect(address(forward), deadline_s=60) as connection:
                row = connection.execute("select length(%s), repeat('x', 3000000)", ["y" * 2_000_000]).fetchone()
            assert row is not None
            found.append((row[0], len(row[1])))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(READY_S)
    assert found == [(2_000_000, 3_000_000)] * 4


def test_a_pod_that_is_replaced_is_found_anew(deployed: Deployed) -> None:
    """A pod is deleted while a forward to it is in use: the next connection reaches the one that takes its place."""
    before = deployed.pod()
    with Forward(deployed.api, deployed.namespace, "deployment/postgres", PORT) as forward:
        with connect(address(forward), deadline_s=60) as connection:
            connection.execute("select 1")
            deployed.kubectl("delete", "pod", before, "--wait=true")
            with pytest.raises(psycopg.OperationalError):
                use_on(connection)
        after = deployed.pod()
        assert after != before
        answers: list[object] = []

        def answers_again() -> bool:
            try:
                answers.append(answer(forward))
            except psycopg.OperationalError:
                return False
            return True

        deployed.until(answers_again)
        assert answers == [1]


def test_without_a_ready_pod_the_reason_is_kept(deployed: Deployed) -> None:
    """A connection that leads nowhere is reset, and the forward knows why."""
    with Forward(deployed.api, deployed.namespace, "deployment/no-such", PORT) as forward:
        reset(forward)
        assert "deployments.apps no-such is not there" in str(forward.problem)


def test_a_workload_without_pods_is_told(deployed: Deployed) -> None:
    """Of a workload that is scaled to nothing the forward says that there is no pod."""
    deployed.pod()
    deployed.kubectl("scale", "deployment/postgres", "--replicas=0")
    try:
        deployed.until(lambda: not deployed.api.list(deployed.pods))
        with Forward(deployed.api, deployed.namespace, "deployment/postgres", PORT) as forward:
            with pytest.raises(psycopg.OperationalError):
                answer(forward)
            assert isinstance(forward.problem, NoPodError)
            assert "found: no pod at all" in str(forward.problem)
    finally:
        deployed.kubectl("scale", "deployment/postgres", "--replicas=1")
        deployed.pod()


def test_a_port_that_nobody_listens_at_is_told(deployed: Deployed) -> None:
    """Where the pod is there and refuses, the forward keeps what was said."""
    deployed.pod()
    with Forward(deployed.api, deployed.namespace, "deployment/postgres", 5999) as forward:
        reset(forward)
        problem = forward.problem
    assert isinstance(problem, TargetError)
    assert "takes no connection at port 5999" in problem.message


def test_nothing_is_left_of_a_forward(deployed: Deployed) -> None:
    """When a forward ends, its port is closed, its connections are too, and no thread of it runs on."""
    deployed.pod()
    before = set(threading.enumerate())
    with Forward(deployed.api, deployed.namespace, "deployment/postgres", PORT) as forward:
        port = forward.port
        connection = connect(address(forward), deadline_s=60)
        connection.execute("select 1")
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=60)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")
    connection.close()
