"""Redis: what is said of a server that answers, of one that refuses, and of one that is not there."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.redis import connected
from pytest_devenv.probes.redis import KEY_PREFIX
from pytest_devenv.secret import Secret
from pytest_devenv.settings import PasswordSource, Service, ServiceKind
from pytest_devenv.verdict import State, failed
from tests.integration.probes.samples import environment, local, look
from tests.integration.probes.servers import (
    answering,
    closed_port,
    hanging_up,
    redis_refusing,
    serving,
    silent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from pytest_devenv.endpoint import Endpoint
    from tests.integration.probes.servers import Handler

ANSWERS = "redis.answers[redis]"
STORES = "redis.stores_keys[redis]"
MEMORY = "redis.has_memory[redis]"
EVICTS = "redis.evicts_only_what_expires[redis]"
EXPECTED = "a Redis server that answers PING with PONG"
WRITES = "a Redis server that takes writes"


@pytest.fixture
def admin(redis_server: Endpoint) -> Iterator[redis.Redis]:
    """Give a client that may change the server's configuration, which is put back afterwards."""
    with connected(redis_server) as client:
        names = ("requirepass", "maxmemory", "maxmemory-policy")
        before = {name: str(client.config_get(name)[name]) for name in names}
        yield client
        for name, value in before.items():
            client.config_set(name, value)
        client.config_resetstat()


def cli(endpoint: Endpoint, words: str) -> str:
    """Return the redis-cli line of the server, which has a password."""
    return f"redis-cli -p {endpoint.port} --askpass {words}"


def test_a_server_that_answers_passes(redis_server: Endpoint) -> None:
    """Product, version and latency stand in the summary."""
    verdict = look(environment(redis_server), ANSWERS)
    assert verdict.state is State.PASS
    product = verdict.summary.split()[0]
    assert product in {"Redis", "Valkey"}
    assert verdict.summary == f"{product} {verdict.facts['version']} answers PING"


def test_a_wrong_password_fails(redis_server: Endpoint) -> None:
    """A rejected password names the variable that holds it."""
    wrong = replace(redis_server, password=Secret("not-the-password"))
    service = Service(name="redis", kind=ServiceKind.REDIS, password=PasswordSource(env="CACHE_PASSWORD"))
    assert look(environment(wrong, services=[service]), ANSWERS) == failed(
        "redis rejects the password",
        expected=EXPECTED,
        found="WRONGPASS: wrong password, or no such user",
        where=f"redis on {redis_server.address}",
        remedy="set CACHE_PASSWORD to the password of redis",
    )


def test_a_password_that_is_not_configured_fails(redis_server: Endpoint) -> None:
    """A server that wants a password where none is configured says where to configure it."""
    verdict = look(environment(replace(redis_server, password=None)), ANSWERS)
    assert verdict.summary == "redis wants a password, and none is configured"
    assert verdict.found == "NOAUTH: authentication required"
    assert verdict.remedy == (
        'say where it is found, such as password = { env = "REDIS_PASSWORD" } in services.redis of pyproject.toml; '
        "or give the URL with it as PYTEST_DEVENV_REDIS_URL"
    )


def test_a_password_that_the_server_does_not_know_fails(redis_server: Endpoint, admin: redis.Redis) -> None:
    """A password for a server that has none is told apart from a wrong one."""
    admin.config_set("requirepass", "")
    verdict = look(environment(redis_server), ANSWERS)
    assert verdict.summary == "redis has no password, and one is configured"
    assert verdict.remedy == "take the password out of services.redis in pyproject.toml"


@pytest.mark.parametrize("probe", [ANSWERS, STORES, MEMORY, EVICTS])
def test_every_probe_says_that_the_server_is_not_there(probe: str) -> None:
    """Whichever probe looks, a server that is down is called that, and not something else."""
    with closed_port() as port:
        verdict = look(environment(local("redis", ServiceKind.REDIS, port)), probe)
    assert verdict == failed(
        f"redis refuses connections at 127.0.0.1:{port}",
        expected=EXPECTED,
        found=f"connection refused: nothing listens at 127.0.0.1:{port}",
        where=f"redis on 127.0.0.1:{port}",
        remedy=f"start redis at 127.0.0.1:{port}, or correct services.redis.url in pyproject.toml",
    )


@pytest.mark.parametrize(
    ("handler", "summary", "found", "remedy"),
    [
        (
            silent,
            "redis does not answer at 127.0.0.1:{port}",
            "no answer within 0.3 s",
            "start redis at 127.0.0.1:{port}, or correct services.redis.url in pyproject.toml",
        ),
        (
            hanging_up,
            "redis hangs up at 127.0.0.1:{port}",
            "the connection was closed before Redis answered, as a dead port forward does",
            "start redis at 127.0.0.1:{port}, or correct services.redis.url in pyproject.toml",
        ),
        (
            answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "what answers at 127.0.0.1:{port} is not Redis",
            "an answer in another protocol",
            "pytest -m ports names who holds the port",
        ),
        (
            redis_refusing("LOADING Redis is loading the dataset in memory"),
            "redis is loading its data",
            "LOADING: it answers when its data is in memory",
            "wait, and see how far it is: redis-cli -p {port} INFO persistence",
        ),
        (
            redis_refusing("ERR max number of clients reached"),
            "redis has no free connection",
            "maxclients is used up",
            "end what is forgotten, which this shows: redis-cli -p {port} CLIENT LIST",
        ),
        (
            redis_refusing("ERR out of luck, token=abcdef"),
            "redis answers with an error",
            "ERR out of luck, token=***",
            "redis-cli -p {port} PING",
        ),
    ],
)
def test_a_server_that_does_not_answer_as_asked_fails(handler: Handler, summary: str, found: str, remedy: str) -> None:
    """Each way of not answering has its own words and its own remedy."""
    with serving(handler) as port:
        verdict = look(environment(local("redis", ServiceKind.REDIS, port), deadline_s=0.3), ANSWERS)
    assert verdict == failed(
        summary.format(port=port),
        expected=EXPECTED,
        found=found,
        where=f"redis on 127.0.0.1:{port}",
        remedy=remedy.format(port=port),
    )


def test_a_host_without_an_address_fails() -> None:
    """A name that does not resolve is named, with the setting that holds it."""
    verdict = look(environment(replace(local("redis", ServiceKind.REDIS, 1), host="nowhere.invalid")), ANSWERS)
    assert verdict.summary == "redis is at a host that has no address: nowhere.invalid"
    assert verdict.remedy == "correct services.redis.url in pyproject.toml"


def test_a_server_without_tls_fails_where_tls_was_asked_for(redis_server: Endpoint) -> None:
    """A server that speaks no TLS names the setting that asks for it."""
    verdict = look(environment(replace(redis_server, tls=True), deadline_s=0.3), ANSWERS)
    assert verdict.summary == f"redis does not speak TLS as asked at {redis_server.address}"
    assert verdict.found == "no answer to a TLS handshake within 0.3 s"
    assert verdict.remedy == "write redis:// for rediss:// in services.redis.url in pyproject.toml"


def test_a_key_is_written_read_back_and_removed(redis_server: Endpoint, admin: redis.Redis) -> None:
    """The probe's own key has a TTL, is read back, and is gone afterwards."""
    assert look(environment(redis_server), STORES).summary == "wrote, read back and expires a key"
    assert list(admin.scan_iter(f"{KEY_PREFIX}*")) == []


def test_a_read_only_replica_fails(redis_server: Endpoint, admin: redis.Redis) -> None:
    """A replica that takes no writes is told apart from a server that is broken."""
    with closed_port() as port:
        admin.replicaof("127.0.0.1", str(port))
        try:
            verdict = look(environment(redis_server), STORES)
        finally:
            admin.replicaof("NO", "ONE")
    assert verdict == failed(
        "redis is a read-only replica",
        expected=WRITES,
        found="READONLY: it takes no writes",
        where=f"redis on {redis_server.address}",
        remedy=cli(redis_server, "REPLICAOF NO ONE"),
    )


def test_a_server_that_is_out_of_memory_fails(redis_server: Endpoint, admin: redis.Redis) -> None:
    """A server whose maxmemory is used up takes no writes, and the remedy gives it as much as makes it take them."""
    admin.config_set("maxmemory", "1")
    verdict = look(environment(redis_server), STORES)
    remedy, _, more = str(verdict.remedy).rpartition(" ")
    assert verdict == failed(
        "redis is out of memory",
        expected=WRITES,
        found="OOM: it takes no writes, since maxmemory is used up",
        where=f"redis on {redis_server.address}",
        remedy=f"{remedy} {more}",
    )
    assert remedy == cli(redis_server, "CONFIG SET maxmemory")
    admin.config_set("maxmemory", more)
    assert look(environment(redis_server), STORES).passed
    assert look(environment(redis_server), MEMORY).passed


def test_a_server_that_cannot_save_fails() -> None:
    """A server that refuses writes since it cannot save names the setting that makes it refuse."""
    said = "MISCONF Valkey is configured to save RDB snapshots, but it's currently unable to persist to disk."
    with serving(redis_refusing(said)) as port:
        verdict = look(environment(local("redis", ServiceKind.REDIS, port)), STORES)
    assert verdict.summary == "redis takes no writes, since it cannot save its data"
    assert verdict.found == said
    assert verdict.remedy == f"redis-cli -p {port} CONFIG SET stop-writes-on-bgsave-error no"


def test_a_user_without_the_right_to_write_is_unknown(redis_server: Endpoint, admin: redis.Redis) -> None:
    """Without the right to write nothing can be said but which right is missing."""
    admin.acl_setuser("reader", enabled=True, passwords=["+reader-pass-1"], keys="*", commands=["+ping", "+client"])
    try:
        reader = replace(redis_server, user="reader", password=Secret("reader-pass-1"))
        verdict = look(environment(reader), STORES)
        answers = look(environment(reader), ANSWERS)
    finally:
        admin.acl_deluser("reader")
    assert answers.state is State.PASS
    assert verdict.state is State.UNKNOWN
    assert verdict.summary.startswith("reader may not do this on redis: ")
    assert verdict.remedy == (
        f"redis-cli -p {redis_server.port} --askpass ACL SETUSER reader '~pytest-devenv:*' +@read +@write +info"
    )


def test_a_server_with_room_passes(redis_server: Endpoint, admin: redis.Redis) -> None:
    """Used memory, its limit and the policy stand in the summary."""
    admin.config_set("maxmemory", str(512 * 1024 * 1024))
    verdict = look(environment(redis_server), MEMORY)
    used = int(verdict.facts["used_bytes"] or 0) / 1024 / 1024
    assert verdict.summary == f"{used:.1f} MiB used of 512.0 MiB, noeviction"
    admin.config_set("maxmemory", "0")
    verdict = look(environment(redis_server), MEMORY)
    used = int(verdict.facts["used_bytes"] or 0) / 1024 / 1024
    assert verdict.summary == f"{used:.1f} MiB used, no maxmemory, noeviction"


def test_a_server_that_is_nearly_full_fails(redis_server: Endpoint, admin: redis.Redis) -> None:
    """More than nine tenths of maxmemory fail before writes do, unless the policy makes room."""
    limit = int(admin.info("memory")["used_memory"]) + 1024
    admin.config_set("maxmemory", str(limit))
    verdict = look(environment(redis_server), MEMORY)
    used = int(verdict.facts["used_bytes"] or 0)
    mib = 1024 * 1024
    assert verdict.summary == f"redis has used {used / limit:.0%} of maxmemory"
    assert verdict.found == f"{used / mib:.1f} MiB of {limit / mib:.1f} MiB, policy noeviction"
    assert verdict.remedy == cli(redis_server, f"CONFIG SET maxmemory {ceil(2 * max(used, limit) / mib)}mb")
    admin.config_set("maxmemory-policy", "allkeys-lru")
    assert look(environment(redis_server), MEMORY).passed


def test_evicted_keys_fail_where_lasting_ones_are_evicted(redis_server: Endpoint, admin: redis.Redis) -> None:
    """A policy that evicts keys without a TTL fails once it has evicted any."""
    assert look(environment(redis_server), EVICTS).summary == "policy noeviction, 0 keys evicted"
    admin.config_set("maxmemory-policy", "allkeys-lru")
    assert look(environment(redis_server), EVICTS).summary == "policy allkeys-lru, 0 keys evicted"
    for number in range(50):
        admin.set(f"test:evicted:{number}", "x" * 20_000, ex=60)
    admin.config_set("maxmemory", str(int(admin.info("memory")["used_memory"]) - 200_000))
    admin.set("test:evicted:last", "x", ex=60)
    verdict = look(environment(redis_server), EVICTS)
    evicted = int(verdict.facts["evicted_keys"] or 0)
    assert evicted > 0
    admin.config_set("maxmemory", "0")
    for key in list(admin.scan_iter("test:evicted:*")):
        admin.delete(key)
    assert verdict.summary == f"redis has evicted {evicted} keys, lasting ones among them"
    assert verdict.found == f"policy allkeys-lru, {evicted} keys evicted"
    assert verdict.remedy == (
        f"{cli(redis_server, 'CONFIG SET maxmemory-policy volatile-lru')}; then {cli(redis_server, 'CONFIG RESETSTAT')}"
    )
