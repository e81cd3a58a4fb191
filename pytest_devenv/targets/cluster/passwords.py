"""The passwords of a cluster's services: from the environment, else from the Secrets that the settings name."""

from __future__ import annotations

import base64
import binascii
import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_devenv.clients.kubernetes.errors import ApiError, said
from pytest_devenv.errors import TargetError
from pytest_devenv.secret import Secret
from pytest_devenv.verdict import failed, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.kubernetes.api import Api
    from pytest_devenv.settings import PasswordSource, Service, Settings
    from pytest_devenv.verdict import Verdict


@dataclass(slots=True)
class Found:
    """The passwords by service, and for each that was not found the verdict on the service."""

    passwords: dict[str, Secret] = field(default_factory=dict)
    faults: dict[str, Verdict] = field(default_factory=dict)


def found(settings: Settings, api: Api, namespace: str, *, environ: Mapping[str, str] = os.environ) -> Found:
    """Return the password of each service that has one; each Secret is read once.

    Who may not read a Secret, or cannot, does not know the service's state: that is `unknown`, with the right that is
    missing and the variable that would do. A Secret or a key that is not there is a failure.
    """
    result = Found()
    secrets: dict[str, dict[str, Any] | TargetError] = {}
    for service in settings.services.values():
        source = service.password
        if source is None:
            continue
        if source.env is not None and source.env in environ:
            result.passwords[service.name] = Secret(environ[source.env])
        elif source.secret is not None and source.key is not None:
            if source.secret not in secrets:
                secrets[source.secret] = _read(api, namespace, source.secret)
            _take(result, service, source, secrets[source.secret], _Place(api, namespace))
    return result


@dataclass(frozen=True, slots=True)
class _Place:
    api: Api
    namespace: str

    def kubectl(self, *words: str) -> str:
        return f"{self.api.access.kubectl} {shlex.join(['--namespace', self.namespace, *words])}"

    def __str__(self) -> str:
        return f"namespace {self.namespace}, {said(self.api.access.context)}"


def _read(api: Api, namespace: str, secret: str) -> dict[str, Any] | TargetError:
    try:
        return api.get(f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets/{quote(secret, safe='')}")
    except TargetError as error:
        return error


def _take(
    result: Found, service: Service, source: PasswordSource, secret: dict[str, Any] | TargetError, place: _Place
) -> None:
    """Take a password out of its Secret, or note what keeps us from it."""
    if isinstance(secret, TargetError):
        result.faults[service.name] = _unread(service, source, secret, place)
        return
    text = (secret.get("data") or {}).get(source.key)
    try:
        password = None if text is None else base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        password = None
    if password is None:
        keys = ", ".join(secret.get("data") or ()) or "none"
        result.faults[service.name] = failed(
            f"the password of {service.name} is not in the Secret {source.secret}",
            expected=f"the key {source.key} in the Secret {source.secret}",
            found=f"the keys {keys}",
            where=str(place),
            remedy=f"deploy the Secret with that key, then see: {place.kubectl('describe', f'secret/{source.secret}')}",
        )
    else:
        result.passwords[service.name] = Secret(password)


def _unread(service: Service, source: PasswordSource, error: TargetError, place: _Place) -> Verdict:
    summary = error.message.partition("\n")[0]
    if isinstance(error, ApiError) and error.missing:
        return failed(
            f"the Secret {source.secret} with the password of {service.name} is not there",
            expected=f"the Secret {source.secret} with the key {source.key}",
            found="no such Secret",
            where=str(place),
            remedy=f"deploy it, then see: {place.kubectl('get', f'secret/{source.secret}')}",
        )
    set_it = "" if source.env is None else f"set {source.env} to the password"
    if isinstance(error, ApiError) and error.forbidden:
        right = place.kubectl("auth", "can-i", error.verb, f"{error.resource}/{source.secret}")
        return unknown(
            f"the password of {service.name} is not known: {summary}",
            where=str(place),
            remedy=" or ".join(filter(None, (set_it, f"have that right granted, then see: {right}"))),
        )
    return unknown(f"the password of {service.name} is not known: {summary}", where=str(place), remedy=error.remedy)
