"""Jobs over HTTP: queued once, seen by their tenant alone."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.backend.routes.jobs import hash_inputs
from app.backend.tests.conftest import Client

needs_servers = pytest.mark.integration
JOB: dict[str, Any] = {"app_id": "kiro", "definition": "enforce", "version": "1", "inputs": {"list": 7, "dry": True}}


def _queued(client: Client, **changes: object) -> dict[str, Any]:
    answer = client.post("/jobs", json={**JOB, **changes})
    answer.raise_for_status()
    return dict(answer.json())


def _done(database: psycopg.Connection, job_id: str, outputs: str) -> None:
    """Do the work of a job, with the rights of the service that does it."""
    with database.transaction():
        database.execute("SET LOCAL ROLE service_role")
        database.execute("UPDATE job SET status = 'succeeded', ended_at = now() WHERE id = %s", [job_id])
        database.execute("INSERT INTO result (job_id, outputs_json, score) VALUES (%s, %s, 0.5)", [job_id, outputs])


def test_the_hash_of_inputs_is_that_of_their_meaning() -> None:
    """Another order of keys is the same inputs; another value, another type or another nesting is not."""
    assert hash_inputs({"a": 1, "b": [2, 3]}) == hash_inputs({"b": [2, 3], "a": 1})
    others: list[dict[str, object]] = [{}, {"a": 1}, {"a": "1"}, {"a": [1]}, {"a": {"1": None}}, {"a": True}, {"ä": 1}]
    assert len({hash_inputs(inputs) for inputs in others}) == len(others)


@needs_servers
def test_the_same_inputs_give_the_same_job(ada: Client) -> None:
    """A job is queued once: whoever asks again is given it as it is, and other inputs are another job."""
    first = ada.post("/jobs", json=JOB)
    again = ada.post("/jobs", json={**JOB, "inputs": {"dry": True, "list": 7}, "priority": 5})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert (first.json()["status"], first.json()["attempts"], first.json()["priority"]) == ("queued", 0, 0)
    for changes in ({"inputs": {"list": 8}}, {"version": "2"}, {"definition": "scan"}, {"app_id": "other"}):
        assert _queued(ada, **changes)["id"] != first.json()["id"]


@needs_servers
def test_a_job_gives_its_status_and_its_latest_result(ada: Client, jobs_database: psycopg.Connection) -> None:
    """Before the work is done there is no result; afterwards the last one counts."""
    job = _queued(ada)
    assert ada.get("/jobs/status", params={"id": job["id"]}).json() == job
    assert ada.get("/jobs/result", params={"id": job["id"]}).status_code == 404
    _done(jobs_database, job["id"], '{"blocked": 2}')
    _done(jobs_database, job["id"], '{"blocked": 3}')
    assert ada.get("/jobs/status", params={"id": job["id"]}).json()["status"] == "succeeded"
    result = ada.get("/jobs/result", params={"id": job["id"]}).json()
    assert (result["id"], result["status"], result["outputs"], result["score"]) == (
        job["id"],
        "succeeded",
        {"blocked": 3},
        0.5,
    )


@needs_servers
def test_a_tenant_sees_no_job_of_another(someone: Callable[[], Client], jobs_database: psycopg.Connection) -> None:
    """Neither status nor result of another's job is shown, and the same inputs are a job of one's own."""
    ada, bob = someone(), someone()
    job = _queued(ada)
    _done(jobs_database, job["id"], "{}")
    for path in ("/jobs/status", "/jobs/result"):
        assert ada.get(path, params={"id": job["id"]}).status_code == 200
        assert bob.get(path, params={"id": job["id"]}).status_code == 404
    assert _queued(bob)["id"] != job["id"]


@needs_servers
def test_people_of_one_organization_share_their_jobs(
    someone: Callable[[], Client], database: psycopg.Connection
) -> None:
    """The tenant is the organization of who logs in."""
    ada, bob = someone(), someone()
    row = database.execute(
        "INSERT INTO organizations (name) VALUES (%s) RETURNING id", [f"Ours {uuid4().hex}"]
    ).fetchone()
    assert row is not None
    for each in (ada, bob):
        database.execute("UPDATE users SET organization_id = %s WHERE email = %s", [row[0], each.email])
        each.log_in().raise_for_status()
    assert _queued(bob) == _queued(ada)


@needs_servers
def test_the_database_itself_keeps_tenants_apart(ada: Client, jobs_database: psycopg.Connection) -> None:
    """With the rights that the backend works with, a query for everything gives what is the tenant's."""
    job = _queued(ada)
    row = jobs_database.execute("SELECT tenant_id FROM job WHERE id = %s", [job["id"]]).fetchone()
    assert row is not None
    for tenant, expected in ((row[0], [job["id"]]), (str(uuid4()), []), ("", [])):
        with jobs_database.transaction():
            jobs_database.execute("SET LOCAL ROLE authenticated")
            jobs_database.execute("SELECT set_config('app.tenant_id', %s, true)", [tenant])
            assert [str(each[0]) for each in jobs_database.execute("SELECT id FROM job_with_result")] == expected


@needs_servers
@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": {"text": "\0"}},
        {"inputs": {"text": "\ud800"}},
        {"inputs": []},
        {"definition": ""},
        {"definition": "two words"},
        {"priority": 101},
        {"tenant_id": "another"},
    ],
    ids=repr,
)
def test_what_cannot_be_kept_is_refused(ada: Client, changes: dict[str, object]) -> None:
    """A refusal is an answer, never a failure of the server."""
    assert ada.post("/jobs", json={**JOB, **changes}).status_code == 422
