"""What it means when PostgreSQL refuses a connection: libpq gives no SQLSTATE then, so its text is read."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.probes import commands
from pytest_devenv.probes.redact import redacted
from pytest_devenv.settings import TargetName
from pytest_devenv.verdict import failed, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


@dataclass(frozen=True, slots=True)
class _Attempt:
    environment: Environment
    address: DatabaseAddress
    text: str

    @property
    def service(self) -> str:
        return self.address.endpoint.service

    @property
    def at(self) -> str:
        return self.address.endpoint.address

    @property
    def user(self) -> str:
        return self.address.endpoint.user or "the default user"

    @property
    def tls_mode(self) -> str:
        return self.address.endpoint.tls_mode or "require"

    def failed(self, summary: str, found: str, remedy: str, *, expected: str | None = None) -> Verdict:
        return failed(
            summary,
            expected=expected or f"PostgreSQL that accepts queries as {self.user}",
            found=found,
            where=str(self.address),
            remedy=remedy,
        )

    def password_setting(self) -> str:
        return commands.password_setting(self.environment, self.address.endpoint, self.user)

    def setting(self) -> str:
        return commands.address_setting(self.environment, self.address.endpoint)

    def bring_up(self) -> str:
        up = commands.bring_up(self.environment, self.service)
        return commands.unless_stranger(self.environment, self.address.endpoint, up)

    def as_admin(self, sql: str) -> str:
        admin = DatabaseAddress(self.address.endpoint, "postgres")
        return commands.psql(admin, sql, user="postgres")


def refused(environment: Environment, address: DatabaseAddress, error: Exception) -> Verdict:
    """Return the verdict on a connection that could not be made."""
    attempt = _Attempt(environment, address, str(error))
    for pattern, meaning in _MEANINGS:
        if pattern.search(attempt.text):
            return meaning(attempt)
    return attempt.failed(
        f"{attempt.service} refuses the connection",
        redacted(" ".join(attempt.text.split()), environment),
        commands.psql(address),
    )


def is_about_database(error: Exception) -> bool:
    """Return whether the server let the user in, but has no such database (3D000) or keeps it closed (42501)."""
    return any(pattern.search(str(error)) for pattern in (_MISSING_DATABASE, _CLOSED_DATABASE))


def _password_missing(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} wants a password for {attempt.user}, and none is configured",
        f"no password for {attempt.user}",
        attempt.password_setting(),
    )


def _password_wrong(attempt: _Attempt) -> Verdict:
    remedy = attempt.password_setting()
    if attempt.environment.target is not TargetName.EMBEDDED:
        give = attempt.as_admin(f"\\password {attempt.user}")
        remedy += f"; or give the role that password: {give}"
    return attempt.failed(
        f"{attempt.service} rejects the password of {attempt.user}",
        f"password authentication failed for user {attempt.user} (28P01): a wrong password, or no such role",
        remedy,
    )


def _role_missing(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} has no role {attempt.user}",
        f"role {attempt.user} does not exist (28000)",
        attempt.as_admin(f'create role "{attempt.user}" login'),
    )


def _tls_required(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} wants TLS",
        f"pg_hba.conf lets {attempt.user} in only with TLS (28000)",
        f"add ?sslmode=require to {commands.url_setting(attempt.environment, attempt.address.endpoint)}",
    )


def _not_trusted(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} has a certificate that is not trusted",
        f"TLS error, with sslmode={attempt.tls_mode}: {' '.join(attempt.text.split()).rpartition(': ')[2]}",
        f"trust it: export PGSSLROOTCERT=ca.pem; or correct {attempt.setting()}",
        expected="PostgreSQL with a certificate that can be verified",
    )


def _service_unknown(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} was not asked: the variable PGSERVICE names a service that no file describes",
        redacted(" ".join(attempt.text.split()), attempt.environment),
        "unset PGSERVICE",
    )


def _not_in_hba(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} lets nobody in from here as {attempt.user}",
        f"no entry of pg_hba.conf is for {attempt.user}, database {attempt.address.database} and this host (28000)",
        f"add to pg_hba.conf, where {attempt.as_admin('show hba_file')} says it is: "
        f"host {attempt.address.database} {attempt.user} samehost scram-sha-256",
    )


def _tls_not_offered(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} does not offer TLS",
        "the server does not support TLS, and the settings ask for it",
        f"take sslmode={attempt.tls_mode} out of {commands.url_setting(attempt.environment, attempt.address.endpoint)}",
        expected="PostgreSQL that speaks TLS",
    )


def _database_missing(attempt: _Attempt) -> Verdict:
    database = attempt.address.database
    endpoint = attempt.address.endpoint
    words = ["createdb", "--host", endpoint.host, "--port", str(endpoint.port)]
    words += [] if endpoint.user is None else ["--username", endpoint.user]
    described = database in attempt.environment.settings.databases
    return attempt.failed(
        f"{attempt.service} has no database {database}",
        f"database {database} does not exist (3D000)",
        commands.setup(database) if described else shlex.join([*words, database]),
        expected=f"a database {database}",
    )


def _database_closed(attempt: _Attempt) -> Verdict:
    database = attempt.address.database
    return unknown(
        f"{attempt.user} may not connect to database {database} (42501)",
        where=str(attempt.address),
        remedy=attempt.as_admin(f'grant connect on database "{database}" to "{attempt.user}"'),
    )


def _full(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} has no free connection",
        "too many connections (53300)",
        f"see who holds them, and end what is forgotten: {attempt.as_admin(commands.WHO_IS_CONNECTED)}",
        expected="a free connection",
    )


def _starting(attempt: _Attempt) -> Verdict:
    said = re.search(r"the database system is [a-z ]+", attempt.text)
    found = "the database system is starting up" if said is None else said.group().strip()
    endpoint = attempt.address.endpoint
    return attempt.failed(
        f"{attempt.service} does not accept connections yet",
        f"{found} (57P03)",
        f"wait for it: pg_isready --host {endpoint.host} --port {endpoint.port} --timeout 30",
    )


def _not_postgres(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"what answers at {attempt.at} is not PostgreSQL",
        "an answer in another protocol",
        "pytest -m ports names who holds the port",
    )


def _hangs_up(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} hangs up at {attempt.at}",
        "the connection was closed before PostgreSQL answered, as a dead port forward does",
        attempt.bring_up(),
    )


def _nothing_listens(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} refuses connections at {attempt.at}",
        f"connection refused: nothing listens at {attempt.at}",
        commands.bring_up(attempt.environment, attempt.service),
    )


def _silent(attempt: _Attempt) -> Verdict:
    return attempt.failed(
        f"{attempt.service} does not answer at {attempt.at}",
        f"no answer within {attempt.environment.settings.deadline_s:g} s",
        attempt.bring_up(),
    )


def _nameless(attempt: _Attempt) -> Verdict:
    host = attempt.address.endpoint.host
    return attempt.failed(
        f"{attempt.service} is at a host that has no address: {host}",
        f"the name {host} does not resolve",
        f"correct {attempt.setting()}",
    )


def _pattern(*texts: str) -> re.Pattern[str]:
    return re.compile("|".join(texts), re.IGNORECASE)


_MISSING_DATABASE = _pattern(r'database ".*" does not exist')
_CLOSED_DATABASE = _pattern(r'permission denied for database "')

# A name with several addresses gives several texts at once: what a server said comes before what the network said.
_MEANINGS: tuple[tuple[re.Pattern[str], Callable[[_Attempt], Verdict]], ...] = (
    (_pattern(r"password authentication failed"), _password_wrong),
    (_pattern(r"no password supplied"), _password_missing),
    (_MISSING_DATABASE, _database_missing),
    (_CLOSED_DATABASE, _database_closed),
    (_pattern(r'role ".*" does not exist'), _role_missing),
    (_pattern(r"definition of service .* not found", r"service file .* not found"), _service_unknown),
    (_pattern(r"root certificate file", r"certificate verify failed", r"server certificate for"), _not_trusted),
    (_pattern(r"no pg_hba\.conf entry.*(no encryption|SSL off)"), _tls_required),
    (_pattern(r"no pg_hba\.conf entry", r"pg_hba\.conf rejects"), _not_in_hba),
    (_pattern(r"does not support SSL, but SSL was required"), _tls_not_offered),
    (_pattern(r"too many (clients|connections)", r"remaining connection slots"), _full),
    (_pattern(r"the database system is (starting up|shutting down|in recovery|not (yet )?accepting)"), _starting),
    (_pattern(r"invalid response to SSL negotiation", r"expected authentication request"), _not_postgres),
    (_pattern(r"server closed the connection", r"connection reset"), _hangs_up),
    (_pattern(r"connection refused"), _nothing_listens),
    (_pattern(r"timeout expired", r"timed out"), _silent),
    (_pattern(r"failed to resolve host", r"could not translate host name"), _nameless),
)
