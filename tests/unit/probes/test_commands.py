"""The commands that remedies name: correct, quoted, and without any password."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.probes import commands
from pytest_devenv.probes.http_refusals import refused
from pytest_devenv.secret import Secret
from pytest_devenv.settings import TargetName
from tests.unit.probes.samples import endpoints, environment


def test_psql_opens_the_database_without_the_password() -> None:
    """The psql line holds user, host, port and database, and leaves the password to psql."""
    address = DatabaseAddress(endpoints()["postgres"], "shop")
    assert commands.psql(address) == 'psql "postgresql://shop@127.0.0.1:5432/shop"'


def test_psql_quotes_sql_for_the_shell() -> None:
    """SQL with quotes reaches psql as it is."""
    address = DatabaseAddress(endpoints()["postgres"], "a b")
    assert commands.psql(address, "select 'x'", user="post gres") == (
        """psql "postgresql://post%20gres@127.0.0.1:5432/a%20b" -c 'select '"'"'x'"'"''"""
    )


def test_redis_cli_asks_for_a_password_where_one_is_configured() -> None:
    """The redis-cli line never holds a password, and asks for one where the settings know one."""
    endpoint = endpoints()["redis"]
    assert commands.redis_cli(endpoint, "PING") == "redis-cli -p 6379 PING"
    elsewhere = replace(endpoint, host="cache.test", user="app", password=Secret("hidden-1"), tls=True)
    assert commands.redis_cli(elsewhere, "PING") == "redis-cli -h cache.test -p 6379 --tls --user app --askpass PING"


def test_a_log_is_named_where_it_outlives_the_run() -> None:
    """The log of an environment that stays up is shown; that of a run's own is gone, and who has none is told else."""
    attached = replace(
        environment(), target=TargetName.EMBEDDED, attached=True, logs={"redis": Path("/state/a b/redis.log")}
    )
    assert commands.read_log(attached, "redis", "otherwise") == "tail -n 50 '/state/a b/redis.log'"
    assert commands.read_log(attached, "backend", "otherwise") == "otherwise"
    assert commands.read_log(replace(attached, attached=False), "redis", "otherwise") == (
        "mend what its log says; to look at it while it runs: pytest-devenv env up; pytest -m health"
    )


def test_a_service_that_hangs_is_started_anew_where_it_stays_up() -> None:
    """The log of a service that hangs need not say why: one that stays up is brought down and up again."""
    attached = replace(environment(), target=TargetName.EMBEDDED, attached=True, logs={"backend": Path("/x.log")})
    endpoint = attached.endpoints["backend"]
    assert refused(attached, endpoint, "/health", TimeoutError()).remedy == commands.ANEW
    assert refused(attached, endpoint, "/health", ConnectionResetError()).remedy == "tail -n 50 /x.log"
    own = refused(replace(attached, attached=False), endpoint, "/health", TimeoutError())
    assert own.remedy == "mend what its log says; to look at it while it runs: pytest-devenv env up; pytest -m health"


def test_a_service_is_brought_back_as_its_target_does() -> None:
    """The remedy for a service that is down is the target's own."""
    here = environment()
    embedded = replace(here, target=TargetName.EMBEDDED)
    assert commands.bring_up(embedded, "redis") == "mend what its log says, then run again: pytest -m health"
    attached = replace(embedded, attached=True)
    assert commands.bring_up(attached, "redis") == "pytest-devenv env down && pytest-devenv env up"
    assert (
        commands.bring_up(here, "redis")
        == "start redis at 127.0.0.1:6379, or correct services.redis.url in pyproject.toml"
    )
    assert (
        commands.bring_up(replace(here, target=TargetName.CLUSTER), "backend")
        == "kubectl --namespace shop-dev describe deployment/backend"
    )
