"""What a run says of a Redis that is not as it should be."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.redis import connected
from pytest_devenv.targets.embedded.ports import reserved_port
from tests.faults.probes import HEALTH, REDIS, SITES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.endpoint import Endpoint
    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)

ANSWERS = "redis.answers[redis]"


def test_redis_that_is_down_is_one_failure(shop_at: Shop) -> None:
    """A closed port fails redis alone; backend and frontend are blocked by it, and PostgreSQL is not."""
    with reserved_port() as port:
        run = shop_at.given_too(PYTEST_DEVENV_REDIS_URL=f"redis://127.0.0.1:{port}").run()
    verdict = run.only_root(ANSWERS)
    assert run.passed == HEALTH - REDIS - SITES
    assert verdict["found"] == f"connection refused: nothing listens at 127.0.0.1:{port}"
    assert f"start redis at 127.0.0.1:{port}" in verdict["remedy"]
    assert run.took_s < 40


def test_redis_that_wants_a_password_is_one_failure(shop_at: Shop) -> None:
    """Without the password that it wants, redis fails, and the remedy names the variable to set."""
    without = {key: value for key, value in shop_at.given.items() if key != "SHOP_REDIS_PASSWORD"}
    run = replace(shop_at, given=without).run()
    verdict = run.only_root(ANSWERS)
    assert run.passed == HEALTH - REDIS - SITES
    assert verdict["found"] == "NOAUTH: authentication required"
    assert "SHOP_REDIS_PASSWORD" in verdict["remedy"]


def test_a_wrong_redis_password_is_one_failure_and_is_not_told(shop_at: Shop) -> None:
    """A rejected password fails redis, and stands in no output."""
    wrong = "wr0ng-pw-0f-redis"
    run = shop_at.given_too(SHOP_REDIS_PASSWORD=wrong).run()
    verdict = run.only_root(ANSWERS)
    assert "WRONGPASS" in verdict["found"]
    assert verdict["remedy"] == "set SHOP_REDIS_PASSWORD to the password of redis"
    assert wrong not in run.output + run.junit + str(run.report)


def test_a_read_only_replica_is_one_failure(shop_at: Shop, replica: Endpoint) -> None:
    """A replica answers, and fails where a key has to be stored, with the command that makes it a server again."""
    run = shop_at.run()
    verdict = run.only_root("redis.stores_keys[redis]")
    assert run.passed == HEALTH - {"redis.stores_keys[redis]", "redis.has_memory[redis]"}
    assert verdict["found"] == "READONLY: it takes no writes"
    assert verdict["remedy"].endswith("REPLICAOF NO ONE")
    assert str(replica.port) in verdict["remedy"]


def test_a_redis_that_is_full_to_the_last_is_one_failure(shop_at: Shop, full: Endpoint) -> None:
    """What takes no keys for want of memory fails once, with the command that gives it more."""
    verdict = shop_at.run().only_root("redis.stores_keys[redis]")
    assert verdict["found"].startswith("OOM")
    assert f"-p {full.port} --askpass CONFIG SET maxmemory" in verdict["remedy"]


@pytest.fixture
def full(redis_server: Endpoint) -> Iterator[Endpoint]:
    """Take all memory that is free from the session's redis."""
    with connected(redis_server, deadline_s=30) as client:
        client.config_set("maxmemory", "1")
        yield redis_server
        client.config_set("maxmemory", "0")


@pytest.fixture
def replica(redis_server: Endpoint) -> Iterator[Endpoint]:
    """Make the session's redis the replica of a server that is not there."""
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(reserved_port())
        client = stack.enter_context(connected(redis_server, deadline_s=5))
        client.replicaof("127.0.0.1", str(port))
        yield redis_server
        client.replicaof("NO", "ONE")
