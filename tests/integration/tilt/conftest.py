"""A small project under a real Tilt: programs of this machine alone, on free ports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.tilt.client import Tilt, running
from pytest_devenv.clients.tilt.program import NoTiltError
from pytest_devenv.targets.embedded.ports import reserved_port
from tests.faults.project import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "loop" / "page" / "page.py"
UP_S = 90.0
TILTFILE = """
version_settings(constraint='>=0.30.0')
local_resource('page', serve_cmd='exec {python} page.py {port}', deps=['page.py'], allow_parallel=True,
    readiness_probe=probe(period_secs=1, http_get=http_get_action({port})), links=['http://localhost:{port}'])
local_resource('steady', 'test ! -e broken', deps=['broken'], resource_deps=['page'])
local_resource('press', 'echo pressed', trigger_mode=TRIGGER_MODE_MANUAL, auto_init=False)
local_resource('fails', 'echo so it is; exit 3', trigger_mode=TRIGGER_MODE_MANUAL, auto_init=False)
local_resource('idle', 'true', trigger_mode=TRIGGER_MODE_MANUAL, auto_init=False)
"""
SETTINGS = """
[tool.pytest-devenv]
name = "page"
target = "addresses"
deadline_s = 30

[tool.pytest-devenv.services.page]
kind = "http"
url = "http://127.0.0.1:{port}"

[tool.pytest-devenv.loops.code]
edit = "page.py"
at = 'CODE = "code'
observe = {{ service = "page", path = "/" }}
budget_s = {{ detect = 60, build = 60, update = 60, total = 60 }}
"""


@dataclass(frozen=True, slots=True)
class Tilted:
    """A project and the Tilt that runs it."""

    shop: Shop
    tilt: Tilt

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.shop.folder


@pytest.fixture(scope="session")
def tilted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tilted]:
    """Give a project that Tilt has brought up, and end that Tilt afterwards; nothing of the user's own is touched."""
    program = shutil.which("tilt")
    if program is None:
        pytest.skip("there is no tilt on PATH")
    folder = tmp_path_factory.mktemp("tilted")
    project = folder / "project"
    project.mkdir()
    with reserved_port() as port, reserved_port() as tilt_port, pytest.MonkeyPatch.context() as patch:
        given = {
            "TILT_DEV_DIR": str(folder / "tilt-dev"),
            "TILT_PORT": str(tilt_port),
            "TILT_DISABLE_ANALYTICS": "1",
        }
        for key, value in given.items():
            patch.setenv(key, value)
        shutil.copy(PAGE, project)
        (project / "text.txt").write_text("a text\n")
        (project / "Tiltfile").write_text(TILTFILE.format(python=sys.executable, port=port))
        (project / "pyproject.toml").write_text(SETTINGS.format(port=port))
        log = folder / "tilt.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, "up", "--stream", f"--port={tilt_port}"],
                cwd=project,
                env={**os.environ, "HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            tilt = _up(project, process, log)
            yield Tilted(Shop(project, folder / "state", given), tilt)
        finally:
            process.terminate()
            process.wait(30)


def _up(project: Path, process: subprocess.Popen[bytes], log: Path) -> Tilt:
    """Wait until what runs by itself is ready."""
    end = time.monotonic() + UP_S
    while time.monotonic() < end and process.poll() is None:
        try:
            tilt = running(project)
            if all(each.is_ready or each.manual for each in tilt.resources().values()):
                return tilt
        except NoTiltError:
            pass
        time.sleep(0.3)
    msg = f"Tilt did not come up within {UP_S:g} s: {log.read_text(errors='replace')[-2000:]}"
    raise AssertionError(msg)
