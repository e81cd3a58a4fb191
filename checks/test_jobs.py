"""Work is queued once for the same inputs, is followed by its tenant, and is nobody else's to see."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from checks.people import Crowd, Person

pytestmark = pytest.mark.e2e


def a_job(**inputs: object) -> dict[str, Any]:
    """Return the description of a job."""
    return {"app_id": "kiro", "definition": "enforce", "version": "1", "inputs": inputs}


def seen(person: Person, job: str) -> tuple[int, int]:
    """Return how the backend answers a person who asks for a job's status, and for its result."""
    return person.get(f"/jobs/status?id={job}").status_code, person.get(f"/jobs/result?id={job}").status_code


def test_same_inputs_give_one_job(somebody: Person) -> None:
    """A job is queued once, however its inputs are written; other inputs are another job."""
    first = somebody.post("/jobs", a_job(artist="Drake", service="spotify"))
    again = somebody.post("/jobs", a_job(service="spotify", artist="Drake"))
    other = somebody.post("/jobs", a_job(artist="Drake", service="apple_music"))
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 201]
    assert again.json() == first.json()
    assert other.json()["id"] != first.json()["id"]


def test_job_is_followed_to_its_result(people: Crowd, somebody: Person) -> None:
    """A job is queued and has no result; once a worker has finished it, status and result say so."""
    job = somebody.post("/jobs", a_job(artist="Drake")).json()["id"]
    assert somebody.get(f"/jobs/status?id={job}").json()["status"] == "queued"
    assert seen(somebody, job) == (200, 404)
    people.finish(job, outputs={"skipped": 12}, score=0.75)
    assert somebody.get(f"/jobs/status?id={job}").json()["status"] == "succeeded"
    result = somebody.get(f"/jobs/result?id={job}").json()
    assert (result["outputs"], result["score"]) == ({"skipped": 12}, 0.75)


def test_tenant_sees_its_own_jobs_alone(people: Crowd, somebody: Person) -> None:
    """Another tenant neither sees a job nor gets it for the same inputs."""
    another = people.person()
    inputs = a_job(secret=uuid.uuid4().hex)
    job = somebody.post("/jobs", inputs).json()["id"]
    people.finish(job, outputs={}, score=1)
    assert seen(somebody, job) == (200, 200)
    assert seen(another, job) == (404, 404)
    twin = another.post("/jobs", inputs)
    assert twin.status_code == 201
    assert twin.json()["id"] != job
