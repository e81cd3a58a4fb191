"""Observing a ConfigMap of the cluster, from which a Job will have an edit when it next runs."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_devenv.clients.http import Answer
from pytest_devenv.errors import TargetError
from pytest_devenv.loop.observe import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes.api import Api
    from pytest_devenv.clients.kubernetes.cluster import Cluster


class _Asked:
    """The API server, asked over the connection that its client keeps."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.is_open = False

    def get(self, path: str) -> Answer:
        """Return an object as JSON. Raises ConnectionError where the API server does not give it."""
        began = time.monotonic()
        try:
            found = self._api.get(path)
        except TargetError as error:
            raise ConnectionError(error.message.splitlines()[0]) from error
        self.is_open = True
        body = json.dumps(found, ensure_ascii=False).encode()
        return Answer(200, "OK", {}, body, time.monotonic() - began)


def of_config_map(cluster: Cluster, name: str) -> Observer:
    """Return an observer of a ConfigMap in the environment's namespace."""

    @contextlib.contextmanager
    def connect() -> Iterator[_Asked]:
        yield _Asked(cluster.api)

    path = f"/api/v1/namespaces/{quote(cluster.namespace, safe='')}/configmaps/{quote(name, safe='')}"
    return Observer(cluster.api.access.server, path, connect)
