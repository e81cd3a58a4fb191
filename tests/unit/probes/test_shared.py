"""One reading for several probes: taken once, and anew for whoever asks a second time."""

from __future__ import annotations

import pytest

from pytest_devenv.probes.shared import Shared
from tests.unit.probes.samples import environment


def counting() -> Shared[int]:
    """Return a reading that tells how often it was taken."""
    numbers = iter(range(1, 100))
    return Shared(lambda _: next(numbers))


def test_readers_share_one_reading() -> None:
    """Each reader gets the same reading once."""
    shared, here = counting(), environment()
    assert [shared.get(reader, here) for reader in "abc"] == [1, 1, 1]


def test_a_reader_that_asks_again_gets_a_new_reading() -> None:
    """A second look is a new look, also for those who have not looked yet."""
    shared, here = counting(), environment()
    assert [shared.get(reader, here) for reader in "abac"] == [1, 1, 2, 2]


def test_another_environment_is_read_anew() -> None:
    """A reading belongs to the environment that it was taken of."""
    shared = counting()
    assert [shared.get(reader, environment()) for reader in "ab"] == [1, 2]


def test_what_could_not_be_read_is_read_again() -> None:
    """An error goes to whoever met it, and is not kept."""
    tries = iter([True, False])

    def read(_: object) -> str:
        if next(tries):
            raise OSError("not now")
        return "read"

    shared, here = Shared(read), environment()
    with pytest.raises(OSError, match="not now"):
        shared.get("a", here)
    assert shared.get("b", here) == "read"
