"""What is the cause of what, and what to do about it."""

from __future__ import annotations

from dataclasses import replace

from pytest_devenv.report.causes import next_steps, roots
from pytest_devenv.verdict import State, blocked, unknown
from tests.unit.report import samples


def test_one_root_holds_all_that_it_blocks() -> None:
    """A chain of blocked checks leads to the one that nothing blocks."""
    (root,) = roots(samples.postgres_down())

    assert root.probe == samples.ACCEPTS
    assert len(root.blocks) == 12
    assert root.blocks[-1].probe == "http.answers[frontend]"


def test_failures_come_before_what_could_not_be_looked_at() -> None:
    """Roots that fail stand first, each kind in the order of the services."""
    assert [(root.probe, root.state) for root in roots(samples.two_roots())] == [
        ("migrations.none_pending[shop]", State.FAIL),
        ("http.answers[backend]", State.FAIL),
        ("schema.matches_migrations[shop]", State.UNKNOWN),
    ]


def test_a_probe_that_two_checks_assert_is_one_root() -> None:
    """A project's own check of the same thing does not make a second cause."""
    ours = samples.entry("postgres.accepts_connections", "postgres", samples.DOWN)

    assert len(roots(samples.run(ours, replace(ours, nodeid="checks/test_mine.py::test_it")))) == 1


def test_a_cause_that_was_no_check_of_the_run_is_told_by_what_it_blocks() -> None:
    """With only consequences selected, the report still names the root, and what it found."""
    stuck = blocked("http.answers[backend]", blocked(samples.ACCEPTS, samples.DOWN))
    entries = [samples.entry(f"http.{name}", "frontend", stuck) for name in ("answers", "answers_in_time")]

    (root,) = roots(samples.run(*entries))

    assert (root.probe, root.absent, root.state) == ("http.answers[backend]", True, State.FAIL)
    assert root.title == "PostgreSQL does not accept connections"
    assert len(root.blocks) == 2


def test_an_absent_cause_that_could_not_be_looked_at_is_unknown() -> None:
    """What says no expectation was no failure."""
    (root,) = roots(samples.run(samples.entry("http.answers", "backend", blocked("a.b[c]", unknown("no access")))))

    assert (root.state, root.title) == (State.UNKNOWN, "no access")


def test_a_circle_of_causes_ends() -> None:
    """Verdicts that block one another do not hang the report."""
    one = samples.entry("a.one", "redis", blocked("a.two[redis]", samples.DOWN))
    two = samples.entry("a.two", "redis", blocked("a.one[redis]", samples.DOWN))

    assert {entry.probe for root in roots(samples.run(one, two)) for entry in root.blocks} == {one.probe, two.probe}


def test_a_remedy_that_mends_several_causes_stands_once() -> None:
    """Steps come in the order of their causes, each with all that it unblocks."""
    steps = next_steps(samples.two_roots())

    assert [(step.remedy, len(step.mends), len(step.unblocks)) for step in steps] == [
        ("pytest-devenv migrate up shop", 2, 1),
        ("make health TARGET=cluster", 1, 0),
    ]


def test_a_healthy_run_has_nothing_to_do() -> None:
    """Without a cause there is no step."""
    assert next_steps(samples.healthy()) == ()
