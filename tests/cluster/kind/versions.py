"""Which releases the cluster is made of."""

from __future__ import annotations

import hashlib

KUBERNETES = "1.36.3"
KIND = "0.33.0"
ETCD = "3.6.8"
COREDNS = "1.15.0"
LOCAL_PATH_PROVISIONER = "0.0.30"
DEBIAN = "bookworm"  # a newer systemd no longer starts where control groups are those of version 1
GO = "1.26.0"


def key(*parts: str | bytes) -> str:
    """Return a short name for what is made of these parts, so that it is made anew where one of them changes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:12]
