"""What the commands about a whole environment work out from the settings and from what they are told."""

from __future__ import annotations

from typing import Any

from pytest_devenv.cli.cleanup import ended
from pytest_devenv.cli.first_steps import in_order
from pytest_devenv.cli.reset import at_work
from pytest_devenv.settings.read import read
from tests.unit.manifests.written import ROOT

SETTINGS = read(ROOT / "pyproject.toml", environ={})


def pod(name: str, phase: str, *, made: int = 1, job: str | None = None) -> dict[str, Any]:
    """Make a pod as the API server lists it."""
    owners = [{"kind": "Job", "uid": job}] if job else [{"kind": "ReplicaSet", "uid": "r"}]
    metadata = {"name": name, "creationTimestamp": f"2026-01-01T00:00:0{made}Z", "ownerReferences": owners}
    return {"metadata": metadata, "status": {"phase": phase}}


def test_each_service_comes_behind_what_it_requires() -> None:
    """The way through the services is theirs, and no service is visited twice."""
    names = [service.name for service in in_order(SETTINGS)]
    assert sorted(names) == sorted(SETTINGS.services)
    for service in SETTINGS.services.values():
        assert all(names.index(each) < names.index(service.name) for each in service.requires)


def test_what_works_on_a_database_is_stopped_and_nothing_else() -> None:
    """Neither the server itself, nor a page that only asks the backend, nor a Job."""
    assert list(at_work(SETTINGS)) == ["deployment/backend"]


def test_pods_that_have_ended_go_but_for_the_last_of_each_job() -> None:
    """What runs stays, and so does the log of the last try of a Job."""
    pods = [
        pod("evicted", "Failed"),
        pod("runs", "Running"),
        pod("starts", "Pending"),
        pod("first", "Failed", made=1, job="a"),
        pod("last", "Succeeded", made=2, job="a"),
        pod("other", "Succeeded", made=1, job="b"),
    ]
    assert [each["metadata"]["name"] for each in ended(pods)] == ["evicted", "first"]
    assert list(ended([pod("old", "Failed", made=1, job="a"), pod("now", "Running", made=2, job="a")])) == [
        pod("old", "Failed", made=1, job="a")
    ]
