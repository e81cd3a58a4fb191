"""TLS to an API server, as its kubeconfig wants it."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes.access import Access


def context(access: Access, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    """Return what a connection is wrapped in: the authority that is to have signed, our own certificate and key.

    A certificate that is not to be checked is not, where the kubeconfig says so. Raises TargetError for an authority
    or a certificate that cannot be read.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if access.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif access.authority is None:
        made.load_default_certs()
    else:
        try:
            made.load_verify_locations(cadata=access.authority.read().decode("ascii"))
        except (OSError, ValueError) as error:
            raise _unreadable(access, "a certificate authority in PEM", error) from error
    if certificate is not None:
        try:
            _load(made, *certificate)
        except (OSError, ValueError) as error:
            raise _unreadable(access, f"a certificate of {access.login.name} and its key in PEM", error) from error
    return made


def _load(made: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load what is only in memory; OpenSSL takes files alone, so they are there for this moment, and for us alone."""
    with tempfile.TemporaryDirectory(prefix="pytest-devenv-tls-") as folder:
        files = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        for file, text in zip(files, (certificate, key), strict=True):
            file.touch(mode=0o600)
            file.write_bytes(text)
        made.load_cert_chain(*files)


def _unreadable(access: Access, expected: str, error: Exception) -> TargetError:
    said = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    msg = f"expected {expected}, found: {said}, looked in {access.source}"
    return TargetError(msg, remedy=f"have the cluster write its entry anew, in {access.source}")
