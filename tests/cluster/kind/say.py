"""What is being done, said while it is done, with the time it took."""

from __future__ import annotations

import contextlib
import subprocess
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LAST_LINES = 25


class StepError(Exception):
    """A step that did not succeed; the message is for the person at the terminal."""


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    click.echo(f"-- {what}")
    began = time.monotonic()
    yield
    click.echo(f"   done after {time.monotonic() - began:.1f} s")


def run(
    *words: str | Path,
    deadline_s: float = 600,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """Run a program and return what it prints; raises StepError with its last lines where it fails or hangs."""
    command = [str(word) for word in words]
    shown = " ".join(command)[:200]
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, timeout=deadline_s, check=False
        )
    except FileNotFoundError as error:
        msg = f"expected the program {command[0]}, found none (to run: {shown})"
        raise StepError(msg) from error
    except subprocess.TimeoutExpired as error:
        msg = f"expected an end within {deadline_s:g} s, found it still running: {shown}"
        raise StepError(msg) from error
    if done.returncode != 0:
        last = "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:])
        msg = f"exit status {done.returncode} of: {shown}\n    {last}"
        raise StepError(msg)
    return done.stdout


def succeeds(*words: str | Path, env: Mapping[str, str] | None = None, deadline_s: float = 30) -> bool:
    """Tell whether a program is there, ends in time and exits with 0."""
    try:
        run(*words, env=env, deadline_s=deadline_s)
    except StepError:
        return False
    return True
