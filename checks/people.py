"""People who use the environment for the time of a check, and leave nothing of what they did."""

from __future__ import annotations

import contextlib
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from pytest_devenv.fixtures.handles import DatabaseHandle, HttpService

PASSWORD = "Correct-Horse-7-Battery"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, who is logged in."""

    backend: HttpService
    id: str
    email: str
    token: str
    password: str = PASSWORD

    def request(self, method: str, path: str, **options: object) -> requests.Response:
        """Send a request with this person's token; takes what `requests` takes."""
        return self.backend.request(method, path, headers=bearer(self.token), **options)

    def get(self, path: str) -> requests.Response:
        """Ask for a path."""
        return self.request("GET", path)

    def post(self, path: str, body: object = None) -> requests.Response:
        """Send a JSON body to a path."""
        return self.request("POST", path, json=body)

    def delete(self, path: str) -> requests.Response:
        """Delete what is at a path."""
        return self.request("DELETE", path)

    def adds_artist(self, crowd: Crowd) -> str:
        """Add an artist of a name that nobody else uses, and return its id."""
        answer = self.post("/artists", {"name": f"Check {uuid.uuid4().hex}"})
        answer.raise_for_status()
        crowd.artists.append(answer.json()["id"])
        return crowd.artists[-1]

    def blocks(self, artist: str) -> None:
        """Block an artist."""
        self.post("/blocks", {"artist_id": artist}).raise_for_status()


@dataclass(frozen=True, slots=True)
class Crowd:
    """Where people come to, and what goes when they leave: accounts and artists, by id, and sessions, by token."""

    backend: HttpService
    database: DatabaseHandle
    jobs: DatabaseHandle
    accounts: list[str] = field(default_factory=list)
    artists: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def person(self) -> Person:
        """Register somebody, and log in."""
        registered = self.register(an_email())
        registered.raise_for_status()
        email = registered.json()["email"]
        login = self.log_in(email)
        login.raise_for_status()
        return Person(self.backend, registered.json()["id"], email, login.json()["access_token"])

    def register(self, email: str, password: str = PASSWORD) -> requests.Response:
        """Ask for an account."""
        body = {"email": email, "password": password, "display_name": "Check"}
        answer = self.backend.post("/auth/register", json=body)
        if answer.status_code == 201:
            self.accounts.append(answer.json()["id"])
        return answer

    def log_in(self, email: str, password: str = PASSWORD) -> requests.Response:
        """Ask for a session."""
        answer = self.backend.post("/auth/login", json={"email": email, "password": password})
        if answer.status_code == 200:
            self.tokens.append(answer.json()["access_token"])
        return answer

    def finish(self, job: str, outputs: object, score: float) -> None:
        """Finish a job as a worker does."""
        with self.jobs.connect() as connection:
            connection.execute("UPDATE job SET status = 'succeeded', ended_at = now() WHERE id = %s", [job])
            connection.execute(
                "INSERT INTO result (job_id, outputs_json, score) VALUES (%s, %s::jsonb, %s)",
                [job, json.dumps(outputs), score],
            )

    def leave(self) -> None:
        """Take away everything that was made.

        The audit log refuses a DELETE by a trigger, which only its owner can switch off; should this be interrupted,
        the transaction is rolled back and the trigger is on. Whoever belongs to no organization is a tenant of jobs.
        """
        for token in self.tokens:
            self.backend.post("/auth/logout", headers=bearer(token))
        with self.jobs.connect() as connection:
            connection.execute("DELETE FROM job WHERE tenant_id = ANY(%s)", [self.accounts])
        with self.database.connect() as connection:
            connection.execute("DELETE FROM users WHERE id = ANY(%s::uuid[])", [self.accounts])
            connection.execute("DELETE FROM artists WHERE id = ANY(%s::uuid[])", [self.artists])
            connection.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
            connection.execute("DELETE FROM audit_log WHERE actor_id = ANY(%s::uuid[])", [self.accounts])
            connection.execute("ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only")


@contextlib.contextmanager
def crowd(backend: HttpService, database: DatabaseHandle, jobs: DatabaseHandle) -> Iterator[Crowd]:
    """Let people come; at the end of the block they leave, and everything that they did goes."""
    made = Crowd(backend, database, jobs)
    try:
        yield made
    finally:
        made.leave()


def an_email() -> str:
    """Return an e-mail address that nobody has."""
    return f"check-{uuid.uuid4().hex}@example.com"


def bearer(token: str) -> dict[str, str]:
    """Return the header that sends a token."""
    return {"Authorization": f"Bearer {token}"}
