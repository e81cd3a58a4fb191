"""One report out of several."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import DevenvError
from pytest_devenv.report.jsonfile import to_json
from pytest_devenv.report.shards import merge
from pytest_devenv.verdict import passed
from tests.unit.report import samples

if TYPE_CHECKING:
    from pytest_devenv.report.model import Run


def part(run: Run, start: int, stop: int, *, second: int = 0, exit_code: int = 0) -> Run:
    """Take some of the checks of a run as a shard that started at a second."""
    return replace(
        run, entries=run.entries[start:stop], started=f"2026-03-01T09:00:0{second}+00:00", exit_code=exit_code
    )


def test_shards_make_the_whole() -> None:
    """The checks of all are there; the time is from the first start to the last end; the own times add up."""
    whole = samples.postgres_down()
    one = replace(part(whole, 0, 5), looks_s=0.2, batch_wall_s=0.1, timings_s={"environment start": 1.0})
    two = replace(part(whole, 5, 99, second=3, exit_code=1), looks_s=0.3, batch_wall_s=0.2, notes=("second",))

    merged = merge([to_json(one), to_json(two)])

    assert [check["nodeid"] for check in merged["checks"]] == [entry.nodeid for entry in whole.entries]
    assert (merged["started"], merged["duration_s"], merged["exit_code"]) == ("2026-03-01T09:00:00+00:00", 3.42, 1)
    assert merged["looks"] == {"batch_wall_s": 0.2, "sum_s": 0.5}
    assert merged["timings_s"] == {"environment start": 1.31}
    assert merged["notes"] == ["second"]


def test_a_cause_in_one_shard_explains_what_it_blocks_in_another() -> None:
    """The root that one shard found holds the blocked checks of all."""
    whole = samples.postgres_down()

    merged = merge([to_json(part(whole, 0, 1)), to_json(part(whole, 1, 99))])

    assert merged["roots"] == to_json(whole)["roots"]


def test_the_order_of_shards_does_not_matter() -> None:
    """Reports may come in any order."""
    shards = [to_json(part(samples.healthy(), start, start + 3, second=start)) for start in (0, 3, 6)]

    assert merge(shards) == merge(shards[::-1])


def test_one_report_is_itself() -> None:
    """Merging a single report changes nothing."""
    report = to_json(samples.two_roots())

    assert merge([report]) == report


def test_a_failure_is_not_hidden_by_another_shard() -> None:
    """A check that stands in two reports keeps its worst verdict."""
    good = samples.run(samples.entry("http.answers", "backend", passed("GET /health answers 200")))
    bad = samples.run(samples.entry("http.answers", "backend", samples.SLOW), exit_code=1)

    merged = merge([to_json(bad), to_json(good)])

    assert [check["verdict"]["state"] for check in merged["checks"]] == ["fail"]
    assert merged["state"] == "fail"


def test_a_service_that_one_shard_reached_has_its_address() -> None:
    """What one shard could not reach, and another could, has the other's address."""
    run = samples.healthy()
    lost = replace(run, services=tuple(replace(service, address=None) for service in run.services))

    assert merge([to_json(lost), to_json(run)])["services"][0]["address"] == "127.0.0.1:43211"


@pytest.mark.parametrize(("codes", "code"), [((0, 5), 0), ((5, 5), 5), ((0, 1), 1), ((1, 2), 2)])
def test_the_gravest_exit_code_wins(codes: tuple[int, int], code: int) -> None:
    """An empty shard is no failure, unless all are empty."""
    shards = [to_json(part(samples.healthy(), 0, 2, exit_code=code)) for code in codes]

    assert merge(shards)["exit_code"] == code


def test_there_must_be_something_to_merge() -> None:
    """No report is an error, since nothing would have been verified."""
    with pytest.raises(DevenvError, match="expected at least one report to merge, found none"):
        merge([])


def test_reports_of_different_environments_are_not_mixed() -> None:
    """Two environments are two reports."""
    other = replace(samples.healthy(), environment="stall")

    with pytest.raises(DevenvError, match="expected reports of one environment, found shop, stall"):
        merge([to_json(samples.healthy()), to_json(other)])
