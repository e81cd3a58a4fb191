"""HTTP services: what is asked of their answers, and what is said of those that do not answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.settings import Format, Service, ServiceKind
from pytest_devenv.verdict import Evidence, State
from tests.integration.probes.samples import environment, local, look
from tests.integration.probes.servers import (
    answering,
    closed_port,
    cut_off,
    hanging_up,
    http,
    resetting,
    serving,
    silent,
)

if TYPE_CHECKING:
    import socket
    import threading

    from pytest_devenv.targets.environment import Environment
    from tests.integration.probes.servers import Handler

ANSWERS = "http.answers[backend]"
BUDGET = "http.keeps_its_budget[backend]"


def backend(port: int, service: Service | None = None, *, deadline_s: float = 2.0) -> Environment:
    """Return an environment with one HTTP service."""
    described = Service(name="backend", kind=ServiceKind.HTTP, health="/health") if service is None else service
    return environment(local("backend", ServiceKind.HTTP, port), services=[described], deadline_s=deadline_s)


def asking(**expected: object) -> Service:
    """Return the service with what its answers have to be."""
    return replace(Service(name="backend", kind=ServiceKind.HTTP, health="/health"), **expected)  # type: ignore[arg-type]


def test_a_service_that_answers_passes() -> None:
    """A healthy answer passes, with its status and latency."""
    with serving(http(b'{"ok": true}')) as port:
        verdict = look(backend(port, asking(body=Format.JSON, contains='"ok"')), ANSWERS)
    assert verdict.state is State.PASS
    assert verdict.summary == "GET /health answers 200"
    assert verdict.latency_ms is not None


@pytest.mark.parametrize(
    ("handler", "service", "expected", "found"),
    [
        (http(b"", status="404 Not Found"), asking(), "status 200", "404 Not Found"),
        (
            http(b"", status="302 Found", headers="Location: /login?token=abc123\r\n"),
            asking(),
            "status 200",
            "302 Found to /login?token=***",
        ),
        (http(b"<html></html>", kind="text/html"), asking(body=Format.JSON), "a JSON body", "HTML instead of JSON"),
        (
            http(b"{", kind="application/json"),
            asking(body=Format.JSON),
            "a JSON body",
            "a body that is not JSON (application/json)",
        ),
        (http(b"{}"), asking(body=Format.HTML), "an HTML body", "a body that is not HTML (application/json)"),
        (http(b"fine"), asking(contains="ready"), "a body that contains 'ready'", "a body without 'ready'"),
    ],
)
def test_an_answer_that_is_not_as_described_fails(
    handler: Handler, service: Service, expected: str, found: str
) -> None:
    """Status, format and content are compared with the settings, and the difference is named."""
    with serving(handler) as port:
        verdict = look(backend(port, service), ANSWERS)
    assert (verdict.state, verdict.summary) == (State.FAIL, f"backend answers {found}")
    assert (verdict.expected, verdict.found) == (expected, found)
    assert verdict.where == f"GET http://127.0.0.1:{port}/health"
    assert verdict.remedy == f"curl --include http://127.0.0.1:{port}/health"


def test_a_server_error_shows_the_beginning_of_its_body_without_secrets() -> None:
    """A 500 is shown with a short excerpt, in which passwords are hidden."""
    body = b"Traceback: cannot connect to postgres://shop:hunter2-x@db/shop " + b"x" * 300
    with serving(http(body, status="500 Internal Server Error", kind="text/plain")) as port:
        verdict = look(backend(port), ANSWERS)
    assert verdict.summary == "backend answers 500 Internal Server Error"
    shown = "Traceback: cannot connect to postgres://shop:***@db/shop "
    assert verdict.evidence == (Evidence("the body begins", shown + "x" * (200 - len(shown)) + " …"),)


@pytest.mark.parametrize(
    ("handler", "summary", "found"),
    [
        (silent, "backend does not answer at 127.0.0.1:{port}", "no whole answer within 0.3 s"),
        (
            hanging_up,
            "backend closes the connection without an answer",
            "the connection was closed before a status line",
        ),
        (resetting, "backend resets the connection", "the connection was reset before a status line"),
        (
            answering(b"-ERR unknown command\r\n"),
            "what answers at 127.0.0.1:{port} is not HTTP",
            "an answer in another protocol",
        ),
        (
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"),
            "backend does not answer at 127.0.0.1:{port}",
            "no whole answer within 0.3 s",
        ),
        (
            cut_off(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"),
            "backend closes the connection in the middle of its answer",
            "5 bytes, and 995 more were announced",
        ),
    ],
)
def test_a_service_that_does_not_answer_fails(handler: Handler, summary: str, found: str) -> None:
    """Each way of not answering has its own words, and none takes longer than the deadline."""
    with serving(handler) as port:
        verdict = look(backend(port, deadline_s=0.3), ANSWERS)
    assert (verdict.state, verdict.summary) == (State.FAIL, summary.format(port=port))
    assert verdict.found == found
    assert verdict.expected == f"an HTTP answer from http://127.0.0.1:{port}/health"
    assert verdict.remedy is not None


def test_a_service_that_is_not_there_fails() -> None:
    """A refused connection says that nothing listens, and how to bring the service back."""
    with closed_port() as port:
        verdict = look(backend(port), ANSWERS)
    assert verdict.summary == f"backend refuses connections at 127.0.0.1:{port}"
    assert verdict.found == f"connection refused: nothing listens at 127.0.0.1:{port}"
    assert verdict.remedy == f"start backend at 127.0.0.1:{port}, or correct services.backend.url in pyproject.toml"


def test_a_host_without_an_address_fails() -> None:
    """A name that does not resolve is named, with the setting that holds it."""
    endpoint = Endpoint(service="backend", kind=ServiceKind.HTTP, host="nowhere.invalid", port=80)
    verdict = look(environment(endpoint), ANSWERS)
    assert verdict.summary == "backend is at a host that has no address: nowhere.invalid"
    assert verdict.remedy == "correct services.backend.url in pyproject.toml"


def test_plain_http_where_tls_was_asked_for_fails() -> None:
    """A server without TLS behind an https address is told apart from one that is down."""
    with serving(http(b"{}")) as port:
        endpoint = replace(local("backend", ServiceKind.HTTP, port), tls=True)
        verdict = look(environment(endpoint), ANSWERS)
    assert verdict.summary == f"backend does not speak TLS as asked at 127.0.0.1:{port}"
    assert verdict.remedy == "write http:// for https:// in services.backend.url in pyproject.toml"


def test_a_service_within_its_budget_passes() -> None:
    """The median of three requests is held against the budget."""
    with serving(http(b"{}")) as port:
        verdict = look(backend(port, asking(budget_ms=500.0)), BUDGET)
    assert verdict.summary == f"{verdict.latency_ms:.0f} ms of 500 ms"


def test_the_requests_for_the_budget_share_one_connection() -> None:
    """What is measured is the service's answer, not the making of connections."""
    connections: list[object] = []
    answer = http(b"{}")

    def counting(connection: socket.socket, over: threading.Event) -> None:
        connections.append(connection)
        answer(connection, over)

    with serving(counting) as port:
        assert look(backend(port, asking(budget_ms=500.0)), BUDGET).passed
    assert len(connections) == 1


def test_a_service_that_is_slow_by_ten_times_fails() -> None:
    """A service over its budget fails, with each of the times."""
    with serving(http(b"{}", after_s=0.1)) as port:
        verdict = look(backend(port, asking(budget_ms=10.0)), BUDGET)
    assert verdict.state is State.FAIL
    assert verdict.latency_ms is not None
    assert verdict.latency_ms >= 100
    assert (
        verdict.summary == f"backend takes {verdict.latency_ms:.0f} ms, {verdict.latency_ms / 10:.1f} times its budget"
    )
    assert verdict.expected == "a median of at most 10 ms for 3 requests"


def test_the_budget_of_a_service_that_is_not_there_is_not_measured() -> None:
    """Without an answer there is no latency, but the reason for it."""
    with closed_port() as port:
        verdict = look(backend(port, asking(budget_ms=10.0)), BUDGET)
    assert verdict.summary == f"backend refuses connections at 127.0.0.1:{port}"


def test_a_service_without_a_budget_has_no_such_probe() -> None:
    """What is not configured is not looked at."""
    with pytest.raises(KeyError):
        look(backend(1), BUDGET)
