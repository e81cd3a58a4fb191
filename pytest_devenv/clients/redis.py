"""Connections to Redis and Valkey, each with a deadline and without silent retries."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from pytest_devenv.endpoint import Endpoint

CLIENT_NAME = "pytest-devenv"


@contextmanager
def connected(endpoint: Endpoint, *, deadline_s: float = 5.0) -> Iterator[redis.Redis]:
    """Open a client whose every call ends within `deadline_s` seconds; nothing is sent before the first call.

    Calls raise `redis.RedisError`. The library's own retries are off: they would hide that a server is not there.
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = redis.Redis(
        host=endpoint.host,
        port=endpoint.port,
        db=int(endpoint.path.strip("/") or 0),
        username=endpoint.user,
        password=None if endpoint.password is None else endpoint.password.reveal(),
        ssl=endpoint.tls,
        socket_timeout=deadline_s,
        socket_connect_timeout=deadline_s,
        retry=Retry(NoBackoff(), 0),
        client_name=CLIENT_NAME,
        decode_responses=True,
        protocol=2,
    )
    try:
        yield client
    finally:
        client.close()
