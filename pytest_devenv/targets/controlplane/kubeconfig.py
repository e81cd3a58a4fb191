"""The kubeconfigs of a control plane: one for each who may log in, with all that is needed in it."""

from __future__ import annotations

import base64
import json
import os
import uuid
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.platform import CONTROLPLANE_CONTEXT

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.targets.controlplane.certificates import Pair


def write_kubeconfig(file: Path, *, server: str, authority: bytes, user: str, login: Pair, namespace: str) -> Path:
    """Write a kubeconfig, as the JSON that is YAML too, which its owner alone may read."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": CONTROLPLANE_CONTEXT,
                "cluster": {"server": server, "certificate-authority-data": _encoded(authority)},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _encoded(login.certificate),
                    "client-key-data": _encoded(login.key),
                },
            }
        ],
        "contexts": [
            {
                "name": CONTROLPLANE_CONTEXT,
                "context": {"cluster": CONTROLPLANE_CONTEXT, "user": user, "namespace": namespace},
            }
        ],
        "current-context": CONTROLPLANE_CONTEXT,
    }
    scratch = file.with_name(f".{uuid.uuid4().hex}")
    write_private(scratch, json.dumps(content, indent=1).encode())
    return scratch.rename(file)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
