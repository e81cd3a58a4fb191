"""What the user's kubeconfig says, read without talking to any cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping


def kubeconfig_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files that kubectl would merge: those of KUBECONFIG, else ~/.kube/config."""
    named = environ.get("KUBECONFIG")
    if named:
        return tuple(Path(part).expanduser() for part in named.split(os.pathsep) if part)
    home = environ.get("HOME")
    return () if home is None else (Path(home) / ".kube" / "config",)


def current_context(environ: Mapping[str, str]) -> str | None:
    """Return the current context, which the first file that sets one decides; None where no file does.

    Raises TargetError where a file exists and cannot be read as a kubeconfig.
    """
    for file in kubeconfig_files(environ):
        context = _context_of(file)
        if context:
            return context
    return None


def _context_of(file: Path) -> str | None:
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, str(error)) from error
    if not text.strip():
        return None
    import yaml

    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        raise _unreadable(file, str(error).splitlines()[0]) from error
    context = content.get("current-context") if isinstance(content, dict) else None
    return context if isinstance(context, str) else None


def _unreadable(file: Path, reason: str) -> TargetError:
    return TargetError(
        f"expected a kubeconfig in {file}, found: {reason}",
        remedy="mend the file, or choose a target that needs none: --devenv-target=embedded or addresses",
    )
