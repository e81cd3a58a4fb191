"""What JUnit XML says of a check."""

from __future__ import annotations

from pytest_devenv.report.properties import properties
from pytest_devenv.verdict import blocked, passed
from tests.unit.report import samples


def test_a_failing_check_carries_its_verdict_and_remedy() -> None:
    """All that a failing verdict says stands in the properties, as text."""
    entry = samples.entry("http.answers", "backend", samples.SLOW, took_s=0.25)

    assert properties(entry) == [
        ("devenv_probe", "http.answers[backend]"),
        ("devenv_verdict", "fail"),
        ("devenv_summary", "GET /health answers 500"),
        ("devenv_expected", "status 200"),
        ("devenv_found", "status 500: relation users does not exist"),
        ("devenv_where", "http://127.0.0.1:43213/health"),
        ("devenv_remedy", "pytest-devenv migrate up shop"),
        ("devenv_took_s", "0.250000"),
    ]


def test_a_blocked_check_names_its_cause() -> None:
    """A reader of the XML finds the root of a skipped check."""
    pairs = properties(samples.entry("http.answers", "backend", blocked(samples.ACCEPTS, samples.DOWN)))

    assert ("devenv_cause", samples.ACCEPTS) in pairs


def test_what_a_verdict_does_not_hold_is_left_out() -> None:
    """A passing check has no empty properties, and no control characters."""
    pairs = properties(samples.entry("redis.answers", "redis", passed("PING\x00\x1b[1m!")))

    assert pairs == [
        ("devenv_probe", "redis.answers[redis]"),
        ("devenv_verdict", "pass"),
        ("devenv_summary", "PING!"),
        ("devenv_took_s", "0.002000"),
    ]
