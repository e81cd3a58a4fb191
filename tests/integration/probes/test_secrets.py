"""Required secrets: found by their names, and never shown."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_devenv.settings import Service, ServiceKind, TargetName
from pytest_devenv.verdict import State, failed
from tests.integration.probes.samples import environment, look

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PROBE = "secret.is_present[shop-token-key]"
VALUE = "s3cr3t-value-1"


def test_a_secret_that_a_service_was_given_passes(tmp_path: Path) -> None:
    """A secret among the variables of a service is there; its value is not told."""
    here = environment(root=tmp_path, secrets=("shop-token-key",))
    verdict = look(replace(here, variables={"backend": {"SHOP_TOKEN_KEY": VALUE}}), PROBE)
    assert verdict.state is State.PASS
    assert verdict.summary == "SHOP_TOKEN_KEY is set in the environment of backend"
    assert VALUE not in str(verdict)


def test_a_secret_of_this_process_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the environment of this process is there."""
    monkeypatch.setenv("SHOP_TOKEN_KEY", VALUE)
    verdict = look(environment(root=tmp_path, secrets=("shop-token-key",)), PROBE)
    assert verdict.summary == "SHOP_TOKEN_KEY is set in this process's environment"


def test_a_secret_in_the_settings_of_a_service_passes(tmp_path: Path) -> None:
    """A secret that the settings give to a service which this run did not start is there."""
    backend = Service(name="backend", kind=ServiceKind.HTTP, env={"SHOP_TOKEN_KEY": VALUE})
    verdict = look(environment(root=tmp_path, secrets=("shop-token-key",), services=[backend]), PROBE)
    assert verdict.summary == "SHOP_TOKEN_KEY is set in services.backend.env in pyproject.toml"


def test_a_secret_in_the_env_file_passes(tmp_path: Path) -> None:
    """A secret in the .env file beside the settings is there, quoted or exported."""
    (tmp_path / ".env").write_text(f"# secrets\nOTHER=1\nexport SHOP_TOKEN_KEY = '{VALUE}'\n")
    verdict = look(environment(root=tmp_path, secrets=("shop-token-key",)), PROBE)
    assert verdict.summary == f"SHOP_TOKEN_KEY is set in {tmp_path}/.env"


def test_a_missing_secret_fails(tmp_path: Path) -> None:
    """A secret that is nowhere is named, with everywhere it was looked for and a line that makes one."""
    assert look(environment(root=tmp_path, secrets=("shop-token-key",)), PROBE) == failed(
        "secret shop-token-key is missing",
        expected="SHOP_TOKEN_KEY set, and not empty",
        found="not set",
        where=f"this process's environment, {tmp_path}/.env",
        remedy=f'echo "SHOP_TOKEN_KEY=$(openssl rand -hex 32)" >> {tmp_path}/.env',
        variable="SHOP_TOKEN_KEY",
    )


def test_a_secret_without_a_value_fails(tmp_path: Path) -> None:
    """A variable that is set and empty is as good as missing, and where it is empty is told."""
    (tmp_path / ".env").write_text('SHOP_URL=""\n')
    verdict = look(environment(root=tmp_path, secrets=("shop-url",)), "secret.is_present[shop-url]")
    assert verdict.found == f"empty in {tmp_path}/.env"
    assert verdict.remedy == f'echo "SHOP_URL=…" >> {tmp_path}/.env'


def test_an_env_file_that_may_not_be_read_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A .env file without the right to read it leaves open whether the secret is there."""
    file = tmp_path / ".env"
    file.write_text("SHOP_TOKEN_KEY=1")
    file.chmod(0)
    if os.access(file, os.R_OK):  # root may read everything

        def refuse(*_: object, **__: object) -> str:
            raise PermissionError(13, "Permission denied", str(file))

        monkeypatch.setattr(type(file), "read_text", refuse)
    verdict = look(environment(root=tmp_path, secrets=("shop-token-key",)), PROBE)
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == f"{file} may not be read"
    assert verdict.remedy == f"chmod u+r {file}"


def test_embedded_a_secret_in_the_env_file_is_missing(tmp_path: Path) -> None:
    """No embedded service is given what a .env file holds: there the settings give it, and the remedy says so."""
    (tmp_path / ".env").write_text(f"SHOP_TOKEN_KEY={VALUE}\n")
    services = [
        Service(name="backend", kind=ServiceKind.HTTP, env={"OTHER": "1"}),
        Service(name="redis", kind=ServiceKind.REDIS),
    ]
    here = environment(root=tmp_path, secrets=("shop-token-key",), services=services)
    here = replace(here, target=TargetName.EMBEDDED)
    assert look(here, PROBE) == failed(
        "secret shop-token-key is missing",
        expected="SHOP_TOKEN_KEY set, and not empty",
        found="not set",
        where="services.backend.env in pyproject.toml, this process's environment",
        remedy='add SHOP_TOKEN_KEY = "…" to services.backend.env in pyproject.toml',
        variable="SHOP_TOKEN_KEY",
    )
    attached = look(replace(here, attached=True), PROBE)
    assert attached.remedy == (
        'add SHOP_TOKEN_KEY = "…" to services.backend.env in pyproject.toml, '
        "then, with all its data made anew: pytest-devenv env down && pytest-devenv env up"
    )
    given = look(replace(here, variables={"backend": {"SHOP_TOKEN_KEY": VALUE}}), PROBE)
    assert given.summary == "SHOP_TOKEN_KEY is set in the environment of backend"


def test_embedded_without_a_service_to_give_it_to(tmp_path: Path) -> None:
    """Where no service takes variables, the environment of the run is the place for a secret."""
    here = replace(environment(root=tmp_path, secrets=("shop-token-key",)), target=TargetName.EMBEDDED)
    assert look(here, PROBE).remedy == "export SHOP_TOKEN_KEY=…"
