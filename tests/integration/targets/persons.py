"""Running a command as an ordinary user, also where the tests are run by root."""

from __future__ import annotations

import os
import pwd

ORDINARY = "nobody"


def as_ordinary_user(command: list[str]) -> list[str]:
    """Return the command as an ordinary user runs it.

    Root's Python may stand in a home that nobody else enters: the user may read everything, and write as anybody.
    """
    if os.geteuid() != 0:
        return command
    entry = pwd.getpwnam(ORDINARY)
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    return [
        "/usr/bin/setpriv",
        f"--reuid={entry.pw_uid}",
        f"--regid={entry.pw_gid}",
        "--clear-groups",
        *reading,
        *command,
    ]


def give(path: str | os.PathLike[str]) -> None:
    """Make the ordinary user the owner of a path."""
    if os.geteuid() == 0:
        entry = pwd.getpwnam(ORDINARY)
        os.chown(path, entry.pw_uid, entry.pw_gid)
