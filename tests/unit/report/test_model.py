"""How a run is grouped, and what it amounts to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.report.model import groups, service_addresses, worst_state
from pytest_devenv.settings import Database, Service, ServiceKind, Settings, TargetName
from pytest_devenv.targets.environment import Environment
from pytest_devenv.verdict import State, blocked, off, passed, unknown
from tests.unit.report import samples


def test_a_database_belongs_to_its_server() -> None:
    """The checks of a database stand with those of the PostgreSQL service that holds it."""
    postgres = groups(samples.healthy())[0]

    assert [entry.subject for entry in postgres.entries] == ["postgres", "postgres", "shop", "shop"]


def test_groups_follow_the_services_and_then_the_run() -> None:
    """Services come in their order; what belongs to none is grouped by its kind, and comes last."""
    assert [group.name for group in groups(samples.healthy())] == [
        "postgres",
        "redis",
        "backend",
        "frontend",
        "secrets",
    ]


def test_the_lead_of_a_group_is_of_its_worst_verdict() -> None:
    """What speaks for a service is what is wrong with it; where all is well, the check that says how fast it is."""
    lead = {group.name: group.lead for group in groups(samples.two_roots())}
    healthy = groups(
        samples.run(
            samples.entry("redis.keeps_writes", "redis", passed("kept")),
            samples.entry("redis.answers", "redis", passed("PING", latency_ms=1)),
        )
    )

    assert lead["postgres"] is not None
    assert lead["postgres"].probe == "migrations.none_pending[shop]"
    assert healthy[0].lead is not None
    assert healthy[0].lead.name == "redis.answers"


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ((), State.OFF),
        ((State.OFF, State.PASS), State.PASS),
        ((State.PASS, State.BLOCKED), State.BLOCKED),
        ((State.BLOCKED, State.UNKNOWN), State.UNKNOWN),
        ((State.UNKNOWN, State.FAIL), State.FAIL),
    ],
)
def test_the_worst_verdict_wins(states: tuple[State, ...], worst: State) -> None:
    """What is wrong here outweighs what is wrong elsewhere, and that outweighs what is well."""
    assert worst_state(states) is worst


def test_a_run_of_blocked_checks_is_what_blocks_them() -> None:
    """When only consequences were looked at, the run is as bad as their cause: failed, or unknown."""
    cause = samples.ACCEPTS
    failing = samples.run(samples.entry("http.answers", "backend", blocked(cause, samples.DOWN)))
    unseen = samples.run(samples.entry("http.answers", "backend", blocked(cause, unknown("no access"))))

    assert (failing.state, unseen.state) == (State.FAIL, State.UNKNOWN)


def test_a_run_in_which_all_is_off_is_off() -> None:
    """Nothing configured is no health."""
    assert samples.run(samples.entry("redis.answers", "redis", off("no redis"))).state is State.OFF


def test_services_come_after_what_they_require() -> None:
    """The order is that of the settings, but each service stands after those it requires; circles do no harm."""
    settings = Settings(
        root=Path(),
        file=Path("pyproject.toml"),
        name="shop",
        services={
            "backend": Service(name="backend", kind=ServiceKind.HTTP, requires=("postgres", "nowhere")),
            "redis": Service(name="redis", kind=ServiceKind.REDIS, requires=("redis",)),
            "postgres": Service(name="postgres", kind=ServiceKind.POSTGRES),
        },
        databases={"shop": Database(name="shop", service="postgres")},
    )
    endpoint = Endpoint(service="postgres", kind=ServiceKind.POSTGRES, host="::1", port=5432, source="url")
    environment = Environment(
        settings=settings, target=TargetName.ADDRESSES, why="asked for", endpoints={"postgres": endpoint}
    )

    postgres, backend, redis = service_addresses(environment)

    assert (postgres.service, postgres.address, postgres.source) == ("postgres", "[::1]:5432", "url")
    assert postgres.databases == ("shop",)
    assert (backend.service, backend.address, backend.kind) == ("backend", None, "http")
    assert redis.service == "redis"
