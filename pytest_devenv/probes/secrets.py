"""Whether each required secret is there: by its name, never by its value."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.probe import Probe
from pytest_devenv.settings import ServiceKind, TargetName
from pytest_devenv.settings.redact import looks_secret
from pytest_devenv.verdict import failed, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*$")


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield a probe for every required secret."""
    for name in settings.required_secrets:
        yield Probe(name="secret.is_present", subject=name, look=partial(_is_present, name))


def variable(secret: str) -> str:
    """Return the environment variable of a secret: `JWT_SECRET` for `jwt-secret`."""
    return re.sub(r"\W", "_", secret).upper()


def _is_present(secret: str, environment: Environment) -> Verdict:
    name = variable(secret)
    file = environment.settings.root / ".env"
    places = _places(environment)
    if environment.target is not TargetName.EMBEDDED:  # which gives no service anything of a .env file
        try:
            places[str(file)] = _variables(file)
        except PermissionError:
            return unknown(f"{file} may not be read", where=str(file), remedy=f"chmod u+r {file}")
    holding = [place for place, variables in places.items() if variables.get(name)]
    if holding:
        return passed(f"{name} is set in {holding[0]}", variable=name)
    empty = [place for place, variables in places.items() if name in variables]
    return failed(
        f"secret {secret} is missing",
        expected=f"{name} set, and not empty",
        found=f"empty in {', '.join(empty)}" if empty else "not set",
        where=", ".join(places),
        remedy=_remedy(secret, file, environment),
        variable=name,
    )


def _remedy(secret: str, file: Path, environment: Environment) -> str:
    """Return what gives the secret to the services: on the embedded target the settings do, elsewhere a .env file."""
    name, settings = variable(secret), environment.settings
    if environment.target is not TargetName.EMBEDDED:
        value = "$(openssl rand -hex 32)" if looks_secret(secret) else "…"
        return f'echo "{name}={value}" >> {file}'
    keys = [f"services.{each.name}.env" for each in settings.services.values() if each.kind is ServiceKind.HTTP]
    if not keys:
        return f"export {name}=…"
    again = (
        ", then, with all its data made anew: pytest-devenv env down && pytest-devenv env up"
        if environment.attached
        else ""
    )
    return f'add {name} = "…" to {" or ".join(keys)} in {settings.file.name}{again}'


def _places(environment: Environment) -> dict[str, Mapping[str, str]]:
    """Return the variables by where they stand: what each service was given, or is to be given, and our own."""
    settings = environment.settings
    given = {f"the environment of {service}": values for service, values in environment.variables.items()}
    named = {
        f"services.{name}.env in {settings.file.name}": service.env
        for name, service in settings.services.items()
        if service.env and name not in environment.variables
    }
    return {**given, **named, "this process's environment": os.environ}


def _variables(file: Path) -> dict[str, str]:
    """Read a .env file; a value may be quoted."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, IsADirectoryError):
        return {}
    matches = (_LINE.match(line) for line in text.splitlines())
    return {match["name"]: match["value"].strip("\"'") for match in matches if match is not None}
