"""What a start asks of the API server that comes up, as its administrator."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING

from pytest_devenv.targets.embedded.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

_ANSWER_S = 5.0
_OK = frozenset({200, 201, 409})


class Administrator:
    """Asks the API server on one port of the loopback interface, once at a time; `pki` holds the certificates."""

    def __init__(self, pki: Path, port: int) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / "administrator.crt", pki / "administrator.key")

    def is_ready(self) -> bool:
        """Tell whether the server says that it is ready."""
        return self._is("GET", "/readyz")

    def provides_namespace(self, name: str) -> bool:
        """Make a namespace where it is not there, and tell whether it is. `default` is the server's own to make."""
        if self._is("GET", f"/api/v1/namespaces/{name}"):
            return True
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        return name != "default" and self._is("POST", "/api/v1/namespaces", made)

    def has_account(self, namespace: str) -> bool:
        """Tell whether pods of this namespace have the account that they run as."""
        return self._is("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default")

    def _is(self, method: str, path: str, body: object = None) -> bool:
        connection = http.client.HTTPSConnection(HOST, self._port, timeout=_ANSWER_S, context=self._tls)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json"})
            return connection.getresponse().status in _OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
