"""Where loops keep what outlives a run: the journal of edits and the history, outside of every repository."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_devenv.errors import TargetError
from pytest_devenv.targets.embedded.instance import STATE_VARIABLE, own_folder, state_folder

EDIT = ".edit"


def loops_path() -> Path:
    """Return where the folder is, or will be: below PYTEST_DEVENV_STATE, else below the user's state folder.

    The temporary folder would not do: a file that was being edited when the machine went down is to be put back after
    it came up again.
    """
    named = os.environ.get(STATE_VARIABLE)
    if named is not None:
        return Path(named).absolute() / "loops"
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "pytest-devenv" / "loops"


def journal() -> list[Path]:
    """Return the entries of the journal: one for each file that is being edited, or was when its run was killed."""
    return sorted(loops_path().glob(f"*{EDIT}"))


def loops_folder() -> Path:
    """Return the folder, made where it is not there yet, and readable by its owner alone. Raises TargetError."""
    path = loops_path()
    if STATE_VARIABLE in os.environ:
        state_folder()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"expected to make the folder {path.parent}, found: {error.strerror}"
        raise TargetError(msg, remedy=f"name a folder that you may write in {STATE_VARIABLE}") from error
    return own_folder(path, mode=0o700)
