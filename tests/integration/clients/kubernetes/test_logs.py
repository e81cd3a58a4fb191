"""The last lines of a container that crashes again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes import Cluster
from pytest_devenv.probes.cluster.evidence import last_lines
from pytest_devenv.probes.cluster.trouble import Log
from pytest_devenv.verdict import Evidence
from tests.integration.clients.kubernetes.listener import Answer, Request, status

if TYPE_CHECKING:
    from tests.integration.clients.kubernetes.conftest import Asks, Listens

REMOVED = Answer(body=b"unable to retrieve container logs for containerd://49f56c")
TITLE = "last lines of redis-7f79df9445-f5vd7, container redis"


def lines(listens: Listens, asks: Asks, *answers: Answer) -> Evidence | None:
    """Return what is shown where a server gives these answers in turn, and the last one from then on."""
    left = list(answers)

    def answer(_: Request) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    cluster = Cluster(asks(listens(answer).kubeconfig()), "shop", "kind-shop")
    return last_lines(cluster, Log(pod="redis-7f79df9445-f5vd7", container="redis", previous=True))


def test_a_life_that_was_removed_is_passed_over(listens: Listens, asks: Asks) -> None:
    """The kubelet removes the container that is asked for when the next one crashes: that one's lines are shown."""
    said = Answer(body=b"FATAL CONFIG FILE ERROR: maxmemory\n")
    shown = Evidence(TITLE, "FATAL CONFIG FILE ERROR: maxmemory")
    assert lines(listens, asks, REMOVED, said) == shown
    assert lines(listens, asks, REMOVED, REMOVED, said) == shown
    gone = status(400, "BadRequest", "previous terminated container redis not found")
    assert lines(listens, asks, gone, REMOVED, said) == shown


def test_a_container_whose_log_stays_away_says_so(listens: Listens, asks: Asks) -> None:
    """What the kubelet answers in the end is shown; a life that has said nothing is not asked for again."""
    assert lines(listens, asks, REMOVED) == Evidence(TITLE, "unable to retrieve container logs for containerd://49f56c")
    assert lines(listens, asks, Answer(body=b"")) is None
