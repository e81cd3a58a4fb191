"""Whether a Redis server answers, keeps what is written to it, and has room for more."""

from __future__ import annotations

import math
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.clients.redis import ForeignReplyError, ReplyError, conversation
from pytest_devenv.probes import commands
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.root import root, root_id
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_devenv.clients.redis import Conversation
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
            stores = probe_id("redis.stores_keys", service.name)
            for name, look, after in (
                ("redis.stores_keys", _stores_keys, ()),
                ("redis.has_memory", _has_memory, (stores,)),  # one that is full to the last takes no keys
                ("redis.evicts_only_what_expires", _evicts_only_what_expires, ()),
            ):
                looked = partial(look, service)
                yield Probe(name=name, subject=service.name, look=looked, requires=(root_id(service),), after=after)


def _asked(
    service: Service, environment: Environment, question: Callable[[Conversation, Endpoint], Verdict]
) -> Verdict:
    endpoint = environment.endpoints[service.name]
    try:
        with conversation(endpoint, deadline_s=environment.settings.deadline_s) as talk:
            return question(talk, endpoint)
    except (OSError, ReplyError, ForeignReplyError) as error:
        from pytest_devenv.probes.redis_refusals import refused

        return refused(environment, endpoint, error)


def _answers(service: Service, environment: Environment) -> Verdict:
    def question(talk: Conversation, _: Endpoint) -> Verdict:
        began = time.perf_counter()
        talk.ask("PING")
        latency_ms = (time.perf_counter() - began) * 1000
        try:
            about = _info(talk, "server")
        except ReplyError:  # it answers, and may keep to itself what it is
            about = {}
        product = about.get("server_name", "redis").capitalize()
        version = about.get(f"{product.lower()}_version", "")
        name = f"{product} {version}".strip()
        return passed(f"{name} answers PING", latency_ms=latency_ms, version=version or None)

    return _asked(service, environment, question)


def _stores_keys(service: Service, environment: Environment) -> Verdict:
    def question(talk: Conversation, endpoint: Endpoint) -> Verdict:
        key, value = KEY_PREFIX + secrets.token_hex(8), secrets.token_hex(8)
        try:
            talk.ask("SET", key, value, "EX", str(KEY_TTL_S))
        except ReplyError as error:
            if error.code != "OOM":
                raise
            return failed(
                f"{service.name} is out of memory",
                expected="a Redis server that takes writes",
                found="OOM: it takes no writes, since maxmemory is used up",
                where=commands.redis_where(endpoint),
                remedy=_more_memory(endpoint, _info(talk, "memory")),
            )
        try:
            found, ttl_s = talk.ask("GET", key), talk.ask("TTL", key)
        finally:
            talk.ask("DEL", key)
        if found == value and isinstance(ttl_s, int) and 0 < ttl_s <= KEY_TTL_S:
            return passed("wrote, read back and expires a key")
        seen = f"the value {'as written' if found == value else 'gone or changed'}, a TTL of {ttl_s} s"
        return failed(
            f"{service.name} does not keep what is written to it",
            expected=f"the value that was written, with a TTL of {KEY_TTL_S} s",
            found=seen,
            where=f"{commands.redis_where(endpoint)}, key {key}",
            remedy=f"see whether memory is short: {commands.redis_cli(endpoint, 'INFO', 'memory')}",
        )

    return _asked(service, environment, question)


def _has_memory(service: Service, environment: Environment) -> Verdict:
    def question(talk: Conversation, endpoint: Endpoint) -> Verdict:
        memory = _info(talk, "memory")
        used, limit, policy = int(memory["used_memory"]), int(memory["maxmemory"]), memory["maxmemory_policy"]
        machine = int(memory.get("total_system_memory", 0))
        most, name = (limit, "maxmemory") if limit else (machine, "the machine's memory")
        makes_room = limit and policy.startswith("allkeys-")
        if not most or used < MOST_USED_SHARE * most or makes_room:
            of = f" of {limit / _MIB:.1f} MiB" if limit else ", no maxmemory"
            return passed(
                f"{used / _MIB:.1f} MiB used{of}, {policy}", used_bytes=used, limit_bytes=limit, policy=policy
            )
        return failed(
            f"{service.name} has used {used / most:.0%} of {name}",
            expected=f"less than {MOST_USED_SHARE:.0%} of {name} in use",
            found=f"{used / _MIB:.1f} MiB of {most / _MIB:.1f} MiB, policy {policy}",
            where=commands.redis_where(endpoint),
            remedy=_more_memory(endpoint, memory) if limit else commands.redis_cli(endpoint, "MEMORY", "DOCTOR"),
            used_bytes=used,
            limit_bytes=limit,
            policy=policy,
        )

    return _asked(service, environment, question)


def _evicts_only_what_expires(service: Service, environment: Environment) -> Verdict:
    def question(talk: Conversation, endpoint: Endpoint) -> Verdict:
        policy = _info(talk, "memory")["maxmemory_policy"]
        evicted = int(_info(talk, "stats")["evicted_keys"])
        if evicted == 0 or not policy.startswith("allkeys-"):
            return passed(f"policy {policy}, {evicted} keys evicted", policy=policy, evicted_keys=evicted)
        return failed(
            f"{service.name} has evicted {evicted} keys, lasting ones among them",
            expected="no key without a TTL evicted: policy noeviction or volatile-*",
            found=f"policy {policy}, {evicted} keys evicted",
            where=commands.redis_where(endpoint),
            remedy=commands.redis_cli(endpoint, "CONFIG", "SET", "maxmemory-policy", "volatile-lru")
            + "; then "
            + commands.redis_cli(endpoint, "CONFIG", "RESETSTAT"),
            policy=policy,
            evicted_keys=evicted,
        )

    return _asked(service, environment, question)


def _more_memory(endpoint: Endpoint, memory: dict[str, str]) -> str:
    """Return the command that allows twice as much as is used, or as is allowed where that is more."""
    needed_bytes = max(int(memory["used_memory"]), int(memory["maxmemory"]))
    return commands.redis_cli(endpoint, "CONFIG", "SET", "maxmemory", f"{math.ceil(2 * needed_bytes / _MIB)}mb")


def _info(talk: Conversation, section: str) -> dict[str, str]:
    lines = str(talk.ask("INFO", section)).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
