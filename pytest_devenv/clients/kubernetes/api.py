"""The API of one cluster: one server, one identity, one pinned context; every request has a deadline."""

from __future__ import annotations

import copy
import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pytest_devenv.clients.kubernetes import access as accesses
from pytest_devenv.clients.kubernetes.credentials import Credentials
from pytest_devenv.clients.kubernetes.errors import ApiError, refused, said
from pytest_devenv.clients.kubernetes.naming import asked
from pytest_devenv.clients.kubernetes.transport import Reply, Transport
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Self

    from pytest_devenv.clients.kubernetes.access import Access
    from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig
    from pytest_devenv.clients.kubernetes.transport import Stream
    from pytest_devenv.clients.kubernetes.watch import WatchEvent

_PAGE = "500"
_FIRST_WAIT_S = 0.25
_JSON = {"Accept": "application/json"}
_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


class Api:
    """The API server as this identity sees it. Threads may share it; `close()` closes its connections.

    Its methods raise ApiError for an answer that is a refusal, UnreachableError for none, and TargetError where there
    are no credentials to ask with.
    """

    def __init__(self, access: Access, *, deadline_s: float) -> None:
        self.access = access
        self.deadline_s = deadline_s
        self._credentials = Credentials(access)
        self._transport = Transport(access, self._credentials)

    @property
    def context(self) -> str:
        """The context that every call is pinned to; `in-cluster` inside a pod."""
        return accesses.IN_CLUSTER if self.access.context is None else self.access.context

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return self.access.server

    @property
    def transport(self) -> Transport:
        """The connections, for what is not a request: exec and port-forward."""
        return self._transport

    def within(self, deadline_s: float) -> Self:
        """Return the same API with another deadline for each request, on the same connections."""
        other = copy.copy(self)
        other.deadline_s = deadline_s
        return other

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the object at a path such as `/api/v1/namespaces/NS/pods`."""
        return self.request("GET", path, **query)

    def list(self, path: str, **query: str) -> list[dict[str, Any]]:  # what kubectl calls it too
        """Return all items at a path, page after page."""
        items: list[dict[str, Any]] = []
        page = {"limit": _PAGE, **query}
        while True:
            try:
                answer = self._json("GET", path, None, _JSON, page)
            except ApiError as error:
                if error.status != HTTPStatus.GONE or "continue" not in page:
                    raise
                items, page = [], {**query, "limit": "0"}  # the pages are of a state that is gone: all at once
                continue
            items += answer.get("items") or ()
            following = answer.get("metadata", {}).get("continue")
            if not following:
                return items
            page["continue"] = following

    def text(self, path: str, **query: str) -> str:
        """Return what is at a path as text, such as a container's log."""
        return self._reply("GET", path, None, {"Accept": "*/*"}, query).body.decode(errors="replace")

    def request(
        self, method: str, path: str, body: object = None, *, content_type: str = "application/json", **query: str
    ) -> dict[str, Any]:
        """Send a request whose body is JSON, or bytes as they are, and return the answer."""
        given = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = _JSON if given is None else {**_JSON, "Content-Type": content_type}
        return self._json(method, path, given, headers, query)

    def watch(self, path: str, *, deadline_s: float, **query: str) -> Iterator[WatchEvent]:
        """Yield what is at a path now, then each change, for `deadline_s` seconds; see `watch.watch`."""
        from pytest_devenv.clients.kubernetes.watch import watch

        return watch(self, path, deadline_s=deadline_s, query=query)

    def stream(self, path: str, **query: str) -> AbstractContextManager[Stream]:
        """Begin a GET whose answer has no end. Its status is for the caller to judge, with `refusal`."""
        return self._transport.streamed(_target(path, query), _JSON, deadline_s=self.deadline_s)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._transport.close()

    def refusal(self, method: str, path: str, reply: Reply, *, watch: bool = False) -> ApiError:
        """Return the error that an answer is."""
        reason, message = _status(reply)
        access = self.access
        if reply.status == HTTPStatus.UNAUTHORIZED and (aged := self._credentials.age()) is not None:
            message = f"{message}, with {aged}" if message else aged
        return refused(
            asked(method, path, watch=watch),
            status=reply.status,
            reason=reason,
            said=message,
            place=f"{method} {path} at {access.server}, {said(access.context)}",
            access=access,
            renewal=self._credentials.renewal(),
        )

    def _json(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], query: dict[str, str]
    ) -> dict[str, Any]:
        reply = self._reply(method, path, body, headers, query)
        try:
            answer = json.loads(reply.body)
        except ValueError as error:
            raise self._foreign(path, "something that is no JSON") from error
        if not isinstance(answer, dict):
            raise self._foreign(path, f"a JSON {type(answer).__name__}")
        return answer

    def _reply(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], query: dict[str, str]
    ) -> Reply:
        """Send it; once more with new credentials where there are some, and later where the server asks for that."""
        end = time.monotonic() + self.deadline_s
        target, wait_s, renewed = _target(path, query), _FIRST_WAIT_S, False
        while True:
            left_s = max(0.001, end - time.monotonic())
            reply = self._transport.exchange(method, target, body, headers, deadline_s=left_s)
            if reply.status < HTTPStatus.MULTIPLE_CHOICES:
                return reply
            if reply.status == HTTPStatus.UNAUTHORIZED and not renewed and self._credentials.renew():
                renewed = True
                continue
            if not _later(reply, method):
                raise self.refusal(method, path, reply)
            asked_s = _seconds(reply.headers.get("retry-after"))
            pause_s = wait_s if asked_s is None else asked_s
            if time.monotonic() + pause_s >= end:
                raise self.refusal(method, path, reply)
            time.sleep(pause_s)
            wait_s *= 2

    def _foreign(self, path: str, found: str) -> TargetError:
        msg = (
            f"no API server answers at {self.server}\n"
            f"  expected: a JSON object at {path}\n  found: {found}\n  where: {said(self.access.context)}"
        )
        return TargetError(msg, remedy=f"correct the server of the context in {self.access.source}")


def connect(config: Kubeconfig, *, deadline_s: float) -> Api:
    """Return the API of a context, pinned; nothing is asked or run yet. Raises TargetError for one that is not there.

    Whoever calls this has made sure that the context may be used: `guard.allows_context`.
    """
    return Api(accesses.of_context(config), deadline_s=deadline_s)


def connect_in_pod(*, deadline_s: float) -> Api:
    """Return the API that the pod of this process belongs to, as its service account. Raises TargetError in no pod."""
    return Api(accesses.in_pod(), deadline_s=deadline_s)


def _target(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _later(reply: Reply, method: str) -> bool:
    """Return whether the server wants to be asked again, and may be: it has done nothing for the request yet."""
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    return reply.status in _LATER and ("retry-after" in reply.headers or method == "GET")


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdecimal() else None


def _status(reply: Reply) -> tuple[str, str]:
    """Return Kubernetes' word for a refusal and its message; of an answer of somebody else, HTTP's."""
    try:
        status = json.loads(reply.body)
    except ValueError:
        status = None
    if not isinstance(status, dict) or status.get("kind") != "Status":
        return reply.reason or "no reason", ""
    return str(status.get("reason") or reply.reason), str(status.get("message") or "")
