"""What becomes of an environment whose run was killed: the next one ends it, and nothing else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_devenv.errors import TargetError, WaitTimeoutError
from pytest_devenv.settings.read import read
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.record import Record
from tests.faults.project import Shop, copied
from tests.integration.targets.remains import processes_in, remains_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from pytest_devenv.settings import Settings

    BringUp: TypeAlias = Callable[[Shop], subprocess.Popen[str]]

pytestmark = pytest.mark.timeout(240)

BRING_UP = """
import sys, time
from pathlib import Path
from pytest_devenv.errors import TargetError, WaitTimeoutError
from pytest_devenv.settings.read import read
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.record import Record
from pytest_devenv.targets.embedded.start import start

settings = read(Path("pyproject.toml"))
own = instances.create(settings)
start(settings, own)
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def bring_up() -> Iterator[BringUp]:
    """Give what begins a run that makes an environment and holds its lease; all of them are killed in the end."""
    runs: list[subprocess.Popen[str]] = []

    def begin(shop: Shop) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", BRING_UP]
        runs.append(subprocess.Popen(command, cwd=shop.folder, env=shop.environ, stdout=subprocess.PIPE, text=True))
        return runs[-1]

    yield begin
    for run in runs:
        kill(run)


def wait_until_up(run: subprocess.Popen[str]) -> None:
    """Wait until a run says that its environment is up."""
    assert run.stdout is not None
    assert run.stdout.readline() == "up\n"


def kill(run: subprocess.Popen[str]) -> None:
    """End a run as nothing can be prepared for."""
    run.kill()
    run.wait()
    if run.stdout is not None:
        run.stdout.close()


def settings_of(shop: Shop) -> Settings:
    """Read the settings of a shop."""
    return read(shop.folder / "pyproject.toml")


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that has nothing to do with any environment."""
    with subprocess.Popen(["/bin/sleep", "600"], cwd=tmp_path) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("delay_s", [0.1, 0.3, 0.5, 0.7, 1.0, 1.3, 1.8, 2.5])
def test_a_run_killed_at_any_moment_is_swept_by_the_next(
    shop: Shop, bring_up: BringUp, stranger: subprocess.Popen[bytes], delay_s: float
) -> None:
    """After SIGKILL the next environment's maker ends every process and removes every folder, and nothing else."""
    run = bring_up(shop)
    time.sleep(delay_s)
    kill(run)
    own = instances.create(settings_of(shop))
    assert processes_in(shop.state) == []
    assert [each.name for each in shop.state.iterdir() if each.name != ".lock"] == [own.folder.name]
    own.destroy()
    assert remains_in(shop.state) == []
    assert stranger.poll() is None


def test_an_environment_whose_run_lives_is_left_alone(shop: Shop, bring_up: BringUp, tmp_path: Path) -> None:
    """A sweep ends what a killed run of one project left, and not a process of another project's live run."""
    other = copied(tmp_path / "other", shop.state, **shop.given)
    living = bring_up(other)
    wait_until_up(living)
    theirs = processes_in(shop.state)
    dead = bring_up(shop)
    wait_until_up(dead)
    kill(dead)
    own = instances.create(settings_of(shop))
    assert {process.pid for process in processes_in(shop.state)} >= {process.pid for process in theirs}
    assert all(process.is_running() for process in theirs)
    assert len([each for each in shop.state.iterdir() if each.name != ".lock"]) == 2
    own.destroy()
    kill(living)
    instances.create(settings_of(shop)).destroy()
    assert remains_in(shop.state) == []


def test_a_person_s_shell_in_the_folder_is_left_alone(shop: Shop, bring_up: BringUp) -> None:
    """Somebody who reads the logs of a killed run at a terminal keeps the shell when the folder goes."""
    run = bring_up(shop)
    wait_until_up(run)
    (folder,) = [each for each in shop.state.iterdir() if each.name != ".lock"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["/usr/bin/setsid", "--ctty", "/bin/sleep", "600"], cwd=folder / "logs", stdin=theirs
    ) as shell:
        os.close(theirs)
        try:
            wait_for_name(psutil.Process(shell.pid), "sleep")
            kill(run)
            instances.create(settings_of(shop)).destroy()
            assert not folder.exists()
            assert shell.poll() is None
        finally:
            shell.kill()
            os.close(ours)


def wait_for_name(process: psutil.Process, name: str) -> None:
    """Wait until a process has become the program of this name."""
    end = time.monotonic() + 10
    while process.name() != name:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_halves_of_folders_are_swept_and_what_is_not_ours_stays(shop: Shop) -> None:
    """What a kill left of a folder that was being made or removed goes; a person's own folders and files stay."""
    for half in (".unborn-1", ".gone-1"):
        (shop.state / half / "logs").mkdir(parents=True)
        (shop.state / half / "logs" / "postgres.log").write_text("half")
    (shop.state / "notes").mkdir()
    (shop.state / "notes" / "todo.txt").write_text("mine")
    (shop.state / "letter.txt").write_text("mine")
    own = instances.create(settings_of(shop))
    assert sorted(each.name for each in shop.state.iterdir()) == sorted(
        [".lock", "letter.txt", "notes", own.folder.name]
    )
    own.destroy()


def test_a_record_of_another_release_is_swept(shop: Shop) -> None:
    """A kept environment whose record cannot be read is nobody's: it is not attached to, and the next run ends it."""
    settings = settings_of(shop)
    old = instances.create(settings, name=instances.project_key(settings))
    (old.folder / "state.json").write_text('{"format": "of another release"}')
    old.release()
    assert instances.kept(settings) is None
    own = instances.create(settings)
    assert not old.folder.exists()
    own.destroy()


def test_a_record_that_names_a_process_number_used_again_is_not_attached_to(shop: Shop) -> None:
    """A number that now belongs to another process does not make an environment look alive."""
    settings = settings_of(shop)
    old = instances.create(settings, name=instances.project_key(settings))
    began = psutil.Process().create_time()
    old.write(Record(endpoints={}, processes={"postgres": (os.getpid(), began - 60)}, kept=True))
    assert instances.kept(settings) is None
    old.write(Record(endpoints={}, processes={"postgres": (os.getpid(), began)}, kept=True))
    assert instances.kept(settings) is not None
    old.destroy()


def test_a_lock_that_is_held_is_given_up_at_its_deadline(state: Path) -> None:
    """Who waits for a lock in vain is told which, for how long, and how to see who holds it."""
    with (
        instances.locked(state / "lock"),
        pytest.raises(WaitTimeoutError) as caught,
        instances.locked(state / "lock", deadline_s=0.2),
    ):
        pass
    assert str(caught.value) == (
        f"expected the lock {state / 'lock'} within 0.2 s, found it held by another run\n"
        f"  remedy: see who holds it: fuser {state / 'lock'}"
    )


def test_a_state_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link in the place of the state folder, which anybody could have laid there, is not followed."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv(instances.STATE_VARIABLE, str(tmp_path / "link"))
    with pytest.raises(TargetError, match="to be a folder of ours") as caught:
        instances.state_folder()
    assert caught.value.remedy == "remove it, or name another folder in PYTEST_DEVENV_STATE"
