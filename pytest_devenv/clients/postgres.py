"""Connections to PostgreSQL, each with a deadline and none that prints its password."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import DevenvError, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.secret import Secret

APPLICATION_NAME = "pytest-devenv"


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """One database on one server."""

    endpoint: Endpoint
    database: str

    def url(self) -> Secret:
        """Return the `postgresql://` URL with its credentials."""
        return self.endpoint.url(self.database)

    def __str__(self) -> str:
        user = "" if self.endpoint.user is None else f" as {self.endpoint.user}"
        return f"database {self.database} on {self.endpoint.address}{user}"


def connect(
    address: DatabaseAddress,
    *,
    deadline_s: float = 5.0,
    autocommit: bool = True,
    statement_timeout_s: float | None = None,
    application_name: str = APPLICATION_NAME,
) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection within `deadline_s` seconds, to this address whatever PGHOSTADDR, PGSERVICE or PGOPTIONS say.

    `statement_timeout_s` makes the server end any statement that runs longer. Raises `psycopg.OperationalError`.
    """
    import psycopg

    endpoint = address.endpoint
    options = [] if statement_timeout_s is None else [f"-c statement_timeout={round(statement_timeout_s * 1000)}"]
    return psycopg.connect(
        host=endpoint.host,
        hostaddr="",  # what is given, and be it empty, goes before both the environment and a service file
        port=endpoint.port,
        user=endpoint.user,
        password=None if endpoint.password is None else endpoint.password.reveal(),
        dbname=address.database,
        connect_timeout=max(2, round(deadline_s)),
        application_name=application_name,
        options=" ".join(options),
        sslmode=endpoint.tls_mode or ("require" if endpoint.tls else "prefer"),
        autocommit=autocommit,
    )


@contextmanager
def opened(
    address: DatabaseAddress, *, deadline_s: float, failure: type[DevenvError]
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Open a connection, and close it. Raises `failure` where there is none to be had."""
    import psycopg

    try:
        connection = connect(address, deadline_s=deadline_s)
    except psycopg.OperationalError as error:
        message = explain(
            f"cannot connect to {address.database}",
            expected=f"a server that accepts the connection within {deadline_s:g} s",
            found=" ".join(str(error).split()),
            where=str(address),
        )
        line = f"psql -h {address.endpoint.host} -p {address.endpoint.port} -d {address.database}"
        if address.endpoint.anew is not None:
            line = f"{address.endpoint.anew} --database {address.database} -- psql"
        remedy = f"see what is wrong: {line}"
        raise failure(message, remedy=remedy) from error
    with connection:
        yield connection
