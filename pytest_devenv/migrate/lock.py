"""One migrator at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.clients.advisory import locked
from pytest_devenv.errors import LockedError, explain

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


def held(connection: Connection, key: int, *, timeout_s: float, where: str) -> AbstractContextManager[None]:
    """Hold the migrators' lock `key`. Raises LockedError, naming the holder, after `timeout_s` seconds."""

    def refusal(holder: str) -> LockedError:
        message = explain(
            "another migrator is at work",
            expected=f"the migrators' lock {key} free within {timeout_s:g} s",
            found=f"it is held by {holder}",
            where=where,
        )
        return LockedError(message, remedy="wait for it to end, or end it: SELECT pg_terminate_backend(pid)")

    return locked(connection, key, timeout_s=timeout_s, refusal=refusal)
