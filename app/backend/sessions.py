"""Sessions in redis: a token is good only while its session is there, so that logging out is real."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.backend.errors import UnavailableError
from app.backend.links import Link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from redis import Redis

    from app.backend.tokens import Session

_NAME = "redis"
_TIMEOUT_S = 2.0


class Sessions:
    """The sessions that are open, each under a key that expires with its token."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._link: Link[Redis] = Link(_NAME, self._connect)

    def open(self) -> None:
        """Begin to connect, in the background."""
        self._link.open()

    def close(self) -> None:
        """Close what is connected and end what is being tried."""
        client = self._link.close()
        if client is not None:
            client.close()

    def check(self) -> None:
        """Raise UnavailableError unless redis answers now."""
        with self._client() as client:
            client.ping()

    def begin(self, session: Session, lifetime: timedelta) -> None:
        """Open a session that ends by itself after its lifetime."""
        with self._client() as client:
            client.set(_key(session), str(session.user_id), ex=lifetime)

    def is_open(self, session: Session) -> bool:
        """Say whether the session was begun and has neither ended nor expired."""
        with self._client() as client:
            return client.get(_key(session)) == str(session.user_id)

    def end(self, session: Session) -> None:
        """End a session, and with it the token that names it."""
        with self._client() as client:
            client.delete(_key(session))

    @contextmanager
    def _client(self) -> Iterator[Redis]:
        client = self._link.client()
        from redis import RedisError  # the link has imported it by now

        try:
            yield client
        except RedisError as error:
            raise UnavailableError(_NAME, str(error)) from error

    def _connect(self) -> Redis:
        from redis import Redis, RedisError  # imported while the process already answers
        from redis.backoff import ExponentialWithJitterBackoff
        from redis.retry import Retry

        client = Redis.from_url(
            self._url,
            decode_responses=True,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 2),
        )
        try:
            client.ping()
        except RedisError as error:
            raise UnavailableError(_NAME, str(error)) from error
        return client


def _key(session: Session) -> str:
    return f"kiro:session:{session.id}"
