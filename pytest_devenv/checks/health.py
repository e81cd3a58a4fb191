"""Is the environment healthy? These read, and change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import asserts, holds

if TYPE_CHECKING:
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.health


@asserts("postgres.accepts_queries", "redis.answers", "http.answers", "job.completed")
def test_service_answers(devenv: Devenv, probe: str) -> None:
    """Every service answers as its kind does, and every Job has completed."""
    holds(devenv.verdict(probe))
