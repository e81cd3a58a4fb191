"""What pytest shows of a check that did not pass."""

from __future__ import annotations

from dataclasses import replace

from pytest_devenv.report.failure import failure_text, summary_line
from pytest_devenv.verdict import Evidence, passed
from tests.unit.report import samples


def test_a_failure_says_everything_in_order() -> None:
    """Title, expected, found, where, remedy, evidence; the remedy is whole, whatever the width."""
    verdict = replace(samples.DOWN, evidence=(Evidence("log of postgres", "\x1b[31mone\x1b[0m\r\ntwo\n"),))

    assert (
        failure_text(verdict, width=40)
        == """\
PostgreSQL does not accept connections
  expected  a server that accepts
            connections as shop
  found     connection refused
  where     127.0.0.1:43211 (embedded)
  remedy
    pytest-devenv env down && pytest-devenv env up
  log of postgres
    one
    two"""
    )


def test_what_could_not_be_looked_at_says_how_to_allow_it() -> None:
    """An unknown verdict's remedy is what would allow to look."""
    assert (
        failure_text(samples.UNSEEN)
        == """\
the drift of shop could not be looked at: its migrations want the extension pgcrypto
  where     scratch database on 127.0.0.1:43211
  to allow it
    make health TARGET=cluster"""
    )


def test_a_word_too_long_for_its_column_stands_below_its_label() -> None:
    """An address is in one piece where the terminal has room for it at all."""
    text = failure_text(samples.SLOW, width=40)

    assert "  where\n    http://127.0.0.1:43213/health\n" in text


def test_only_the_end_of_long_evidence_is_shown() -> None:
    """A log is shown by its last fifteen lines, and says how many there were."""
    lines = failure_text(samples.DOWN).splitlines()

    assert "  log of postgres, last 15 of 21 lines" in lines
    assert lines[-1].endswith("No space left on device")


def test_the_short_summary_is_one_line_with_the_remedy() -> None:
    """The line of `-ra` says what is wrong and what mends it."""
    assert summary_line(samples.SLOW) == "GET /health answers 500 | remedy: pytest-devenv migrate up shop"


def test_a_remedy_of_several_lines_is_begun_in_the_short_summary() -> None:
    """A remedy of more than one line is named by its first."""
    verdict = replace(samples.SLOW, remedy="first\nsecond\n")

    assert summary_line(verdict) == "GET /health answers 500 | remedy: first (and more)"


def test_a_verdict_without_a_remedy_is_its_summary() -> None:
    """What needs no remedy has none."""
    assert summary_line(passed("all\nis well")) == "all is well"
