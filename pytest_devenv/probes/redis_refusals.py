"""What it means when Redis refuses: a verdict for each of its errors, and for each way of not reaching it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_devenv.probes import commands
from pytest_devenv.probes.redact import redacted
from pytest_devenv.verdict import failed, unknown

if TYPE_CHECKING:
    import redis

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_EXPECTED = "a Redis server that answers PING with PONG"


def refused(environment: Environment, endpoint: Endpoint, error: redis.RedisError) -> Verdict:
    """Return the verdict on a call that Redis did not answer as asked."""
    return _unreached(environment, endpoint, error) or _said(environment, endpoint, error)


def where(endpoint: Endpoint) -> str:
    """Return where a Redis server is, as messages say it."""
    user = "" if endpoint.user is None else f" as {endpoint.user}"
    return f"redis on {endpoint.address}{user}"


def _unreached(environment: Environment, endpoint: Endpoint, error: redis.RedisError) -> Verdict | None:
    """Return the verdict on a server that was not reached, or None where it was."""
    import redis

    name, at = endpoint.service, endpoint.address
    deadline_s = environment.settings.deadline_s
    cause = error.__cause__ or error.__context__
    up = commands.bring_up(environment, name)
    setting = f"services.{name}.url in {environment.settings.file.name}"
    if isinstance(cause, ConnectionRefusedError):
        found = (f"{name} refuses connections at {at}", f"connection refused: nothing listens at {at}", up)
    elif isinstance(cause, socket.gaierror):
        summary = f"{name} is at a host that has no address: {endpoint.host}"
        found = (summary, f"the name {endpoint.host} does not resolve", f"correct {setting}")
    elif isinstance(cause, ssl.SSLError):
        summary = f"{name} does not speak TLS as asked at {at}"
        found = (summary, f"TLS error: {cause.reason or cause}", f"write redis:// for rediss:// in {setting}")
    elif isinstance(error, redis.TimeoutError) and endpoint.tls and "connecting" in str(error):
        summary = f"{name} does not speak TLS as asked at {at}"
        seen = f"no answer to a TLS handshake within {deadline_s:g} s"
        found = (summary, seen, f"write redis:// for rediss:// in {setting}")
    elif isinstance(error, redis.TimeoutError):
        found = (f"{name} does not answer at {at}", f"no answer within {deadline_s:g} s", up)
    elif isinstance(error, redis.exceptions.InvalidResponse):
        summary = f"what answers at {at} is not Redis"
        found = (summary, "an answer in another protocol", "pytest -m ports names who holds the port")
    elif isinstance(cause, ConnectionResetError) or "closed by server" in str(error):
        summary = f"{name} hangs up at {at}"
        found = (summary, "the connection was closed before Redis answered, as a dead port forward does", up)
    else:
        return None
    return failed(found[0], expected=_EXPECTED, found=found[1], where=where(endpoint), remedy=found[2])


def _said(environment: Environment, endpoint: Endpoint, error: redis.RedisError) -> Verdict:
    """Return the verdict on what the server said."""
    import redis

    name = endpoint.service
    said = redacted(str(error), environment).strip()
    if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthenticationWrongNumberOfArgsError):
        return _authentication(environment, endpoint, said)
    if isinstance(error, redis.exceptions.NoPermissionError):
        return unknown(
            f"{endpoint.user or 'the default user'} may not do this on {name}: {said}",
            where=where(endpoint),
            remedy=commands.redis_cli(
                replace(endpoint, user=None),
                "ACL",
                "SETUSER",
                endpoint.user or "default",
                "~pytest-devenv:*",
                "+@read",
                "+@write",
                "+info",
            ),
        )
    expected = _EXPECTED
    if isinstance(error, redis.BusyLoadingError):
        summary, found = f"{name} is loading its data", "LOADING: it answers when its data is in memory"
        remedy = f"wait, and see how far it is: {commands.redis_cli(endpoint, 'INFO', 'persistence')}"
    elif isinstance(error, redis.ReadOnlyError):
        summary, found = f"{name} is a read-only replica", "READONLY: it takes no writes"
        remedy, expected = commands.redis_cli(endpoint, "REPLICAOF", "NO", "ONE"), "a Redis server that takes writes"
    elif isinstance(error, redis.OutOfMemoryError):
        summary, found = f"{name} is out of memory", "OOM: it takes no writes, since maxmemory is used up"
        remedy, expected = commands.redis_cli(endpoint, "MEMORY", "DOCTOR"), "a Redis server that takes writes"
    elif said.startswith("MISCONF"):
        summary, found = f"{name} takes no writes, since it cannot save its data", said
        remedy = commands.redis_cli(endpoint, "CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        expected = "a Redis server that takes writes"
    elif "max number of clients" in said:
        summary, found = f"{name} has no free connection", "maxclients is used up"
        remedy = f"end what is forgotten, which this shows: {commands.redis_cli(endpoint, 'CLIENT', 'LIST')}"
    else:
        summary, found = f"{name} answers with an error", said
        remedy = commands.redis_cli(endpoint, "PING")
    return failed(summary, expected=expected, found=found, where=where(endpoint), remedy=remedy)


def _authentication(environment: Environment, endpoint: Endpoint, said: str) -> Verdict:
    name, file = endpoint.service, environment.settings.file.name
    source = environment.settings.services[name].password
    place = f"say in services.{name}.password in {file} where the password is found"
    if source is not None and source.env is not None:
        place = f"set {source.env} to the password of {name}"
    elif source is not None and source.secret is not None:
        place = f"correct the key {source.key} of the Secret {source.secret}"
    if "without any password configured" in said:
        summary, found = f"{name} has no password, and one is configured", "the server knows no password"
        place = f"take the password out of services.{name} in {file}"
    elif endpoint.password is None:
        summary, found = f"{name} wants a password, and none is configured", "NOAUTH: authentication required"
    else:
        summary, found = f"{name} rejects the password", "WRONGPASS: wrong password, or no such user"
    return failed(summary, expected=_EXPECTED, found=found, where=where(endpoint), remedy=place)
