"""Questions to the person at the terminal, before something is destroyed or changed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.cli.db.codes import UsageError
from pytest_devenv.errors import DevenvError

if TYPE_CHECKING:
    from pytest_devenv.cli.db.call import Call


def agree(call: Call, question: str, *, force: bool) -> None:
    """Go on only when the person says yes, or `force` says it for them.

    Raises UsageError where nobody can be asked, DevenvError when the answer is no.
    """
    if force:
        return
    if not call.interactive:
        message = (
            f"nobody was asked: {question}\n"
            "  expected: a person at the terminal, or --force\n"
            f"  found: {'--json' if call.report.as_json else 'no terminal'}\n"
            f"  where: {call.line}"
        )
        raise UsageError(message, remedy=f"pytest-devenv {call.line} --force")
    if not click.confirm(call.report.clean(question), err=True):
        raise DevenvError("nothing was changed: the answer was no")


def typed_name(call: Call, question: str) -> str | None:
    """Ask for a name to be typed; None where nobody can be asked."""
    if not call.interactive:
        return None
    answer: str = click.prompt(call.report.clean(question), default="", show_default=False, err=True)
    return answer
