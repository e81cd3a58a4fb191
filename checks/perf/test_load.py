"""The backend answers in time, under the load that a development environment sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.people import PASSWORD, an_email
from checks.perf.load import error_rate, fire, percentile

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from checks.people import Crowd, Person
    from checks.perf.load import Call
    from pytest_devenv.fixtures.budgets import Measure
    from pytest_devenv.fixtures.handles import HttpService

    KeepsBudget = Callable[[str, Measure], None]

pytestmark = pytest.mark.perf

MORE_THAN_THE_POOL = 30


@pytest.mark.parametrize(("budget", "share"), [("latency-p50", 0.5), ("latency-p95", 0.95)])
def test_endpoints_answer_in_time(
    keeps_budget: KeepsBudget, backend: HttpService, questions: list[Call], budget: str, share: float
) -> None:
    """Half of the questions of a page are answered within one budget, and nearly all within another."""
    keeps_budget(budget, lambda: percentile(fire(backend, questions * 6), share))


def test_few_requests_fail(keeps_budget: KeepsBudget, backend: HttpService, questions: list[Call]) -> None:
    """When several ask at once, they are answered with success."""
    keeps_budget("error-rate", lambda: error_rate(fire(backend, questions * 20, at_once=8)))


def test_pool_serves_more_than_it_has_connections(
    keeps_budget: KeepsBudget, backend: HttpService, questions: list[Call]
) -> None:
    """More requests at once than the backend has connections are all answered, in time."""

    def stress() -> None:
        assert error_rate(fire(backend, questions * 20, at_once=MORE_THAN_THE_POOL)) == 0

    keeps_budget("pool-stress", stress)


def test_many_register_at_once(keeps_budget: KeepsBudget, backend: HttpService, people: Crowd) -> None:
    """Several who register at the same time have their accounts in time."""

    def register(service: HttpService) -> requests.Response:
        body = {"email": an_email(), "password": PASSWORD, "display_name": "Check"}
        answer = service.post("/auth/register", json=body)
        people.accounts.append(answer.json()["id"])
        return answer

    def rush() -> None:
        assert error_rate(fire(backend, [register] * 12, at_once=6)) == 0

    keeps_budget("registrations", rush)


def test_logging_in_is_quick(keeps_budget: KeepsBudget, people: Crowd, somebody: Person) -> None:
    """A password is checked in time, however costly its hash is meant to be."""
    keeps_budget("login", lambda: people.log_in(somebody.email).raise_for_status())
