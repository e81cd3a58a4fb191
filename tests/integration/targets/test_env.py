"""An environment that is left running: `pytest-devenv env up`, `status` and `down`."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.settings.read import read
from pytest_devenv.targets.embedded import instance as instances
from tests.faults.project import Shop, copied
from tests.integration.targets.remains import processes_in, remains_in, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.targets.embedded.record import Record

pytestmark = pytest.mark.timeout(240)

COMMAND = [sys.executable, "-c", "from pytest_devenv.cli import main; main()"]
SERVICES = ("postgres", "redis", "backend", "frontend")


def begin(shop: Shop, *words: str) -> subprocess.Popen[str]:
    """Begin a command in the shop's folder."""
    return subprocess.Popen(
        [*COMMAND, "env", *words],
        cwd=shop.folder,
        env=shop.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def env(shop: Shop, *words: str) -> tuple[int, str]:
    """Run a command in the shop's folder; return its exit code and what it said, in which no secret may stand."""
    process = begin(shop, *words)
    said, _ = process.communicate(timeout=180)
    shop.assert_no_secret(said)
    return process.returncode, said


@pytest.fixture
def up(shop: Shop) -> Iterator[Shop]:
    """Give a shop whose environment is up; it is down afterwards."""
    code, said = env(shop, "up")
    assert code == 0, said
    yield shop
    env(shop, "down")


def record_of(shop: Shop) -> Record:
    """Return what is recorded of a shop's environment that is up."""
    running = instances.kept(read(shop.folder / "pyproject.toml"))
    assert running is not None
    return running[1]


def pids_of(shop: Shop) -> dict[str, int]:
    """Return the processes of a shop's services."""
    return {name: pid for name, (pid, _) in record_of(shop).processes.items()}


def test_up_status_and_down_twice_each(shop: Shop) -> None:
    """A second `up` leaves what is there, `status` shows it, and a second `down` has nothing to end."""
    code, said = env(shop, "up")
    assert code == 0
    assert said.splitlines()[0] == "shop is up"
    pids = pids_of(shop)
    assert set(pids) == set(SERVICES)
    code, said = env(shop, "up")
    assert (code, said.splitlines()[0]) == (0, "shop was up already")
    assert pids_of(shop) == pids
    code, said = env(shop, "status", "--json")
    assert code == 0
    shown = json.loads(said)
    assert {name: shown["services"][name]["pid"] for name in SERVICES} == pids
    assert env(shop, "down") == (0, "shop is down: its processes have ended and its data is gone\n")
    assert remains_in(shop.state) == []
    assert env(shop, "down") == (0, "shop is not up: nothing to end\n")
    code, said = env(shop, "status")
    assert (code, said) == (1, "shop is not up\n  start it: pytest-devenv env up\n")


def test_a_health_run_attaches_and_leaves_it_running(up: Shop) -> None:
    """A run looks at the environment that is up, starts nothing of its own, and everything runs on."""
    pids = pids_of(up)
    process = up.begin("-m", "health")
    output, _ = process.communicate(timeout=180)
    report = json.loads((up.folder / "report.json").read_text())
    assert process.returncode == 0
    assert "attached to the one that is up" in output
    assert {each["name"]: each["address"] for each in report["services"] if each["address"]} == {
        name: endpoint.address for name, endpoint in record_of(up).endpoints.items()
    }
    assert pids_of(up) == pids
    assert len([each for each in up.state.iterdir() if each.name != ".lock"]) == 1


def test_a_service_that_died_is_one_failure_and_down_ends_the_rest(up: Shop) -> None:
    """Where redis died the others are attached to still; the run has one root, and `down` leaves nothing."""
    os.kill(pids_of(up)["redis"], 9)
    process = up.begin("-m", "health")
    process.communicate(timeout=180)
    report = json.loads((up.folder / "report.json").read_text())
    assert process.returncode == 1
    assert [root["probe"] for root in report["roots"]] == ["redis.answers[redis]"]
    assert report["next_steps"][0]["remedy"] == "pytest-devenv env down && pytest-devenv env up"
    code, said = env(up, "up")
    assert code == 1
    assert "redis     has died since\n      remedy: pytest-devenv env down && pytest-devenv env up" in said
    code, _ = env(up, "down")
    assert code == 0
    assert remains_in(up.state) == []


def test_an_environment_of_which_nothing_runs_is_made_anew(up: Shop) -> None:
    """When every process died, as after a restart of the machine, `status` says so and `up` begins again."""
    for process in processes_in(up.state):
        process.kill()
    code, _ = env(up, "status")
    assert code == 1
    code, said = env(up, "up")
    assert (code, said.splitlines()[0]) == (0, "shop is up")
    assert len([each for each in up.state.iterdir() if each.name != ".lock"]) == 1


def test_up_that_was_killed_half_way_is_made_anew(shop: Shop) -> None:
    """After SIGKILL in the middle of `up` its servers run on unowned; the next `up` ends them and has its own."""
    process = begin(shop, "up")
    left = wait_for(shop.state, "postgres", "valkey-server")
    process.kill()
    process.communicate()
    code, said = env(shop, "up")
    assert (code, said.splitlines()[0]) == (0, "shop is up")
    assert not any(each.is_running() for each in left.values())
    env(shop, "down")
    assert remains_in(shop.state) == []


def test_up_that_is_interrupted_leaves_nothing(shop: Shop) -> None:
    """Ctrl-C in the middle of `up` ends what it had started."""
    (shop.folder / "backend.py").write_text("import time\ntime.sleep(600)\n")
    process = begin(shop, "up")
    wait_for(shop.state, "postgres", "valkey-server")
    time.sleep(0.5)
    process.send_signal(2)
    said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert remains_in(shop.state) == []


def test_up_twice_at_once_makes_one_environment(shop: Shop) -> None:
    """Of two at the same time one brings it up, the other says that it is there or under way; then it is up, once."""
    both = [begin(shop, "up") for _ in range(2)]
    said = [process.communicate(timeout=180)[0] for process in both]
    assert sorted(process.returncode for process in both) in ([0, 0], [0, 1])
    for process, text in zip(both, said, strict=True):
        if process.returncode == 1:
            assert "that another run is bringing up" in text
            assert "pytest-devenv env status" in text
    assert env(shop, "status")[0] == 0
    assert len([each for each in shop.state.iterdir() if each.name != ".lock"]) == 1
    env(shop, "down")
    assert remains_in(shop.state) == []


def test_two_projects_at_once_know_nothing_of_each_other(shop: Shop, tmp_path: Path) -> None:
    """Two projects of one name come up at the same time on ports of their own, and each goes down alone."""
    other = copied(tmp_path / "other", shop.state, **shop.given)
    both = [begin(each, "up") for each in (shop, other)]
    for process in both:
        process.communicate(timeout=180)
    assert [process.returncode for process in both] == [0, 0]
    addresses = [{each.address for each in record_of(one).endpoints.values()} for one in (shop, other)]
    assert addresses[0].isdisjoint(addresses[1])
    theirs = pids_of(other)
    assert env(shop, "down")[0] == 0
    assert env(other, "status")[0] == 0
    assert pids_of(other) == theirs
    assert env(other, "down")[0] == 0
    assert remains_in(shop.state) == []


def test_a_service_that_does_not_come_up_is_said_and_the_rest_runs(shop: Shop) -> None:
    """With a backend that dies `up` exits 1, names it with its remedy, and keeps the servers running."""
    (shop.folder / "backend.py").write_text("raise SystemExit('no price list')\n")
    code, said = env(shop, "up")
    assert code == 1
    assert "not up: backend did not start: it ended with status 1" in said
    assert set(pids_of(shop)) == {"postgres", "redis"}
    env(shop, "down")
    assert remains_in(shop.state) == []


def test_what_failed_at_up_says_so_until_it_is_made_anew(shop: Shop) -> None:
    """A mended backend is still the one that did not come up; the remedy that says how ends that."""
    good = (shop.folder / "backend.py").read_text()
    (shop.folder / "backend.py").write_text("raise SystemExit('no price list')\n")
    assert env(shop, "up")[0] == 1
    (shop.folder / "backend.py").write_text(good)
    process = shop.begin("-m", "health")
    process.communicate(timeout=180)
    report = json.loads((shop.folder / "report.json").read_text())
    assert process.returncode == 1
    (verdict,) = [each["verdict"] for each in report["checks"] if each["probe"] == "http.answers[backend]"]
    assert verdict["where"] == "the embedded target, on this machine; recorded at pytest-devenv env up"
    assert verdict["remedy"] == "mend what its log says; then: pytest-devenv env down && pytest-devenv env up"
    assert env(shop, "down")[0] == 0
    assert env(shop, "up")[0] == 0
    env(shop, "down")


def test_no_secret_stands_where_others_can_read_it(up: Shop) -> None:
    """No command line of a child holds a secret, and no file that another account could open does."""
    secrets = [each.password.reveal() for each in record_of(up).endpoints.values() if each.password is not None]
    secrets += [up.given["SHOP_PASSWORD"], "t0ken-of-the-shop-4711"]
    assert len(set(secrets)) == 3
    for process in processes_in(up.state):
        for secret in secrets:
            assert not any(secret in word for word in process.cmdline())
    for file in readable_by_others(up.state):
        text = file.read_bytes()
        assert not any(secret.encode() in text for secret in secrets), file
    (folder,) = [each for each in up.state.iterdir() if each.name != ".lock"]
    assert stat.S_IMODE((folder / "state.json").stat().st_mode) == 0o600


def ask(shop: Shop, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that may show a secret."""
    return subprocess.run(
        [*COMMAND, "env", *words],
        cwd=shop.folder,
        env=shop.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_url_prints_the_whole_url_on_request(up: Shop) -> None:
    """What `env url` prints connects; with two databases, or one that is not in the settings, `--database` names it."""
    import psycopg
    import redis

    server = record_of(up).endpoints["postgres"]
    said = ask(up, "url", "postgres")
    assert (said.returncode, said.stdout) == (0, f"{server.url('shop').reveal()}\n")
    with psycopg.connect(said.stdout.strip()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("shop",)
    assert ask(up, "url", "postgres", "--database", "postgres").stdout == f"{server.url('postgres').reveal()}\n"
    with redis.Redis.from_url(ask(up, "url", "redis").stdout.strip()) as client:
        assert client.ping()
    assert ask(up, "url", "backend").stdout == f"{record_of(up).endpoints['backend'].base_url}\n"


def test_url_of_what_has_none_is_refused(up: Shop) -> None:
    """A service that is not there, a Job, and a database of a redis are each said with what there is."""
    said = ask(up, "url", "postgrse")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == (
        "expected a service with an address (postgres, redis, backend, frontend), found postgrse\n"
        "  remedy: pytest-devenv env status\n"
    )
    assert "found migrate, which is not up" in ask(up, "url", "migrate").stderr
    assert ask(up, "url", "redis", "--database", "0").stderr == (
        "expected a service of kind postgres for --database, found redis, of kind redis\n"
        "  remedy: pytest-devenv env url redis\n"
    )


def test_exec_gives_a_program_what_it_needs_and_its_exit_code(up: Shop) -> None:
    """Programs find the servers by their own variables, see what services see, and no command line holds a secret."""
    program = (
        "import json, os, psutil, psycopg, redis\n"
        "database = psycopg.connect().execute('SELECT current_database()').fetchone()[0]\n"
        "assert redis.Redis(host=os.environ['REDIS_HOST'], port=int(os.environ['REDIS_PORT']),\n"
        "    password=os.environ['REDISCLI_AUTH']).ping()\n"
        "assert redis.Redis.from_url(os.environ['REDIS_URL']).ping()\n"
        "assert psycopg.connect(os.environ['DATABASE_URL']).info.dbname == database\n"
        "assert 'API_TOKEN' in os.environ and 'API_URL' in os.environ\n"
        "words = ' '.join(psutil.Process().cmdline())\n"
        "assert os.environ['PGPASSWORD'] not in words and os.environ['REDISCLI_AUTH'] not in words\n"
        "print(database)\n"
        "raise SystemExit(7)\n"
    )
    said = ask(
        up, "exec", "--", sys.executable, "-c", program, PGSERVICE="other", PGHOSTADDR="192.0.2.1", PGHOST="192.0.2.1"
    )
    assert (said.returncode, said.stdout, said.stderr) == (7, "shop\n", "")
    assert ask(up, "exec", "sh", "-c", "exit 3").returncode == 3
    said = ask(up, "exec", "--", "no-such-program")
    assert (said.returncode, said.stderr) == (127, "no-such-program was not run: No such file or directory\n")
    said = ask(up, "exec", "--database", "shpo", "--", "true")
    assert (said.returncode, said.stderr) == (
        1,
        "expected a database of the settings (shop), found shpo\n  remedy: describe databases.shpo in pyproject.toml\n",
    )


def test_without_an_environment_that_is_up_there_is_nothing_to_work_in(shop: Shop) -> None:
    """Both commands say how to bring one up, and run nothing."""
    for words in (("url", "postgres"), ("exec", "--", "touch", "made")):
        said = ask(shop, *words)
        assert (said.returncode, said.stdout, said.stderr) == (
            1,
            "",
            "expected shop to be up on this machine, found that it is not\n  remedy: pytest-devenv env up\n",
        )
    assert not (shop.folder / "made").exists()


def test_up_says_how_to_look_at_what_it_made(up: Shop) -> None:
    """Where a run would choose another target, or none, the command names the embedded one."""
    lines = env(up, "status")[1].splitlines()
    assert lines[-2:] == [
        "  look at it: pytest -m health    end it: pytest-devenv env down",
        "  work in it: pytest-devenv env exec -- PROGRAM    its URLs: pytest-devenv env url SERVICE",
    ]
    context = up.folder / "kubeconfig"
    context.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: production\n"
        "contexts: [{name: production, context: {cluster: a, user: a}}]\n"
    )
    for target in ("auto", "addresses"):
        said = ask(up, "status", PYTEST_DEVENV_TARGET=target, KUBECONFIG=str(context))
        assert "  look at it: pytest -m health --devenv-target=embedded    end it: " in said.stdout


def test_status_ends_what_an_up_that_was_killed_left(shop: Shop) -> None:
    """Who looks after SIGKILL in the middle of `up` need not know that there is something to end."""
    process = begin(shop, "up")
    left = wait_for(shop.state, "postgres", "valkey-server")
    process.kill()
    process.communicate()
    assert env(shop, "status")[0] == 1
    assert not any(each.is_running() for each in left.values())
    assert remains_in(shop.state) == []


def readable_by_others(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder that any account may open."""
    for each in folder.iterdir():
        mode = each.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_IXOTH:
            yield from readable_by_others(each)
        elif stat.S_ISREG(mode) and mode & stat.S_IROTH:
            yield each
