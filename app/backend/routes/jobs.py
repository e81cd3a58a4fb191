"""Jobs: work that is done later, each seen by its tenant alone."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, LiteralString
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.backend.dependencies import CurrentSession, UsesResources
from app.backend.errors import RefusedError
from app.backend.models import Job, JobResult, NewJob
from app.backend.problems import documented

router = APIRouter(prefix="/jobs", tags=["jobs"])

JobId = Annotated[UUID, Query(alias="id", description="The id that the job was given.")]

_JOB: LiteralString = """
    SELECT DISTINCT id, app_id, definition, version, status, inputs_hash, attempts, priority, last_error,
        created_at, started_at, ended_at
    FROM job_with_result
"""


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": Job, "description": "The same inputs were given before."},
        **documented(400, 401, 422, 503),
    },
)
def create_job(session: CurrentSession, job: NewJob, resources: UsesResources, response: Response) -> Job:
    """Queue a job. The same inputs, by their SHA-256, give the job that is there already."""
    key = {
        "app_id": job.app_id,
        "definition": job.definition,
        "version": job.version,
        "inputs_hash": hash_inputs(job.inputs),
    }
    with resources.jobs.transaction_of(session.tenant_id) as transaction:
        created = transaction.execute(
            """
            INSERT INTO job (tenant_id, app_id, definition, version, inputs_hash, payload_json, priority)
            VALUES (
                %(tenant_id)s, %(app_id)s, %(definition)s, %(version)s, %(inputs_hash)s, %(inputs)s::jsonb, %(priority)s
            )
            ON CONFLICT DO NOTHING
            """,
            tenant_id=str(session.tenant_id),
            inputs=json.dumps(job.inputs),
            priority=job.priority,
            **key,
        )
        found = transaction.one(
            Job,
            _JOB
            + """
            WHERE app_id = %(app_id)s AND definition = %(definition)s AND version = %(version)s
            AND inputs_hash = %(inputs_hash)s
            """,
            **key,
        )
    if found is None:
        raise RefusedError(404, "The job has gone.")
    if not created:
        response.status_code = 200
    return found


@router.get("/status", responses=documented(401, 404, 422, 503))
def job_status(session: CurrentSession, job_id: JobId, resources: UsesResources) -> Job:
    """Say how far a job is."""
    with resources.jobs.transaction_of(session.tenant_id) as transaction:
        found = transaction.one(Job, _JOB + "WHERE id = %(id)s", id=job_id)
    if found is None:
        raise RefusedError(404, "There is no such job.")
    return found


@router.get("/result", responses=documented(401, 404, 422, 503))
def job_result(session: CurrentSession, job_id: JobId, resources: UsesResources) -> JobResult:
    """Give the latest result of a job."""
    with resources.jobs.transaction_of(session.tenant_id) as transaction:
        found = transaction.one(
            JobResult,
            """
            SELECT id, status, outputs_json AS outputs, score, result_at
            FROM job_with_result
            WHERE id = %(id)s AND result_id IS NOT NULL
            ORDER BY result_at DESC, result_id
            """,
            id=job_id,
        )
    if found is None:
        raise RefusedError(404, "There is no such job, or it has no result yet.")
    return found


def hash_inputs(inputs: Mapping[str, object]) -> str:
    """Give the SHA-256 of the inputs in hexadecimal; neither the order of keys nor white space is part of it."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
