"""What a Tiltfile declares, as Tilt itself evaluates it, with a kube context that is made up and leads nowhere."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.kubernetes.kubeconfig import current_context
from pytest_devenv.errors import TargetError
from pytest_devenv.guard import allows_context
from pytest_devenv.options import VALIDATING
from pytest_devenv.probes.tilt import TILTFILE
from pytest_devenv.verdict import Evidence, Verdict, failed, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.settings import Settings

EVALUATE_S = 90.0  # a Tiltfile may run programs
_INSTALL = "install Tilt: https://docs.tilt.dev/install.html"
_LINES = 15
# Tilt leaves such a dependency out of what it prints.
_IGNORED = re.compile(r"resource (\S+) specified a dependency on unknown resource (\S+) - dependency ignored")
_NOWHERE = "https://127.0.0.1:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource of Tilt: what it waits for, the ports of this machine that it forwards, the command of a local one.

    `folder` is where the command runs.
    """

    name: str
    requires: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    command: tuple[str, ...] = ()
    folder: Path = Path()
    workloads: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Resource:
        """Make the resource that Tilt prints."""
        target = data.get("DeployTarget") or {}
        update = target.get("UpdateCmdSpec") or {}
        forwards = (target.get("portForwardTemplateSpec") or {}).get("forwards") or ()
        return cls(
            name=str(data.get("Name", "")),
            requires=tuple(data.get("ResourceDependencies") or ()),
            ports=tuple(each["localPort"] for each in forwards if "localPort" in each),
            command=tuple(update.get("args") or ()),
            folder=Path(update.get("dir") or "."),
            workloads=tuple(_workloads(target.get("yaml") or "")),
        )


Resources = dict[str, Resource]


def evaluated(settings: Settings) -> Resources | Verdict:
    """Return the resources of the project's Tiltfile by name, or the verdict on why they are not known."""
    program = shutil.which("tilt")
    if program is None:
        return _parsed(settings.root / TILTFILE)
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder, "kubeconfig")
        kubeconfig.write_text(_kubeconfig(_context(settings)))
        environ = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
            "TILT_DISABLE_ANALYTICS": "1",
            VALIDATING: "1",
        }
        command = [program, "alpha", "tiltfile-result", "--verbose"]
        try:
            done = subprocess.run(
                command,
                cwd=settings.root,
                env=environ,
                capture_output=True,
                text=True,
                timeout=EVALUATE_S,
                check=False,
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            return unknown(
                f"the {TILTFILE} is not evaluated within {EVALUATE_S:g} s",
                where=str(settings.root / TILTFILE),
                remedy="see what it waits for: tilt alpha tiltfile-result",
            )
    try:
        declared = json.loads(done.stdout)["Manifests"] or () if done.returncode == 0 else None
    except (ValueError, LookupError, TypeError):
        declared = None
    if declared is None:
        return _failure(settings, done.stderr)
    resources = {each.name: each for each in map(Resource.from_json, declared)}
    for name, lost in _IGNORED.findall(done.stderr):
        if name in resources:
            resources[name] = replace(resources[name], requires=(*resources[name].requires, lost))
    return resources


def _failure(settings: Settings, said: str) -> Verdict:
    """Return what Tilt said of a Tiltfile that it does not take: the error itself, and the remedy where it has one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    start = max((at for at, line in enumerate(lines) if line.startswith("Error")), default=max(0, len(lines) - 1))
    remedies = [line.partition("remedy:")[2].strip() for line in lines if "remedy:" in line]
    return failed(
        f"Tilt does not take the {TILTFILE}",
        expected="a Tiltfile that evaluates",
        found=" ".join(lines[start:])[:400] or "no reason given",
        where=next((line for line in lines if TILTFILE in line and ":" in line), str(settings.root / TILTFILE)),
        remedy=remedies[0] if remedies else "correct it, then: tilt alpha tiltfile-result",
        evidence=(Evidence("what Tilt said", "\n".join(lines[-_LINES:])),),
    )


def _parsed(file: Path) -> Verdict:
    """Return what can be said without Tilt: whether the Tiltfile is Starlark, where a parser is installed."""
    if importlib.util.find_spec("starlark") is None:
        return unknown(f"the {TILTFILE} was not evaluated: there is no tilt on PATH", where=str(file), remedy=_INSTALL)
    import starlark

    dialect = starlark.Dialect.extended()
    dialect.enable_top_level_stmt = True
    try:
        starlark.parse(TILTFILE, file.read_text(encoding="utf-8"), dialect=dialect)
    except (starlark.StarlarkError, OSError, UnicodeDecodeError) as error:
        return failed(
            f"the {TILTFILE} is no Starlark",
            expected="a Tiltfile that can be parsed",
            found=" ".join(str(error).split())[:400],
            where=str(file),
            remedy=f"correct {file} at the line named above",
        )
    return unknown(
        f"the {TILTFILE} is Starlark, but what it declares was not looked at: there is no tilt on PATH",
        where=str(file),
        remedy=_INSTALL,
    )


def _context(settings: Settings) -> str:
    """Return the name of a context that the settings allow: the one of a run, else what their first pattern fits."""
    try:
        current = settings.context or current_context(os.environ)
    except TargetError:
        current = None
    if current is not None and allows_context(settings.contexts, current):
        return current
    return settings.contexts[0].replace("*", "devenv").replace("?", "x") if settings.contexts else "kind-devenv"


def _kubeconfig(context: str) -> str:
    """Return a kubeconfig with that context alone. Tilt takes a cluster for one of development by its name too."""
    entry = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": {"server": _NOWHERE}}],
        "users": [{"name": context, "user": {}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }
    return json.dumps(entry)


def _workloads(text: str) -> list[str]:
    """Return what the YAML of a resource deploys, as kubectl writes it: `deployment/backend`."""
    import yaml

    if not text:
        return []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = (each for each in yaml.load_all(text, Loader=loader) if isinstance(each, dict))
    return [f"{str(each.get('kind', '')).lower()}/{(each.get('metadata') or {}).get('name')}" for each in found]
