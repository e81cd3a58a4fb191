"""Where the command's process begins and ends: `pytest-devenv`, and `python -m pytest_devenv`."""

from __future__ import annotations

import gc

_THRESHOLD = 100_000


def run() -> None:
    """Run the command as a process of its own.

    Most of what it makes are modules, which live as long as it does. To look time and again whether they are garbage
    would take a fifth of a short command's time, half of that at its end, when the interpreter looks a last time.
    """
    gc.set_threshold(_THRESHOLD)
    from pytest_devenv.cli import main

    try:
        main(prog_name="pytest-devenv")
    finally:
        gc.freeze()


if __name__ == "__main__":
    run()
