"""Kubeconfigs, as tests write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from pytest_devenv.clients.kubernetes import Kubeconfig

if TYPE_CHECKING:
    from pathlib import Path


def written(
    file: Path,
    *,
    context: str = "kind-shop",
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    current: str | None = None,
) -> Path:
    """Write a kubeconfig with one context, whose cluster and user are called as it is."""
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": {"server": "https://127.0.0.1:6443", **(cluster or {})}}],
        "users": [{"name": context, "user": user or {}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context, "namespace": "shop"}}],
    }
    if current is not None:
        content["current-context"] = current
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content))
    return file


def config(*files: Path, context: str = "kind-shop") -> Kubeconfig:
    """Return a context of these files, chosen by the test."""
    return Kubeconfig(files, context, "chosen by the test")
