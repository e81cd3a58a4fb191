"""The commands that remedies name: correct, quoted, and without any password."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.probes import commands
from pytest_devenv.probes.http_refusals import refused
from pytest_devenv.probes.postgres_refusals import refused as postgres_refused
from pytest_devenv.probes.redis_refusals import refused as redis_refused
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


def test_a_password_that_only_the_target_knows_is_asked_of_nobody() -> None:
    """What the embedded target made up is given to the programs of its remedies by the command that knows it."""
    within = "pytest-devenv env exec"
    redis = replace(endpoints()["redis"], password=Secret("hidden-1"), within=within)
    assert commands.redis_cli(redis, "REPLICAOF", "NO", "ONE") == (
        "pytest-devenv env exec -- sh -c 'redis-cli -p \"$REDIS_PORT\" REPLICAOF NO ONE'"
    )
    shop = DatabaseAddress(replace(endpoints()["postgres"], within=within), "shop")
    assert commands.psql(shop, "select 1") == "pytest-devenv env exec --database shop -- psql -c 'select 1'"
    assert commands.psql(shop, "select 1", user="postgres") == (
        "pytest-devenv env exec -- env -u PGPASSWORD psql --dbname shop --username postgres -c 'select 1'"
    )


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
    started = replace(here.settings.services["redis"], start="docker compose up --detach redis")
    known = replace(here, settings=replace(here.settings, services={**here.settings.services, "redis": started}))
    assert commands.bring_up(known, "redis") == "docker compose up --detach redis"
    assert commands.bring_up(replace(known, target=TargetName.EMBEDDED, attached=True), "redis") == commands.ANEW
    assert (
        commands.bring_up(replace(here, target=TargetName.CLUSTER), "backend")
        == "kubectl --namespace shop-dev describe deployment/backend"
    )


@pytest.mark.parametrize(
    ("source", "address", "url"),
    [
        ("environment PYTEST_DEVENV_POSTGRES_URL", "PYTEST_DEVENV_POSTGRES_URL", "PYTEST_DEVENV_POSTGRES_URL"),
        (
            "pyproject.toml:12",
            "services.postgres.url in pyproject.toml:12",
            "services.postgres.url in pyproject.toml:12",
        ),
        (
            "host and port",
            "services.postgres.host or services.postgres.local_port in pyproject.toml:9",
            "services.postgres.url in pyproject.toml",
        ),
    ],
)
def test_what_to_correct_is_where_the_address_came_from(source: str, address: str, url: str) -> None:
    """A variable is named as it is, a key with its line; without a URL these are the keys that stand for it."""
    here = environment()
    sources = {"services.postgres.local_port": "pyproject.toml:9"}
    here = replace(here, settings=replace(here.settings, sources=sources))
    endpoint = replace(here.endpoints["postgres"], source=source)
    assert commands.address_setting(here, endpoint) == address
    assert commands.url_setting(here, endpoint) == url
    at = replace(here, endpoints={"postgres": endpoint})
    assert commands.bring_up(at, "postgres") == f"start postgres at 127.0.0.1:5432, or correct {address}"
    for error, remedy in (
        ("failed to resolve host 'x'", f"correct {address}"),
        ("server does not support SSL, but SSL was required", f"take sslmode=require out of {url}"),
        ('no pg_hba.conf entry for host "x", no encryption', f"add ?sslmode=require to {url}"),
        ("root certificate file x does not exist", f"trust it: export PGSSLROOTCERT=ca.pem; or correct {address}"),
    ):
        assert postgres_refused(at, DatabaseAddress(endpoint, "shop"), Exception(error)).remedy == remedy
    assert redis_refused(at, endpoint, socket.gaierror()).remedy == f"correct {address}"
    assert refused(at, endpoint, "/", socket.gaierror()).remedy == f"correct {address}"


def test_a_port_that_a_variable_gave_is_corrected_there() -> None:
    """Host and port may come from variables too."""
    here = environment()
    sources = {"services.redis.local_port": "environment PYTEST_DEVENV_REDIS_PORT"}
    here = replace(here, settings=replace(here.settings, sources=sources))
    endpoint = replace(here.endpoints["redis"], source="host and port")
    assert commands.address_setting(here, endpoint) == "PYTEST_DEVENV_REDIS_PORT"


def test_a_password_is_corrected_where_it_came_from() -> None:
    """A password of the URL goes before its variable, so that it is the URL that has to be corrected."""
    here = environment()
    endpoint = replace(here.endpoints["postgres"], source="environment PYTEST_DEVENV_POSTGRES_URL")
    assert commands.password_setting(here, endpoint, "shop") == "set SHOP_PASSWORD to the password of shop"
    assert commands.without_password(here, endpoint) == "take the password out of services.postgres in pyproject.toml"
    service = replace(here.settings.services["postgres"], url="postgresql://shop:correct-horse-1@127.0.0.1/shop")
    given = replace(here, settings=replace(here.settings, services={**here.settings.services, "postgres": service}))
    assert commands.password_setting(given, endpoint, "shop") == (
        "correct the password of shop in PYTEST_DEVENV_POSTGRES_URL"
    )
    assert commands.without_password(given, endpoint) == "take the password out of PYTEST_DEVENV_POSTGRES_URL"


def test_a_password_that_the_target_made_comes_back_with_a_start() -> None:
    """Nobody can correct what the embedded target made up and wrote nowhere: it is brought up anew."""
    attached = replace(environment(), target=TargetName.EMBEDDED, attached=True)
    endpoint = attached.endpoints["postgres"]
    wrong = Exception("password authentication failed")
    assert postgres_refused(attached, DatabaseAddress(endpoint, "shop"), wrong).remedy == commands.ANEW
    assert commands.password_setting(attached, attached.endpoints["redis"], "redis") == commands.ANEW
