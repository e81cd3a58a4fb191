"""The credentials of one login, renewed when they run out."""

from __future__ import annotations

import base64
import binascii
import json
import shlex
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes import plugin
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes.access import Access
    from pytest_devenv.clients.kubernetes.plugin import Given

_EARLY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Credential:
    """What goes with one request: its header, and the certificate of its connection with the key, both in PEM."""

    authorization: str | None = None
    certificate: tuple[bytes, bytes] | None = None

    def __repr__(self) -> str:
        return f"Credential(token={self.authorization is not None}, certificate={self.certificate is not None})"


class Credentials:
    """The source of credentials for one access. Threads may share it; a plugin runs once for them all."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._given: Given | None = None
        self._certificate: tuple[bytes, bytes] | None = None
        self._last: str | None = None

    def current(self) -> Credential:
        """Return the credential of this moment. Raises TargetError where a file or a plugin does not give it."""
        login = self._access.login
        certificate, token = self._of_login(), None
        if login.token_file is not None:
            token = self._of_file()
        elif login.token is not None:
            token = login.token.reveal()
        elif login.password is not None:
            return Credential(f"Basic {base64.b64encode(login.password.reveal().encode()).decode()}", certificate)
        elif login.plugin is not None:
            given = self._of_plugin()
            token = given.token
            if given.certificate is not None and given.key is not None:
                certificate = (given.certificate, given.key)
        self._last = token
        return Credential(None if token is None else f"Bearer {token}", certificate)

    def renew(self) -> bool:
        """Forget what the server did not accept; return whether asking again may give something else."""
        with self._lock:
            there = self._given is not None
            self._given = None
        return there

    def renewal(self) -> str:
        """Return how a person gets credentials that are accepted."""
        login, access = self._access.login, self._access
        if access.context is None:
            return "restart the pod: the token of its service account is no longer valid"
        if login.plugin is not None and login.token is None:
            return f"log in again, as {shlex.join([login.plugin.command, *login.plugin.args[:1]])} would have it"
        if login.token_file is not None:
            return f"have {login.token_file} written anew"
        if login.token is not None:
            put = f"kubectl config set-credentials {shlex.quote(login.name)} --token=…"
            return f"put a new token into {access.source}: {put}"
        return f"have the cluster write the user {login.name} anew, in {access.source}"

    def age(self) -> str | None:
        """Return since when the token in use has run out, where it says so itself; None for any other."""
        expires = None if self._last is None else _expiry(self._last)
        if expires is None or expires > datetime.now(UTC):
            return None
        return f"a token that expired at {expires.isoformat(timespec='seconds').replace('+00:00', 'Z')}"

    def _of_file(self) -> str:
        """Read the token at each use: whoever renews it writes it there."""
        file = self._access.login.token_file
        expected = f"a token in {file}"
        try:
            token = "" if file is None else file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self._missing(expected, str(error)) from error
        if not token:
            raise self._missing(expected, "an empty file")
        return token

    def _of_login(self) -> tuple[bytes, bytes] | None:
        login = self._access.login
        if login.certificate is None or login.key is None:
            return None
        with self._lock:
            if self._certificate is None:
                try:
                    self._certificate = (login.certificate.read(), login.key.read())
                except OSError as error:
                    raise self._missing("a client certificate and its key", str(error)) from error
            return self._certificate

    def _of_plugin(self) -> Given:
        login = self._access.login
        with self._lock:
            given = self._given
            if given is None or (given.expires is not None and _past(given.expires)):
                if login.plugin is None:
                    raise self._missing("a plugin that gives credentials", "none")
                given = self._given = plugin.run(login.plugin, self._access)
            return given

    def _missing(self, expected: str, found: str) -> TargetError:
        access = self._access
        msg = (
            f"no credentials for {access.login.name}\n"
            f"  expected: {expected}\n  found: {found}\n  where: {access.source}"
        )
        return TargetError(msg, remedy=self.renewal())


def _past(expires: datetime) -> bool:
    aware = expires if expires.tzinfo is not None else expires.replace(tzinfo=UTC)
    return aware - _EARLY <= datetime.now(UTC)


def _expiry(token: str) -> datetime | None:
    """Return when a JWT says that it ends; no signature is looked at, since only the server can judge one."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004  # header, claims, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
