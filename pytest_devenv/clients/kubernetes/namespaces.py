"""Namespaces of our own, known by their labels: those that were left are swept."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_devenv.clients.kubernetes.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_devenv.clients.kubernetes.api import Api

NAMESPACES = "/api/v1/namespaces"


def sweep(api: Api, labels: Mapping[str, str], is_left: Callable[[dict[str, Any]], bool]) -> None:
    """Delete the namespaces with these labels whose metadata says that they were left.

    Who may not list namespaces sweeps none. One that another deletes meanwhile is no error. Raises ApiError.
    """
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    try:
        found = api.list(NAMESPACES, labelSelector=selector)
    except ApiError as error:
        if not error.forbidden:
            raise
        return
    for metadata in (each["metadata"] for each in found):
        if "deletionTimestamp" not in metadata and is_left(metadata):
            delete(api, metadata["name"])


def delete(api: Api, name: str) -> None:
    """Delete a namespace, and wait for nothing; one that is gone is no error. Raises ApiError."""
    try:
        api.request("DELETE", f"{NAMESPACES}/{quote(name, safe='')}")
    except ApiError as error:
        if not error.missing:
            raise


def age_s(metadata: Mapping[str, Any]) -> float:
    """Return how long ago something was made, in seconds."""
    return time.time() - datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
