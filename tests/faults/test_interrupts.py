"""What is left of a run that somebody ends in the middle: nothing."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.targets.remains import processes_in, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)

INTERRUPTED = 2
HANGING = """
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        open("asked", "w").close()
        time.sleep(600)

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
NEVER_LISTENING = "import time\nopen('running', 'w').close()\ntime.sleep(600)\n"


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["serial", "xdist"])
def test_ctrl_c_in_the_middle_of_the_start_ends_everything(shop: Shop, more: tuple[str, ...]) -> None:
    """With servers up and a backend that is still waited for, Ctrl-C ends the run in seconds, and all that it began."""
    (shop.folder / "backend.py").write_text(NEVER_LISTENING)
    began = time.monotonic()
    process = shop.begin("-m", "health", *more)
    wait_for_file(shop.folder / "running")
    interrupted = time.monotonic()
    process.send_signal(signal.SIGINT)
    run = shop.end(process, began=began)
    assert time.monotonic() - interrupted < 20  # of which xdist gives its workers ten
    assert run.exit_code == INTERRUPTED, run.output


@pytest.mark.parametrize("delay_s", [0.1, 0.3, 0.6, 1.0])
def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing(shop: Shop, delay_s: float) -> None:
    """Whether initdb, a server or a migration is at work, Ctrl-C ends it, and nothing begins after it."""
    (shop.folder / "backend.py").write_text(NEVER_LISTENING)
    shop.edit("start_s = 20", "start_s = 40")
    began = time.monotonic()
    process = shop.begin("-m", "health")
    wait_for_folder(shop.state)
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    run = shop.end(process, began=began)
    assert run.exit_code == INTERRUPTED, run.output
    assert run.took_s - delay_s < 30


def test_ctrl_c_in_the_middle_of_the_looks_ends_everything(shop: Shop) -> None:
    """With a frontend that is asked and does not answer, Ctrl-C ends the run in seconds, and the environment."""
    (shop.folder / "frontend.py").write_text(HANGING)
    shop.edit("deadline_s = 5", "deadline_s = 60")
    began = time.monotonic()
    process = shop.begin("-m", "health")
    wait_for_file(shop.folder / "asked")
    interrupted = time.monotonic()
    process.send_signal(signal.SIGINT)
    run = shop.end(process, began=began)
    assert time.monotonic() - interrupted < 15
    assert run.exit_code == INTERRUPTED, run.output


def test_a_cancelled_run_leaves_nothing(shop: Shop) -> None:
    """SIGTERM, which CI sends to what it cancels, ends the run in seconds, and the environment with it."""
    (shop.folder / "backend.py").write_text(NEVER_LISTENING)
    began = time.monotonic()
    process = shop.begin("-m", "health")
    wait_for_file(shop.folder / "running")
    process.terminate()
    run = shop.end(process, began=began)
    assert run.exit_code == INTERRUPTED, run.output


def test_the_next_run_sweeps_what_a_killed_one_left(shop: Shop) -> None:
    """After SIGKILL the servers run on; the next run ends them, is healthy itself, and leaves nothing."""
    process = shop.begin("-m", "health")
    servers = wait_for(shop.state, "postgres", "valkey-server")
    process.kill()
    process.communicate()
    assert processes_in(shop.state)
    run = shop.run()
    assert run.exit_code == 0
    assert not any(server.is_running() for server in servers.values())


def wait_for_folder(state: Path) -> None:
    """Wait until an environment has its folder."""
    end = time.monotonic() + 30
    while not any(each.name != ".lock" for each in state.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.01)


def wait_for_file(file: Path, *, within_s: float = 30.0) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + within_s
    while not file.exists():
        assert time.monotonic() < end, f"no {file.name} within {within_s:g} s"
        time.sleep(0.02)
