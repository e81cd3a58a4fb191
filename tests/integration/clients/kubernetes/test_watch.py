"""Watches: what is there, what changes, and what is done where the place in the stream is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.kubernetes import ApiError, UnreachableError
from tests.integration.clients.kubernetes.listener import Answer, Request, status
from tests.unit.clients.kubernetes.samples import config, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.clients.kubernetes.conftest import Asks, Listens

PODS = "/api/v1/namespaces/shop/pods"


def pod(name: str, version: int) -> dict[str, Any]:
    """Return a pod as a server describes it."""
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}}


def listed(version: int, *pods: dict[str, Any]) -> Answer:
    """Return the answer to a list."""
    return Answer(body={"metadata": {"resourceVersion": str(version)}, "items": list(pods)})


def line(kind: str, item: dict[str, Any]) -> bytes:
    """Return one event as it is sent."""
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def serving(lists: list[Answer], watches: list[Answer]) -> Callable[[Request], Answer]:
    """Return what answers lists and watches in this order; any further watch says nothing."""

    def answer(request: Request) -> Answer:
        if "watch=true" not in request.path:
            return lists.pop(0)
        return watches.pop(0) if watches else Answer(body=[], held=True)

    return answer


def test_a_change_follows_what_is_there(listens: Listens, asks: Asks) -> None:
    """First everything is told as added, then each change, however the server cuts its lines."""
    whole = line("MODIFIED", pod("web", 2)) + line("DELETED", pod("web", 3))
    watches = [Answer(body=[whole[:30], whole[30:]], held=True)]
    listener = listens(serving([listed(1, pod("web", 1))], watches))
    api = asks(listener.kubeconfig())
    events = api.watch(PODS, deadline_s=60, labelSelector="app=web")
    assert [next(events).type for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]
    events.close()  # type: ignore[attr-defined]  # a generator
    assert all("labelSelector=app%3Dweb" in request.path for request in listener.requests)


def test_a_bookmark_moves_the_place_on(listens: Listens, asks: Asks) -> None:
    """After a stream has ended, the next begins where the last bookmark was."""
    bookmark = {"metadata": {"resourceVersion": "40"}}
    watches = [Answer(body=[line("BOOKMARK", bookmark)]), Answer(body=[line("ADDED", pod("web", 41))], held=True)]
    listener = listens(serving([listed(1)], watches))
    api = asks(listener.kubeconfig())
    events = api.watch(PODS, deadline_s=60)
    assert next(events).object["metadata"]["name"] == "web"
    events.close()  # type: ignore[attr-defined]  # a generator
    places = [request.path for request in listener.requests if "watch=true" in request.path]
    assert ["resourceVersion=1&" in places[0], "resourceVersion=40&" in places[1]] == [True, True]


@pytest.mark.parametrize("way", ["status", "event"])
def test_a_place_that_is_gone_is_found_again_by_listing(listens: Listens, asks: Asks, way: str) -> None:
    """410, as an answer or in the stream, leads to a new list, of which only the differences are told."""
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    lost = status(410, "Expired", "too old") if way == "status" else Answer(body=[line("ERROR", gone)])
    lists = [listed(1, pod("old", 1), pod("same", 1), pod("new", 1)), listed(9, pod("same", 1), pod("new", 8))]
    listener = listens(serving(lists, [lost]))
    api = asks(listener.kubeconfig())
    events = api.watch(PODS, deadline_s=60)
    told = [next(events) for _ in range(5)]
    events.close()  # type: ignore[attr-defined]  # a generator
    assert [(event.type, event.object["metadata"]["name"]) for event in told] == [
        ("ADDED", "old"),
        ("ADDED", "same"),
        ("ADDED", "new"),
        ("DELETED", "old"),
        ("MODIFIED", "new"),
    ]


def test_a_silent_stream_ends_at_the_deadline(listens: Listens, asks: Asks) -> None:
    """A server that says nothing more does not keep a watch beyond its deadline."""
    listener = listens(serving([listed(1, pod("web", 1))], []))
    api = asks(listener.kubeconfig())
    assert [event.type for event in api.watch(PODS, deadline_s=1)] == ["ADDED"]


def test_a_refusal_ends_a_watch(listens: Listens, asks: Asks) -> None:
    """Who may not watch is told at once, with the verb that is missing."""
    listener = listens(serving([listed(1)], [status(403, "Forbidden", "no watching")]))
    api = asks(listener.kubeconfig())
    with pytest.raises(ApiError) as caught:
        list(api.watch(PODS, deadline_s=60))
    assert (caught.value.status, caught.value.verb, caught.value.resource) == (403, "watch", "pods")


def test_a_server_that_stays_away_is_told_at_the_deadline(tmp_path: Path, asks: Asks) -> None:
    """A server is asked again while there is time, and its absence is the answer at the end."""
    api = asks(config(written(tmp_path / "config", cluster={"server": "http://127.0.0.1:1"})))
    with pytest.raises(UnreachableError):
        list(api.watch(PODS, deadline_s=0.5))
