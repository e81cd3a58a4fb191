"""Whether the names of Services are found, by what `getent` prints inside."""

from __future__ import annotations

from pytest_devenv.probes.cluster.dns import Place, found_in, judge, places
from tests.unit.probes.cluster.samples import IMAGE, KUBECTL, container, pod, snapshot, waiting

NAMES = ("postgres", "redis")
READY = [{"type": "Ready", "status": "True"}]


def test_what_getent_prints_is_found() -> None:
    """A name is found by the line of its whole name, and a part of another name is not it."""
    output = (
        "10.96.4.2 STREAM postgres.shop-dev.svc.cluster.local\n10.96.4.3 STREAM redis-old.shop-dev.svc.cluster.local\n"
    )
    assert found_in(output, NAMES) == {"postgres"}
    assert found_in("10.96.4.3  STREAM redis\n10.96.4.3  DGRAM\n", NAMES) == {"redis"}


def test_names_that_are_not_found_are_named() -> None:
    """One missing name is a fault of it, all of them one of the cluster's DNS."""
    assert judge(NAMES, frozenset(NAMES), "backend-1", KUBECTL).passed
    one = judge(NAMES, frozenset({"redis"}), "backend-1", KUBECTL)
    assert one.summary == "the cluster's DNS does not find postgres"
    assert judge(NAMES, frozenset(), "backend-1", KUBECTL).summary == "the cluster's DNS finds no Service"


def test_one_container_of_each_image_is_asked_in() -> None:
    """What one container of an image cannot do, no other of that image can."""
    ready = pod(container(), conditions=READY)
    again = pod(container(), name="backend-6c-x2", conditions=READY)
    starting = pod(container(waiting("ContainerCreating")), name="backend-6c-x3")
    assert places(snapshot(pods=(starting, ready, again))) == (Place("backend-6c-x1", "backend", IMAGE),)
