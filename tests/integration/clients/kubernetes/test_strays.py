"""Which forwards of kubectl are this environment's and lead nowhere, told by processes that look like them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.kubernetes.strays import Stray, end, forwarded, is_forward, option, strays
from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., tuple[int, int]]

CONTEXT, NAMESPACE = "kind-strays-of-a-test", "strays"
# It takes connections as kubectl does: to a pod that is gone it hangs up, else the pod answers.
FORWARD = """
import socket, sys
answer = {answer!r}
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            if answer:
                connection.recv(100)
                connection.sendall(answer)
"""


@pytest.fixture
def start() -> Iterator[Start]:
    """Give what starts a process that says it is kubectl's; it returns its id and the port that it holds."""
    with contextlib.ExitStack() as stack:

        def started(*words: str, answer: bytes = b"") -> tuple[int, int]:
            process = subprocess.Popen(
                ["/usr/local/bin/kubectl", "-c", FORWARD.format(answer=answer), *words],
                executable=sys.executable,
                env={"PYTHONHOME": sys.base_prefix},
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            assert process.stdout is not None
            return process.pid, int(process.stdout.readline())

        yield started


def found(current: str | None = None) -> dict[int, Stray]:
    """Return the strays of the environment, by their process."""
    kinds = {80: ServiceKind.HTTP}
    return {each.pid: each for each in strays(CONTEXT, NAMESPACE, current=current, kinds=kinds, deadline_s=30)}


def test_forward_that_leads_nowhere_is_found_and_ended(start: Start) -> None:
    """It is named with its port, and is gone afterwards; the one behind which somebody answers is left alone."""
    ours = ("--context", CONTEXT, f"--namespace={NAMESPACE}", "port-forward", "deployment/web", "8080:80")
    dead, port = start(*ours)
    living, _ = start(*ours, answer=b"HTTP/1.1 200 OK\r\n\r\n")
    strays = found()
    assert living not in strays
    assert str(strays[dead]) == f"the forward to deployment/web at {port} (pid {dead})"
    end(strays[dead])
    assert dead not in found()


def test_forward_of_another_environment_is_not_ours(start: Start) -> None:
    """Another namespace, another context, or none that is said: it is left alone, whatever is behind it."""
    others = [
        start("--context", CONTEXT, "-n", "other", "port-forward", "pod/web", "80")[0],
        start("--context", "kind-other", "-n", NAMESPACE, "port-forward", "pod/web", "80")[0],
        start("--context", CONTEXT, "port-forward", "pod/web", "80")[0],
    ]
    assert not set(others) & set(found())
    nameless, _ = start("-n", NAMESPACE, "port-forward", "pod/web", "80")
    assert nameless not in found(current="kind-other")
    assert nameless in found(current=CONTEXT)


def test_number_of_a_process_that_has_ended_is_not_trusted(start: Start) -> None:
    """A process that was started at another time is somebody else, and goes on."""
    pid, _ = start("--context", CONTEXT, "-n", NAMESPACE, "port-forward", "pod/web", "80")
    end(Stray(pid=pid, started=1.0, subject="pod/web", ports=()))
    assert pid in found()


def test_command_lines_of_kubectl_are_understood() -> None:
    """Options in either form, and ports in each of kubectl's ways to write them."""
    words = ["/usr/bin/kubectl", "-n", "a", "port-forward", "svc/web", "8080:80", "443", ":90"]
    assert is_forward(words)
    assert not is_forward(["kubectl", "get", "pods"])
    assert not is_forward(["vim", "port-forward"])
    assert (option(words, "--namespace", "-n"), option(["--namespace=b"], "--namespace", "-n")) == ("a", "b")
    assert option(words, "--context") is None
    assert forwarded(words) == ("svc/web", {8080: 80, 443: 443})
