"""What the user's kubeconfig says, merged as kubectl merges it and read without talking to any cluster."""

from __future__ import annotations

import functools
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One context of the files that hold it, pinned for a run; `why` says in one line how it was chosen."""

    files: tuple[Path, ...]
    context: str
    why: str

    @property
    def kubectl(self) -> str:
        """How a kubectl line begins that looks at this context, whichever kubeconfig the user's own kubectl reads."""
        named = [] if self.files == kubeconfig_files(os.environ) else ["--kubeconfig", str(self.files[0])]
        return shlex.join(["kubectl", *(named if len(self.files) == 1 else ()), "--context", self.context])


@dataclass(frozen=True, slots=True)
class Named:
    """One entry of a kubeconfig, and the file that it stands in: its relative paths begin there."""

    name: str
    values: Mapping[str, Any]
    file: Path

    def text(self, key: str) -> str | None:
        """Return a value that is a text and not empty, None for any other."""
        value = self.values.get(key)
        return value if isinstance(value, str) and value else None

    def path(self, key: str) -> Path | None:
        """Return a value as the path that it means, seen from its file."""
        value = self.text(key)
        return None if value is None else self.file.absolute().parent / value


@dataclass(frozen=True, slots=True)
class Entries:
    """What one context names: where its server is, who it is to be asked as, and its own namespace."""

    cluster: Named
    user: Named
    namespace: str | None


def kubeconfig_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files that kubectl would merge: those of KUBECONFIG, else ~/.kube/config."""
    named = environ.get("KUBECONFIG")
    if named:
        parts = dict.fromkeys(part for part in named.split(os.pathsep) if part)
        return tuple(Path(part).expanduser() for part in parts)
    home = environ.get("HOME")
    return () if home is None else (Path(home) / ".kube" / "config",)


def current_context(environ: Mapping[str, str]) -> str | None:
    """Return the current context, which the first file that sets one decides; None where no file does.

    Raises TargetError where a file exists and cannot be read as a kubeconfig.
    """
    for file in kubeconfig_files(environ):
        context = _content(file).get("current-context")
        if isinstance(context, str) and context:
            return context
    return None


def contexts(files: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the names of all contexts of the files, in their order. Raises TargetError."""
    return tuple(dict.fromkeys(each.name for file in files for each in _named(file, "contexts", "context")))


def entries(config: Kubeconfig) -> Entries:
    """Return what a context names; of two entries of one name, in whichever files, the first counts.

    Raises TargetError where the files have no such context, cluster or user.
    """
    context = _first(config, "contexts", "context", config.context)
    if context is None:
        found = ", ".join(contexts(config.files)) or "no context at all"
        msg = f"expected the context {config.context} in {_said(config.files)}, found {found}"
        raise TargetError(msg, remedy="see them all: kubectl config get-contexts")
    cluster = _of_context(config, context, "clusters", "cluster")
    user = (
        Named("", {}, context.file) if context.text("user") is None else _of_context(config, context, "users", "user")
    )
    return Entries(cluster, user, context.text("namespace"))


def _of_context(config: Kubeconfig, context: Named, kind: str, key: str) -> Named:
    name = context.text(key)
    found = None if name is None else _first(config, kind, key, name)
    if found is None:
        missing = f"names no {key}" if name is None else f"names the {key} {name}, which is in none of the files"
        msg = (
            f"the context {context.name} cannot be used: expected a {key} that {_said(config.files)} describe, "
            f"found that it {missing}, looked in {context.file}"
        )
        raise TargetError(msg, remedy=f"have whoever made the cluster write it anew, or correct {context.file}")
    return found


def _first(config: Kubeconfig, kind: str, key: str, name: str) -> Named | None:
    every = (each for file in config.files for each in _named(file, kind, key))
    return next((each for each in every if each.name == name), None)


def _named(file: Path, kind: str, key: str) -> list[Named]:
    listed = _content(file).get(kind)
    return [
        Named(each["name"], each[key], file)
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get(key), dict)
    ]


def _content(file: Path) -> dict[str, Any]:
    try:
        state = file.stat()
        return _read(file, state.st_mtime_ns, state.st_size, state.st_ino)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, str(error)) from error


@functools.lru_cache(maxsize=16)
def _read(file: Path, *_: int) -> dict[str, Any]:
    """Read a file in one of its states, once."""
    text = file.read_text()
    if not text.strip():
        return {}
    import yaml

    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        raise _unreadable(file, str(error).splitlines()[0]) from error
    return content if isinstance(content, dict) else {}


def _said(files: tuple[Path, ...]) -> str:
    return ", ".join(map(str, files)) or "the kubeconfig"


def _unreadable(file: Path, reason: str) -> TargetError:
    return TargetError(
        f"expected a kubeconfig in {file}, found: {reason}",
        remedy="mend the file, or choose a target that needs none: --devenv-target=embedded or addresses",
    )
