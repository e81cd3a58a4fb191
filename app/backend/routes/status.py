"""How the backend is: alive, ready, and which version."""

from pathlib import Path

from fastapi import APIRouter, Response

from app.backend.dependencies import UsesResources
from app.backend.errors import UnavailableError
from app.backend.models import Health, Readiness, Version

router = APIRouter(tags=["status"])

CODE = "as committed"
"""Changes with an edit of this file alone, once the server has taken it up."""

_VERSION_FILE = Path(__file__).parent.with_name("version.txt")


def read_version() -> str:
    """Read the version that is deployed now."""
    return _VERSION_FILE.read_text(encoding="utf-8").strip()


@router.get("/health")
async def health() -> Health:
    """Say that the process is alive; looks at nothing else."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness, "description": "Not ready, and why."}})
def ready(resources: UsesResources, response: Response) -> Readiness:
    """Say whether the databases and redis answer and the required tables exist."""
    reasons = []
    for database in (resources.database, resources.jobs):
        try:
            reasons += [f"{database.name}: the table {table} is missing" for table in database.missing_tables()]
        except UnavailableError as error:
            reasons.append(str(error))
    try:
        resources.sessions.check()
    except UnavailableError as error:
        reasons.append(str(error))
    if reasons:
        response.status_code = 503
    return Readiness(ready=not reasons, reasons=reasons)


@router.get("/version")
def version() -> Version:
    """Give the version that is deployed now, read anew for each request, and what the running code says of itself."""
    return Version(version=read_version(), code=CODE)
