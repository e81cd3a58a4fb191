"""Whether a Redis server answers, keeps what is written to it, and has room for more."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.redis import connected
from pytest_devenv.probes import commands
from pytest_devenv.probes.probe import Probe
from pytest_devenv.probes.redis_refusals import refused, where
from pytest_devenv.probes.root import root, root_id
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

KEY_PREFIX = "pytest-devenv:health:"
KEY_TTL_S = 10
MOST_USED_SHARE = 0.9
_MIB = 1024 * 1024


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of every Redis service."""
    for service in settings.services.values():
        if service.kind is ServiceKind.REDIS:
            yield root(settings, service, partial(_answers, service))
            for name, look in (
                ("redis.stores_keys", _stores_keys),
                ("redis.has_memory", _has_memory),
                ("redis.evicts_only_what_expires", _evicts_only_what_expires),
            ):
                looked = partial(look, service)
                yield Probe(name=name, subject=service.name, look=looked, requires=(root_id(service),))


def _asked(service: Service, environment: Environment, question: Callable[[redis.Redis, Endpoint], Verdict]) -> Verdict:
    import redis

    endpoint = environment.endpoints[service.name]
    try:
        with connected(endpoint, deadline_s=environment.settings.deadline_s) as client:
            return question(client, endpoint)
    except redis.RedisError as error:
        return refused(environment, endpoint, error)


def _answers(service: Service, environment: Environment) -> Verdict:
    import redis

    def question(client: redis.Redis, _: Endpoint) -> Verdict:
        began = time.perf_counter()
        client.ping()
        latency_ms = (time.perf_counter() - began) * 1000
        try:
            about = _info(client, "server")
        except redis.exceptions.NoPermissionError:
            about = {}
        product = str(about.get("server_name", "redis")).capitalize()
        version = str(about.get(f"{product.lower()}_version", ""))
        name = f"{product} {version}".strip()
        return passed(f"{name} · {latency_ms:.0f} ms", latency_ms=latency_ms, version=version or None)

    return _asked(service, environment, question)


def _stores_keys(service: Service, environment: Environment) -> Verdict:
    def question(client: redis.Redis, endpoint: Endpoint) -> Verdict:
        key, value = KEY_PREFIX + secrets.token_hex(8), secrets.token_hex(8)
        client.set(key, value, ex=KEY_TTL_S)
        try:
            found, ttl_s = client.get(key), int(str(client.ttl(key)))
        finally:
            client.delete(key)
        if found == value and 0 < ttl_s <= KEY_TTL_S:
            return passed("wrote, read back and expires a key")
        seen = f"the value {'as written' if found == value else 'gone or changed'}, a TTL of {ttl_s} s"
        return failed(
            f"{service.name} does not keep what is written to it",
            expected=f"the value that was written, with a TTL of {KEY_TTL_S} s",
            found=seen,
            where=f"{where(endpoint)}, key {key}",
            remedy=f"see whether memory is short: {commands.redis_cli(endpoint, 'INFO', 'memory')}",
        )

    return _asked(service, environment, question)


def _has_memory(service: Service, environment: Environment) -> Verdict:
    def question(client: redis.Redis, endpoint: Endpoint) -> Verdict:
        memory = _info(client, "memory")
        used, limit, policy = memory["used_memory"], memory["maxmemory"], memory["maxmemory_policy"]
        most, name = (limit, "maxmemory") if limit else (memory.get("total_system_memory", 0), "the machine's memory")
        facts = {"used_bytes": used, "limit_bytes": limit, "policy": policy}
        makes_room = limit and policy.startswith("allkeys-")
        if not most or used < MOST_USED_SHARE * most or makes_room:
            of = f" of {limit / _MIB:.1f} MiB" if limit else ", no maxmemory"
            return passed(f"{used / _MIB:.1f} MiB used{of}, {policy}", **facts)
        return failed(
            f"{service.name} has used {used / most:.0%} of {name}",
            expected=f"less than {MOST_USED_SHARE:.0%} of {name} in use",
            found=f"{used / _MIB:.1f} MiB of {most / _MIB:.1f} MiB, policy {policy}",
            where=where(endpoint),
            remedy=commands.redis_cli(endpoint, "CONFIG", "SET", "maxmemory", f"{max(1, round(2 * most / _MIB))}mb")
            if limit
            else commands.redis_cli(endpoint, "MEMORY", "DOCTOR"),
            **facts,
        )

    return _asked(service, environment, question)


def _evicts_only_what_expires(service: Service, environment: Environment) -> Verdict:
    def question(client: redis.Redis, endpoint: Endpoint) -> Verdict:
        policy = _info(client, "memory")["maxmemory_policy"]
        evicted = _info(client, "stats")["evicted_keys"]
        facts = {"policy": policy, "evicted_keys": evicted}
        if evicted == 0 or not policy.startswith("allkeys-"):
            return passed(f"policy {policy}, {evicted} keys evicted", **facts)
        return failed(
            f"{service.name} has evicted {evicted} keys, lasting ones among them",
            expected="no key without a TTL evicted: policy noeviction or volatile-*",
            found=f"policy {policy}, {evicted} keys evicted",
            where=where(endpoint),
            remedy=commands.redis_cli(endpoint, "CONFIG", "SET", "maxmemory-policy", "volatile-lru")
            + "; then "
            + commands.redis_cli(endpoint, "CONFIG", "RESETSTAT"),
            **facts,
        )

    return _asked(service, environment, question)


def _info(client: redis.Redis, section: str) -> dict[str, Any]:
    return dict(client.info(section))
