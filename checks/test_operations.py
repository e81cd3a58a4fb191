"""Every operation that the backend documents does what its document says, asked well or badly."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from checks.people import PASSWORD, Crowd, Person, an_email, crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests
    from hypothesis import strategies as st

    from checks.documented import Operation
    from pytest_devenv.fixtures.handles import DatabaseHandle, HttpService

pytestmark = pytest.mark.e2e


class Call(NamedTuple):
    """A call that succeeds: who calls, with which body, about which thing."""

    who: Person
    body: object = None
    subject: str = ""


def logging_in(_: Crowd, who: Person) -> Call:
    """Give the right password."""
    return Call(who, {"email": who.email, "password": PASSWORD})


def registering(_: Crowd, who: Person) -> Call:
    """Choose an address that nobody has."""
    return Call(who, {"email": an_email(), "password": PASSWORD, "display_name": "Check"})


def blocking(people: Crowd, who: Person) -> Call:
    """Block an artist that is there."""
    return Call(who, {"artist_id": who.adds_artist(people)})


def unblocking(people: Crowd, who: Person) -> Call:
    """Take back a block."""
    artist = who.adds_artist(people)
    who.blocks(artist)
    return Call(who, subject=artist)


def connecting(people: Crowd, _: Person) -> Call:
    """Connect the first service of somebody new."""
    return Call(people.person(), {"provider": "spotify", "access_token": "a token that spotify gave"})


def following(_: Crowd, who: Person) -> Call:
    """Follow a list that is there."""
    made = who.post("/community-lists", {"name": f"Check {uuid.uuid4().hex}"})
    return Call(who, subject=made.json()["id"])


def asking(_: Crowd, who: Person) -> Call:
    """Ask, with nothing to say."""
    return Call(who)


def naming(_: Crowd, who: Person) -> Call:
    """Give a name that nobody else uses."""
    return Call(who, {"name": f"Check {uuid.uuid4().hex}"})


def queueing(_: Crowd, who: Person) -> Call:
    """Queue a job."""
    return Call(who, {"app_id": "kiro", "definition": "enforce", "version": "1", "inputs": {"of": uuid.uuid4().hex}})


def having_queued(_: Crowd, who: Person) -> Call:
    """Ask for a job that is there."""
    job = {"app_id": "kiro", "definition": "enforce", "version": "1", "inputs": {"of": uuid.uuid4().hex}}
    return Call(who, subject=who.post("/jobs", job).json()["id"])


def having_ended(people: Crowd, who: Person) -> Call:
    """Ask for a job that has a result."""
    call = having_queued(people, who)
    people.finish(call.subject, outputs={"enforced": 3}, score=0.5)
    return call


SUCCESS: dict[str, Callable[[Crowd, Person], Call]] = {
    "health": asking,
    "ready": asking,
    "version": asking,
    "register": registering,
    "login": logging_in,
    "logout": lambda people, _: Call(people.person()),
    "list_artists": asking,
    "create_artist": naming,
    "list_blocks": asking,
    "create_block": blocking,
    "delete_block": unblocking,
    "list_effective_blocks": asking,
    "list_community_lists": asking,
    "create_community_list": naming,
    "subscribe": following,
    "unsubscribe": following,
    "list_connections": asking,
    "create_connection": connecting,
    "create_job": queueing,
    "job_status": having_queued,
    "job_result": having_ended,
}
FOR_EVERYBODY = {"health", "ready", "version", "register", "login"}
WITHOUT_INPUT = {"health", "ready", "version", "logout", "list_blocks", "list_effective_blocks", "list_connections"}


@pytest.fixture(scope="module")
def documented(backend: HttpService) -> dict[str, Operation]:
    """Give the operations of the backend's own document.

    What draws inputs is imported here, so that a run without these checks neither waits for it nor needs it.
    """
    from checks.documented import operations

    return operations(backend.get("/openapi.json").json())


@pytest.fixture(scope="module")
def visitors(backend: HttpService, migrated_database: DatabaseHandle, jobs: DatabaseHandle) -> Iterator[Crowd]:
    """Give a place where people register, for all of these checks together."""
    with crowd(backend, migrated_database, jobs) as made:
        yield made


@pytest.fixture(scope="module")
def caller(visitors: Crowd) -> Person:
    """Give somebody who calls everything."""
    return visitors.person()


def test_every_documented_operation_is_checked(documented: dict[str, Operation]) -> None:
    """An operation that is new in the document needs a call here, and none loses its login or its input unseen."""
    assert set(documented) == set(SUCCESS)
    assert {name for name, operation in documented.items() if not operation.needs_login} == FOR_EVERYBODY
    assert {name for name, operation in documented.items() if not operation.takes_input} == WITHOUT_INPUT


@pytest.mark.parametrize("name", SUCCESS)
def test_operation_succeeds(documented: dict[str, Operation], visitors: Crowd, caller: Person, name: str) -> None:
    """Asked well, an operation answers with success, and as documented."""
    operation = documented[name]
    call = SUCCESS[name](visitors, caller)
    answer = call.who.request(operation.method, path_of(operation, call.subject), json=call.body)
    keep(visitors, name, answer)
    assert answer.ok, answer.text
    assert operation.complaints(answer.status_code, answer.text) == []


@pytest.mark.parametrize("name", [name for name in SUCCESS if name not in FOR_EVERYBODY])
def test_operation_refuses_who_is_not_logged_in(
    documented: dict[str, Operation], backend: HttpService, name: str
) -> None:
    """An operation for users answers nobody else."""
    operation = documented[name]
    answer = backend.request(operation.method, path_of(operation, str(uuid.uuid4())))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert operation.complaints(401, answer.text) == []


@pytest.mark.parametrize("name", [name for name in SUCCESS if name not in WITHOUT_INPUT])
def test_operation_refuses_invalid_input(documented: dict[str, Operation], caller: Person, name: str) -> None:
    """Input that the document forbids is refused with 422 and the reasons."""
    operation = documented[name]

    def refused(data: st.DataObject) -> None:
        answer = send(operation, caller, data, wrong=operation.draw_place(data))
        assert answer.status_code == 422, answer.text
        assert operation.complaints(422, answer.text) == []

    operation.for_examples(refused)


@pytest.mark.parametrize("name", [name for name in SUCCESS if name not in WITHOUT_INPUT])
def test_operation_answers_as_documented(
    documented: dict[str, Operation], visitors: Crowd, caller: Person, name: str
) -> None:
    """Whatever the document allows gets one of the answers that the document names."""
    operation = documented[name]

    def answered(data: st.DataObject) -> None:
        answer = send(operation, caller, data)
        keep(visitors, name, answer)
        assert operation.complaints(answer.status_code, answer.text) == []

    operation.for_examples(answered)


def send(operation: Operation, who: Person, data: st.DataObject, wrong: int | None = None) -> requests.Response:
    """Send drawn input that is allowed, but for the one that is wrong: a parameter by its place, or the body (-1)."""
    query: dict[str, Any] = {}
    path = operation.path
    for place, parameter in enumerate(operation.parameters):
        schema = parameter["schema"]
        value = data.draw(operation.bad_text(schema) if place == wrong else operation.good(schema))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(value))
        elif value is not None:
            query[parameter["name"]] = value
    body = None
    if operation.body is not None:
        body = data.draw(operation.bad(operation.body) if wrong == -1 else operation.good(operation.body))
    return who.request(operation.method, path, params=query, json=body)


def path_of(operation: Operation, subject: str) -> str:
    """Return the path, with its query, of an operation on one thing."""
    path = operation.path
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", subject)
        elif parameter["required"]:
            path += f"?{parameter['name']}={subject}"
    return path


def keep(visitors: Crowd, name: str, answer: requests.Response) -> None:
    """Take note of what was made, so that it goes with the crowd."""
    if answer.ok and name == "register":
        visitors.accounts.append(answer.json()["id"])
    if answer.ok and name == "create_artist":
        visitors.artists.append(answer.json()["id"])
    if answer.ok and name == "login":
        visitors.tokens.append(answer.json()["access_token"])
