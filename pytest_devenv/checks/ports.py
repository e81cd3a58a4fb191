"""Does each local port belong to whom it should? These look at this machine, and at nothing that runs but a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import asserts, holds

if TYPE_CHECKING:
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.ports


@asserts("ports.are_distinct")
def test_no_port_is_declared_twice(devenv: Devenv, probe: str) -> None:
    """No two services are to be had at one local port."""
    holds(devenv.verdict(probe))


@asserts("port.is_free_or_ours")
def test_port_is_free_or_held_by_its_service(devenv: Devenv, probe: str) -> None:
    """A declared local port is free, or held by the service that it is declared for."""
    holds(devenv.verdict(probe))


@asserts("port.speaks_its_protocol")
def test_open_port_speaks_its_protocol(devenv: Devenv, probe: str) -> None:
    """An open port answers as its service does: no dead forward."""
    holds(devenv.verdict(probe))


@asserts("service.ports_agree")
def test_ports_agree_in_the_cluster(devenv: Devenv, probe: str) -> None:
    """The port of the settings, of the Kubernetes Service and of the container are one."""
    holds(devenv.verdict(probe))
