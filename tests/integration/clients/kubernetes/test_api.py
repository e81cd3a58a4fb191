"""What an API server answers, or does not, and what is said of it."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.kubernetes import ApiError, UnreachableError
from pytest_devenv.errors import TargetError
from tests.integration.clients.kubernetes.listener import Answer, Request, status
from tests.unit.clients.kubernetes.samples import config, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.clients.kubernetes.conftest import Asks, Listens

PODS = "/api/v1/namespaces/shop/pods"


def test_requests_share_one_connection(listens: Listens, asks: Asks) -> None:
    """A connection is kept from one request to the next, and its token goes with each."""
    listener = listens(Answer(body={"kind": "Pod"}))
    api = asks(listener.kubeconfig(user={"token": "sesame"}))
    assert [api.get(PODS)["kind"] for _ in range(5)] == ["Pod"] * 5
    assert listener.connections == 1
    assert {request.headers["Authorization"] for request in listener.requests} == {"Bearer sesame"}


def test_threads_do_not_wait_for_each_other(listens: Listens, asks: Asks) -> None:
    """Requests of several threads are under way at the same time, each on a connection of its own."""
    together = threading.Barrier(4, timeout=180)

    def answer(_: Request) -> Answer:
        together.wait()
        return Answer()

    listener = listens(answer)
    api = asks(listener.kubeconfig(), deadline_s=60)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: api.get(PODS), range(4)))
    assert listener.connections == 4


def test_a_connection_that_the_server_closed_is_replaced(listens: Listens, asks: Asks) -> None:
    """A server may close what is idle: the next request does not fail for it."""
    listener = listens(Answer(headers={"Keep-Alive": "timeout=0"}))
    api = asks(listener.kubeconfig())
    api.get(PODS)
    for connection in api.transport._idle:  # noqa: SLF001  # as a server does it: the other end is told nothing
        assert connection.wire is not None
        connection.wire.shutdown(socket.SHUT_RDWR)
    api.get(PODS)
    assert listener.connections == 2


def test_a_list_follows_its_pages(listens: Listens, asks: Asks) -> None:
    """All items of a collection are returned, however many answers they come in."""

    def answer(request: Request) -> Answer:
        last = "continue=more" in request.path
        metadata = {} if last else {"continue": "more"}
        return Answer(body={"items": [{"page": 2 if last else 1}], "metadata": metadata})

    api = asks(listens(answer).kubeconfig())
    assert api.list(PODS) == [{"page": 1}, {"page": 2}]


def test_a_list_whose_pages_are_gone_begins_anew(listens: Listens, asks: Asks) -> None:
    """Pages of a state that the server has forgotten are dropped, and everything is asked for at once."""

    def answer(request: Request) -> Answer:
        if "continue=" in request.path:
            return status(410, "Expired", "too old")
        if "limit=0" in request.path:
            return Answer(body={"items": [{"page": "all"}]})
        return Answer(body={"items": [{"page": 1}], "metadata": {"continue": "more"}})

    api = asks(listens(answer).kubeconfig())
    assert api.list(PODS) == [{"page": "all"}]


def test_a_server_that_is_busy_is_asked_again(listens: Listens, asks: Asks) -> None:
    """429 is heeded: the request waits as long as the server says, and is sent once more."""
    answers = iter([Answer(429, b"slow down", {"Retry-After": "0"}), Answer(body={"kind": "Pod"})])
    api = asks(listens(lambda _: next(answers)).kubeconfig())
    assert api.get(PODS) == {"kind": "Pod"}


def test_a_server_that_stays_busy_is_not_waited_for_beyond_the_deadline(listens: Listens, asks: Asks) -> None:
    """A pause that would end after the deadline is not begun."""
    listener = listens(Answer(429, b"slow down", {"Retry-After": "3600"}))
    api = asks(listener.kubeconfig())
    with pytest.raises(ApiError) as caught:
        api.get(PODS)
    assert (caught.value.status, len(listener.requests)) == (429, 1)


def test_a_right_that_is_missing_is_named(listens: Listens, asks: Asks) -> None:
    """A 403 keeps verb, resource and namespace, and says how to see whether the right was granted."""
    message = 'pods is forbidden: User "jane" cannot list resource "pods"'
    listener = listens(status(403, "Forbidden", message))
    kubeconfig = listener.kubeconfig(user={"token": "t"})
    api = asks(kubeconfig)
    with pytest.raises(ApiError) as caught:
        api.list(PODS)
    error = caught.value
    assert (error.status, error.verb, error.resource, error.namespace) == (403, "list", "pods", "shop")
    assert str(error) == (
        "not allowed to list pods in namespace shop\n"
        "  expected: the right to list pods\n"
        f"  found: 403 Forbidden: {message}\n"
        f"  where: GET {PODS} at {listener.server}, context kind-shop\n"
        f"  remedy: have it granted, then see: {kubeconfig.kubectl} auth can-i list pods --namespace shop"
    )


def test_a_token_that_has_run_out_is_told_with_its_end(listens: Listens, asks: Asks) -> None:
    """A JWT says itself when it ended; no part of it is told but that."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_600_000_000, "sub": "jane"}).encode()).decode().rstrip("=")
    token = f"aGVhZGVy.{claims}.c2VzYW1l"
    listener = listens(status(401, "Unauthorized", "Unauthorized"))
    kubeconfig = listener.kubeconfig(user={"token": token})
    api = asks(kubeconfig)
    with pytest.raises(ApiError) as caught:
        api.get(PODS)
    assert str(caught.value) == (
        "the API server does not accept these credentials\n"
        "  expected: credentials that the API server knows\n"
        "  found: 401 Unauthorized: Unauthorized, with a token that expired at 2020-09-13T12:26:40Z\n"
        f"  where: GET {PODS} at {listener.server}, context kind-shop\n"
        f"  remedy: put a new token into {kubeconfig.files[0]}: kubectl config set-credentials kind-shop --token=…"
    )


def test_nothing_listening_is_told_with_how_it_is_started(tmp_path: Path, asks: Asks) -> None:
    """A refused connection names the server and the context, and how such a cluster is started."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{closed.getsockname()[1]}"
        api = asks(config(written(tmp_path / "config", cluster={"server": server})))
        with pytest.raises(UnreachableError) as caught:
            api.get(PODS)
    assert str(caught.value) == (
        "the API server does not answer\n"
        f"  expected: an answer of {server}\n"
        "  found: connection refused: nothing listens there\n"
        "  where: context kind-shop\n"
        "  remedy: docker start shop-control-plane"
    )


def test_a_server_that_says_nothing_is_given_up_at_the_deadline(listens: Listens, asks: Asks) -> None:
    """A request ends at its deadline, and the error says how long was waited."""
    listener = listens(Answer(held=True))
    api = asks(listener.kubeconfig(), deadline_s=0.5)
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=r"found: no answer within 0\.5 s"):
        api.get(PODS)
    assert time.monotonic() - began < 30


def test_an_authority_that_did_not_sign_is_told(listens: Listens, asks: Asks) -> None:
    """A certificate that another authority signed is refused before anything is sent."""
    listener, other = listens(Answer()), listens(Answer())
    stranger = {"certificate-authority": str(other.authority)}
    kubeconfig = listener.kubeconfig(cluster=stranger, user={"token": "sesame"})
    with pytest.raises(UnreachableError) as caught:
        asks(kubeconfig).get(PODS)
    assert "found: a certificate that is not to be trusted" in caught.value.message
    assert caught.value.remedy is not None
    assert str(kubeconfig.files[0]) in caught.value.remedy
    assert listener.requests == []


def test_a_certificate_of_another_name_needs_to_be_named(listens: Listens, asks: Asks) -> None:
    """The name in the certificate counts, and tls-server-name says which one to expect."""
    listener = listens(Answer(), names=("kubernetes",))
    with pytest.raises(UnreachableError, match="a certificate that is not to be trusted"):
        asks(listener.kubeconfig()).get(PODS)
    api = asks(listener.kubeconfig(cluster={"tls-server-name": "kubernetes"}))
    assert api.get(PODS) == {}


def test_a_certificate_is_not_checked_where_the_kubeconfig_says_so(listens: Listens, asks: Asks) -> None:
    """insecure-skip-tls-verify is honoured as it is written."""
    listener = listens(Answer(), names=("kubernetes",))
    cluster = {"insecure-skip-tls-verify": True, "certificate-authority": ""}
    api = asks(listener.kubeconfig(cluster=cluster))
    assert api.get(PODS) == {}


def test_something_else_that_answers_is_told(listens: Listens, asks: Asks) -> None:
    """A server that is no API server is named, and nothing breaks in its answer."""
    api = asks(listens(Answer(body=b"<html>")).kubeconfig())
    with pytest.raises(TargetError, match="found: something that is no JSON"):
        api.get(PODS)


def test_a_token_file_is_read_at_each_request(listens: Listens, asks: Asks, tmp_path: Path) -> None:
    """Whoever renews a token writes it into its file, and the next request has it."""
    listener = listens(Answer())
    file = tmp_path / "token"
    api = asks(listener.kubeconfig(user={"tokenFile": str(file)}))
    for token in ("first", "second"):
        file.write_text(f"{token}\n")
        api.get(PODS)
    assert [request.headers["Authorization"] for request in listener.requests] == ["Bearer first", "Bearer second"]
