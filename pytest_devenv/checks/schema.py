"""Does each database have the schema that the settings require? Looking for drift builds one in a scratch database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import asserts, holds

if TYPE_CHECKING:
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.schema


@asserts("schema.has_tables", "schema.has_columns", "schema.has_indexes", "schema.has_views", "schema.has_policies")
def test_every_required_object_exists(devenv: Devenv, probe: str) -> None:
    """Every required table, column, index, view and policy is there."""
    holds(devenv.verdict(probe))


@asserts("schema.answers_queries")
def test_verification_queries_answer(devenv: Devenv, probe: str) -> None:
    """The settings' own queries answer."""
    holds(devenv.verdict(probe))


@asserts("schema.pending_is_safe")
def test_pending_migrations_are_safe(devenv: Devenv, probe: str) -> None:
    """Squawk finds nothing in the migrations that are not applied yet which would hurt a database in use."""
    holds(devenv.verdict(probe))


@asserts("schema.matches_migrations")
def test_schema_is_what_its_migrations_make(devenv: Devenv, probe: str) -> None:
    """The live schema is the one that the migrations build in an empty database: no drift."""
    holds(devenv.verdict(probe))


@asserts("manifests.are_accepted")
def test_api_server_accepts_the_manifests(devenv: Devenv, probe: str) -> None:
    """A server-side dry run of the manifests has no error."""
    holds(devenv.verdict(probe))


@asserts("manifests.are_deployed")
def test_what_is_deployed_is_what_the_manifests_say(devenv: Devenv, probe: str) -> None:
    """Applying the manifests would change nothing."""
    holds(devenv.verdict(probe))
