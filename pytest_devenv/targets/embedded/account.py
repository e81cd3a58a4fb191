"""As whom servers run: PostgreSQL refuses root, so root hands them to an account that every Unix has."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pytest_devenv.errors import TargetError

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group ids of a server process; None means those of this process."""

    uid: int | None = None
    gid: int | None = None

    @property
    def borrowed(self) -> bool:
        """Whether it is another account than our own."""
        return self.uid is not None

    def own(self, path: str | os.PathLike[str]) -> None:
        """Give `path` to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """Return the account for servers that refuse root. Nothing is created on the machine."""
    if os.geteuid() != 0:
        return Account()
    import pwd

    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        msg = (
            f"PostgreSQL does not run as root: expected an account named {UNPRIVILEGED!r} to run it as, "
            "found none in the password database"
        )
        raise TargetError(msg, remedy="run as an ordinary user") from None
    return Account(entry.pw_uid, entry.pw_gid)
