"""What a real Tilt says and does, seen through the client, the checks, the fixture and the loop."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.tilt.client import TiltError, running
from pytest_devenv.clients.tilt.program import NoTiltError
from pytest_devenv.clients.tilt.update import Outcome
from tests.faults.project import UNRELATED
from tests.integration.loop.test_runs import COMMAND

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.tilt.conftest import Tilted

pytestmark = [pytest.mark.tilt, pytest.mark.timeout(300)]

LONGEST_S = 240
FIXTURE = """
def test_trigger(tilt):
    assert tilt.trigger("press", stable_s=0).succeeded
"""


def command(tilted: Tilted, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project's folder."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=tilted.folder,
        env=tilted.shop.environ,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def health(tilted: Tilted, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Look at the project; return the exit code and each verdict of Tilt, by the name of its probe."""
    process = tilted.shop.begin("-m", "health", *words)
    output, _ = process.communicate(timeout=LONGEST_S)
    report = json.loads((tilted.folder / "report.json").read_text())
    found = {check["probe"].partition("[")[0]: check["verdict"] for check in report["checks"]}
    assert found, output
    return process.returncode, {name: each for name, each in found.items() if name.startswith("tilt.")}


def test_resources_tell_their_builds_and_states(tilted: Tilted) -> None:
    """Every resource of the Tiltfile is there, with what Tilt makes of it."""
    found = tilted.tilt.resources()
    assert {"(Tiltfile)", "page", "steady", "press", "fails", "idle"} <= set(found)
    assert found["page"].is_ready
    assert found["steady"].builds[0].error is None
    assert found["steady"].builds[0].finished >= found["steady"].builds[0].started
    assert found["idle"].is_untouched
    assert tilted.tilt.version()[0].isdigit()
    with pytest.raises(TiltError, match="found 'nothing'"):
        tilted.tilt.resource("nothing")


def test_trigger_waits_for_its_own_update(tilted: Tilted) -> None:
    """Two in a row have two builds, each of which began after it was asked for."""
    first_asked = time.time()
    first = tilted.tilt.trigger("press", stable_s=0.2)
    second_asked = time.time()
    second = tilted.tilt.trigger("press", stable_s=0.2)
    assert first.build is not None
    assert second.build is not None
    assert (first.outcome, second.outcome) == (Outcome.SUCCEEDED, Outcome.SUCCEEDED)
    assert first_asked <= first.build.started < second_asked <= second.build.started
    assert "pressed" in tilted.tilt.logs("press")


def test_trigger_that_fails_says_why(tilted: Tilted) -> None:
    """A failed update is a failure with its reason and its log."""
    found = tilted.tilt.trigger("fails")
    assert found.outcome is Outcome.FAILED
    assert "exit status 3" in found.why
    assert "so it is" in found.log


def test_health_sees_resources_that_are_ready_and_one_that_is_not(tilted: Tilted) -> None:
    """A resource that does not build is the failure, with its log; a failed trigger is none."""
    tilted.tilt.trigger("fails")
    code, found = health(tilted)
    assert code == 0
    assert {name: each["state"] for name, each in found.items()} == {
        "tilt.runs": "pass",
        "tilt.is_new_enough": "pass",
        "tilt.resources_are_ready": "pass",
        "tilt.forwards_are_alive": "off",
    }
    assert found["tilt.resources_are_ready"]["summary"].endswith("triggers that failed when last pressed: fails")
    broken = tilted.folder / "broken"
    broken.touch()
    try:
        wait_for(tilted, "steady", failing=True)
        code, found = health(tilted)
        verdict = found["tilt.resources_are_ready"]
        assert (code, verdict["state"]) == (1, "fail")
        assert verdict["summary"].startswith("steady does not build: ")
        assert f"tilt trigger steady --port={tilted.tilt.port}" in verdict["remedy"]
        assert verdict["evidence"][0]["title"] == "log of steady"
    finally:
        broken.unlink()
        wait_for(tilted, "steady", failing=False)


def test_fixture_gives_the_running_tilt(tilted: Tilted, tmp_path: Path) -> None:
    """A test of the project presses a trigger and waits for it."""
    test = tilted.folder / "test_tilt.py"
    test.write_text(FIXTURE)
    try:
        process = command(tilted, "-m", "pytest", *UNRELATED, "test_tilt.py")
        assert process.returncode == 0, process.stdout
    finally:
        test.unlink()
    with pytest.raises(NoTiltError, match="which is not of"):
        running(tmp_path)


def test_loop_is_timed_by_what_tilt_records(tilted: Tilted) -> None:
    """Tilt's own records part an edit into detect, update and live, which add up to the whole."""
    before = (tilted.folder / "page.py").read_bytes()
    process = command(tilted, *COMMAND[1:], "loop", "code", "--runs", "2", "--json")
    assert process.returncode == 0, process.stdout + process.stderr
    (found,) = json.loads(process.stdout)["loops"]
    assert found["carrier"] == "tilt"
    for sample in found["samples"]:
        assert set(sample["stages_s"]) == {"detect", "update", "live"}
        assert sum(sample["stages_s"].values()) == pytest.approx(sample["total_s"])
    assert (tilted.folder / "page.py").read_bytes() == before


def wait_for(tilted: Tilted, name: str, *, failing: bool) -> None:
    """Wait until a resource is failing, or ready."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = tilted.tilt.resource(name)
        if not found.is_busy and (found.is_failing if failing else found.is_ready):
            return
        time.sleep(0.2)
    msg = f"{name} is {found.state}"
    raise AssertionError(msg)
