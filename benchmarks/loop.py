"""What looking adds to a loop: edits of a file that a service in another process shows after a known delay.

The service knows to a millisecond when it began to answer with an edit, and says so in that answer: what the loop found
above that is what looking added. Beside it, a new connection for each look, as a shell loop around curl makes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.request import urlopen

from benchmarks.measure import Row
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.loop.edit import edited
from pytest_devenv.loop.observe import of_service
from pytest_devenv.settings import ServiceKind
from pytest_devenv.targets.embedded.instance import STATE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

DELAYS_MS = (50, 250, 1000)
RUNS = 15
_LONGEST_S = 30
_SERVICE = """
import sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FILE, DELAY_S = Path(sys.argv[1]), float(sys.argv[2])
answer = FILE.read_bytes()
since = time.monotonic()

def watch():
    global answer, since
    while True:
        found = FILE.read_bytes()
        if found and found != answer:
            end = FILE.stat().st_mtime_ns / 1e9 + DELAY_S
            while (left := end - time.time()) > 0:
                time.sleep(min(left, 0.05))
            answer, since = found, time.monotonic()
        time.sleep(0.001)

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    def do_GET(self):
        body = answer + b"\\n" + repr(since).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

threading.Thread(target=watch, daemon=True).start()
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def rows() -> list[Row]:
    """Return what looking adds for each delay, the longest pause between two looks, and what curl adds."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        patch.dict(os.environ, {STATE_VARIABLE: str(Path(scratch) / "state")}),
    ):
        found: list[Row] = []
        pauses: list[float] = []
        for delay_ms in DELAYS_MS:
            added = _added(Path(scratch), delay_ms / 1000, pauses)
            found.append(Row(f"live after {delay_ms} ms: looking adds", statistics.median(added), "ms", 5))
        found.append(Row("the longest pause between two looks", statistics.median(pauses), "ms", 20))
        curl = shutil.which("curl")
        if curl is None:
            return [*found, Row("curl in a loop adds", float("nan"), "", note="curl missing")]
        return [*found, Row("curl in a loop adds", statistics.median(_added_by(curl, Path(scratch))), "ms")]


def _added(scratch: Path, delay_s: float, pauses: list[float]) -> list[float]:
    """Return by how many milliseconds each edit was seen later than the service answered with it."""
    added = []
    file = scratch / "file"
    file.write_text("text\n")
    with _service(file, delay_s) as port, edited(file, at=None) as editing:
        endpoint = Endpoint(service="fake", kind=ServiceKind.HTTP, host="127.0.0.1", port=port)
        for _ in range(RUNS):
            with of_service(endpoint, "/") as observer:
                observer.look_at_rest()
                written = editing.stamp()
                seen = observer.until_there(written.stamp, deadline=time.monotonic() + _LONGEST_S)
                pauses.append(1000 * observer.looking.longest_pause_s)
            added.append(1000 * (seen.at - _since(port)))
    return added


def _added_by(curl: str, scratch: Path) -> list[float]:
    added = []
    file = scratch / "file"
    file.write_text("text\n")
    with _service(file, DELAYS_MS[1] / 1000) as port, edited(file, at=None) as editing:
        for _ in range(RUNS):
            written = editing.stamp()
            while written.stamp not in _asked(curl, port):
                pass
            added.append(1000 * (time.monotonic() - _since(port)))
    return added


def _since(port: int) -> float:
    """Return when the service began to answer as it does now; both processes have the same monotonic clock."""
    with urlopen(f"http://127.0.0.1:{port}/", timeout=_LONGEST_S) as answer:
        return float(answer.read().splitlines()[-1])


def _asked(curl: str, port: int) -> bytes:
    return subprocess.run([curl, "--silent", f"http://127.0.0.1:{port}/"], check=True, capture_output=True).stdout


@contextlib.contextmanager
def _service(file: Path, delay_s: float) -> Iterator[int]:
    process: subprocess.Popen[Any] = subprocess.Popen(
        [sys.executable, "-c", _SERVICE, str(file), str(delay_s)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101  # for the type checker
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()
