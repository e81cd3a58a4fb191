"""The running process: alive, ready, version, origins, and how it ends."""

import http.client
import os
import shutil
import signal
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from app.backend.tests.conftest import ORIGIN, ROOT, Backend, Client, running_backend, wait_until

VERSION_FILE = Path(__file__).parents[1] / "version.txt"
NOWHERE = {"DATABASE_URL": "postgres://kiro:hidden@127.0.0.1:1/kiro", "REDIS_URL": "redis://127.0.0.1:1"}


def test_without_its_servers_it_is_alive_but_not_ready(tmp_path: Path) -> None:
    """Health answers at once, readiness and work say what is missing, and no password is told."""
    with running_backend(NOWHERE, tmp_path / "log") as backend:
        assert requests.get(f"{backend.url}/health", timeout=5).json() == {"status": "alive"}
        wait_until(lambda: "refused" in requests.get(f"{backend.url}/ready", timeout=5).text)
        readiness = requests.get(f"{backend.url}/ready", timeout=5)
        login = requests.post(
            f"{backend.url}/auth/login", json={"email": "ada@example.com", "password": "x"}, timeout=5
        )
    assert readiness.status_code == 503
    assert not readiness.json()["ready"]
    assert [reason.partition(":")[0] for reason in readiness.json()["reasons"]] == [
        "database",
        "jobs database",
        "redis",
    ]
    assert login.status_code == 503
    assert login.headers["Retry-After"] == "1"
    assert "hidden" not in readiness.text + login.text + (tmp_path / "log").read_text(encoding="utf-8")


def test_it_ends_though_a_connection_is_open(tmp_path: Path) -> None:
    """A client that keeps its connection does not keep the process."""
    with running_backend(NOWHERE, tmp_path / "log") as backend:
        client = http.client.HTTPConnection(urlsplit(backend.url).netloc, timeout=5)
        client.request("GET", "/health")
        client.getresponse().read()
        backend.process.send_signal(signal.SIGTERM)
        backend.process.wait(timeout=30)
        client.close()


@pytest.mark.parametrize("words", [(), ("--reload",)], ids=["once", "reload"])
def test_a_kept_connection_is_answered_at_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    """No answer waits for the client to acknowledge a part of it, which would take 40 ms each time."""
    with running_backend(NOWHERE, tmp_path / "log", *words) as backend:
        wait_until(lambda: _answers(backend), seconds=60)
        client = http.client.HTTPConnection(urlsplit(backend.url).netloc, timeout=30)
        took_s = []
        for _ in range(50):
            began = time.monotonic()
            client.request("GET", "/health")
            client.getresponse().read()
            took_s.append(time.monotonic() - began)
        client.close()
    assert min(took_s[1:]) < 0.03


def test_an_edit_is_taken_up_also_after_one_that_does_not_run(tmp_path: Path) -> None:
    """With --reload it answers with the code as it is saved, of whichever module; what cannot run is replaced too."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    module = tmp_path / "app" / "backend" / "routes" / "status.py"
    text = module.read_text(encoding="utf-8")
    with running_backend(NOWHERE, tmp_path / "log", "--reload", folder=tmp_path) as backend:
        wait_until(lambda: "as committed" in _version(backend), seconds=60)
        for number in range(3):  # as copies come that have the time of their original in whole seconds
            module.write_text(text.replace("as committed", f"as edited {number}"), encoding="utf-8")
            os.utime(module, (1_900_000_000, 1_900_000_000))
            wait_until(partial(_shows, backend, f"as edited {number}"), seconds=60)
        module.write_text(f"{text}\n(", encoding="utf-8")
        wait_until(lambda: not _answers(backend), seconds=60)
        module.write_text(text.replace("as committed", "as mended"), encoding="utf-8")
        wait_until(lambda: "as mended" in _version(backend), seconds=60)


def test_code_before_answers_until_that_of_an_edit_does(tmp_path: Path) -> None:
    """With --reload nobody waits for what is still being imported; another edit replaces it there too."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    module = tmp_path / "app" / "backend" / "routes" / "status.py"
    text = module.read_text(encoding="utf-8")
    begun, may_go_on = tmp_path / "begun", tmp_path / "may-go-on"
    slow = f"""
import pathlib, time
pathlib.Path({str(begun)!r}).touch()
while not pathlib.Path({str(may_go_on)!r}).exists():
    time.sleep(0.01)
"""
    with running_backend(NOWHERE, tmp_path / "log", "--reload", folder=tmp_path) as backend:
        wait_until(lambda: "as committed" in _version(backend), seconds=60)
        module.write_text(text.replace("as committed", "as never live") + slow, encoding="utf-8")
        wait_until(begun.exists, seconds=60)
        assert "as committed" in _version(backend)
        begun.unlink()
        module.write_text(text.replace("as committed", "as edited") + slow, encoding="utf-8")
        wait_until(begun.exists, seconds=60)
        assert "as committed" in _version(backend)
        may_go_on.touch()
        wait_until(lambda: "as edited" in _version(backend), seconds=60)


def _shows(backend: Backend, text: str) -> bool:
    return text in _version(backend)


def _version(backend: Backend) -> str:
    """Return what it says of itself, empty while it does not answer."""
    try:
        return requests.get(f"{backend.url}/version", timeout=5).text
    except requests.RequestException:
        return ""


def _answers(backend: Backend) -> bool:
    """Tell whether it answers yet: with --reload the socket is bound before the child listens on it."""
    try:
        return requests.get(f"{backend.url}/health", timeout=5).ok
    except requests.RequestException:
        return False


@pytest.mark.integration
def test_with_its_servers_and_tables_it_is_ready(anybody: Client) -> None:
    """Readiness has no reasons against it."""
    answer = anybody.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "reasons": []}


@pytest.mark.integration
def test_a_missing_table_is_named(anybody: Client, database: psycopg.Connection) -> None:
    """Readiness says which required table is not there."""
    database.execute("ALTER TABLE action_batches RENAME TO renamed")
    try:
        answer = anybody.get("/ready")
    finally:
        database.execute("ALTER TABLE renamed RENAME TO action_batches")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["database: the table action_batches is missing"]


@pytest.mark.integration
def test_a_missing_table_of_the_jobs_is_named(anybody: Client, jobs_database: psycopg.Connection) -> None:
    """Readiness looks at both databases, and says which of them lacks what."""
    jobs_database.execute("ALTER TABLE artifact RENAME TO renamed")
    try:
        answer = anybody.get("/ready")
    finally:
        jobs_database.execute("ALTER TABLE renamed RENAME TO artifact")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["jobs database: the table artifact is missing"]


@pytest.mark.integration
def test_a_connection_that_the_server_ended_is_replaced(anybody: Client, database: psycopg.Connection) -> None:
    """After the database has ended every connection, the next request works again."""
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'kiro-backend'"
    )
    assert anybody.get("/ready").status_code == 200


@pytest.mark.integration
def test_the_version_is_read_for_each_request(anybody: Client) -> None:
    """An edit of the file shows at once."""
    before = VERSION_FILE.read_text(encoding="utf-8")
    assert anybody.get("/version").json()["version"] == before.strip()
    try:
        VERSION_FILE.write_text("9.9.9\n", encoding="utf-8")
        assert anybody.get("/version").json()["version"] == "9.9.9"
    finally:
        VERSION_FILE.write_text(before, encoding="utf-8")


@pytest.mark.integration
@pytest.mark.parametrize(("origin", "allowed"), [(ORIGIN, ORIGIN), ("http://evil.example", None)])
def test_only_the_configured_origins_may_call(backend: Backend, origin: str, allowed: str | None) -> None:
    """A browser on another site is not told that it may read the answer."""
    answer = requests.get(f"{backend.url}/health", headers={"Origin": origin}, timeout=5)
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed


@pytest.mark.integration
def test_an_unknown_path_is_answered_as_every_other_problem(anybody: Client) -> None:
    """Even what the framework refuses has the documented shape."""
    answer = anybody.get("/nowhere")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found", "reasons": []}


@pytest.mark.integration
def test_a_method_that_is_not_allowed_learns_which_are(anybody: Client) -> None:
    """The Allow header names every method of the path."""
    answer = anybody.patch("/blocks")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"
