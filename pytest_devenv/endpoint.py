"""The address at which this run really reaches a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_devenv.secret import Secret

if TYPE_CHECKING:
    from pytest_devenv.settings import ServiceKind

_SCHEMES = {"postgres": "postgresql", "redis": "redis", "http": "http"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service answers. `source` says how this address came to be known.

    `tls_mode` is PostgreSQL's `sslmode`, where one was asked for. `anew` is there where the address ends with this
    run: the beginning of a command that runs a program with another one in its environment. `within` is there where
    nobody but the target knows the password: the same, with this one, of the same target later on.
    """

    service: str
    kind: ServiceKind
    host: str
    port: int
    user: str | None = None
    password: Secret | None = None
    tls: bool = False
    tls_mode: str | None = None
    path: str = ""
    source: str = ""
    anew: str | None = None
    within: str | None = None

    @property
    def address(self) -> str:
        """Host and port as people write them, without any credential."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def scheme(self) -> str:
        """The URL scheme of this kind of service."""
        scheme = _SCHEMES[self.kind.value]
        if not self.tls:
            return scheme
        return {"redis": "rediss", "http": "https"}.get(scheme, scheme)

    @property
    def base_url(self) -> str:
        """The URL without credentials, for messages and for HTTP requests."""
        return f"{self.scheme}://{self.address}{self.path}"

    def url(self, database: str | None = None) -> Secret:
        """Return the whole URL with its credentials; `database` names one of the server's databases."""
        login = ""
        if self.user is not None or self.password is not None:
            user = "" if self.user is None else quote(self.user, safe="")
            password = "" if self.password is None else ":" + quote(self.password.reveal(), safe="")
            login = f"{user}{password}@"
        path = self.path if database is None else "/" + quote(database, safe="")
        query = "" if self.tls_mode is None else f"?sslmode={self.tls_mode}"
        return Secret(f"{self.scheme}://{login}{self.address}{path}{query}")
