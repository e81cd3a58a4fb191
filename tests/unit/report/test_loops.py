"""How a timed loop is shown."""

from __future__ import annotations

import io
import json

from rich.console import Console

from pytest_devenv.loop import judge
from pytest_devenv.report.loops import histogram, plain, shown
from tests.unit.loop.test_judge import CARRIER, measured, sample


def test_histogram_counts_every_value() -> None:
    """Each line has its count, the longest bar the most, and none is left out."""
    lines = list(histogram([0.1, 0.1, 0.1, 0.2, 0.5]))
    assert len(lines) == 8
    assert lines[0] == f"100 ms {'█' * 32} 3"
    assert sum(int(line.split()[-1]) for line in lines if "█" in line) == 5


def test_histogram_of_equal_values_is_one_line() -> None:
    """Nothing is divided by nothing."""
    assert list(histogram([0.2, 0.2])) == [f"200 ms {'█' * 32} 2"]


def test_loop_is_shown_with_its_stages_budgets_and_what_is_usual() -> None:
    """Every stage has a line, and looking says what it cost."""
    timed = measured(sample(0.1, 0.2), sample(0.1, 0.3), sample(0.1, 0.4))
    usual = [sample(0.1, 0.2)] * 10
    text = io.StringIO()
    console = Console(file=text, width=120)
    for part in shown(timed, usual, judge.verdict(timed, usual, CARRIER)):
        console.print(part)
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    assert lines[:5] == [
        "code app.py → GET http://h:1/version",
        "stage median p95 budget usual here",
        "detect 100 ms 100 ms 500 ms 100 ms",
        "live 300 ms 390 ms 200 ms",
        "total 400 ms 490 ms 2.00 s 300 ms",
    ]
    assert lines[-2:] == [
        "looking added at most 5.0 ms: 100 looks over one connection, 1.0 ms each at rest, 6.0 ms the longest pause",
        "an edit is live after 400 ms of 2 s",
    ]


def test_loop_is_plain_json() -> None:
    """Programs read what people see, in seconds."""
    timed = measured(sample(0.125, 0.25), sample(0.125, 0.5))
    found = json.loads(json.dumps(plain(timed, (), judge.verdict(timed, (), CARRIER))))
    assert found["total_s"]["median"] == 0.5
    assert found["stages_s"]["live"]["max"] == 0.5
    assert [each["stages_s"] for each in found["samples"]] == [
        {"detect": 0.125, "live": 0.25},
        {"detect": 0.125, "live": 0.5},
    ]
    assert found["usual"] == {"edits": 0, "total_s": None}
    assert found["verdict"]["state"] == "pass"
