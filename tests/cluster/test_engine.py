"""The container engine that the cluster of the tests runs in, where this machine has none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_devenv.targets.wheels import CACHE_VARIABLE
from tests.cluster.kind import engine, network, packages, place, remains
from tests.cluster.kind.node_image.pods import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[psutil.Process]:
    """Give the process of a container in an engine of its own, which ends with the test."""
    if os.geteuid() != 0:
        how = "an engine of its own needs root: run the tests as root"
        if os.environ.get("CI") == "true":
            pytest.fail(how)
        pytest.skip(how)
    packages.ensure()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    try:
        remains.remember_sysctls()
        engine.ensure()
        image = Image("sleeping", base="scratch")
        image.add_programs(Path("/bin/sleep"))
        image.build(tmp_path / "image")
        name = engine.docker("run", "--detach", "--privileged", "sleeping", "/bin/sleep", "3600").strip()
        yield psutil.Process(int(engine.docker("inspect", "--format={{.State.Pid}}", name)))
    finally:
        remains.take_away()


def left() -> dict[str, list[str]]:
    """Return what there is of the engine on this machine: every list is empty when nothing is."""
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(place.home()) in line]
    return {
        "processes": [str(process) for process in engine.processes()],
        "mounts": mounts,
        "control groups": [str(path) for path in remains.cgroups()],
        "folders": [str(path) for path in (network.handle(), place.running()) if path.exists()],
    }


@pytest.mark.parametrize("killed", [False, True])
def test_nothing_is_left_of_an_engine(container: psutil.Process, *, killed: bool) -> None:
    """Whether the engine runs or was killed, taking it away leaves nothing; doing so again is no error."""
    assert all(left().values())
    if killed:
        daemon = psutil.Process(int((place.running() / "docker.pid").read_text()))
        daemon.kill()
        daemon.wait(timeout=60)
    remains.take_away()
    assert not any(left().values()), left()
    assert not psutil.wait_procs([container], timeout=60)[1]
    remains.take_away()


@pytest.mark.usefixtures("container")
def test_settings_of_the_machine_are_put_back() -> None:
    """What the kubelet changes for the whole machine is afterwards what it was."""
    setting = Path("/proc/sys/kernel/panic")
    before = setting.read_text()
    setting.write_text(str(int(before) + 7))
    remains.take_away()
    assert setting.read_text() == before
