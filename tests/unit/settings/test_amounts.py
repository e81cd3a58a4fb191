"""Amounts as settings and reports write them."""

from __future__ import annotations

import pytest

from pytest_devenv.settings.amounts import Amount, Unit, amount


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("250ms", 0.25, Unit.SECONDS),
        ("1.5s", 1.5, Unit.SECONDS),
        ("2m", 120.0, Unit.SECONDS),
        ("64KiB", 65536.0, Unit.BYTES),
        ("300MiB", 300 * 2.0**20, Unit.BYTES),
        ("1GiB", 2.0**30, Unit.BYTES),
        ("5%", 0.05, Unit.SHARE),
        ("20", 20.0, Unit.NUMBER),
        ("0", 0.0, Unit.NUMBER),
    ],
)
def test_an_amount_has_a_value_in_the_base_of_its_unit(text: str, value: float, unit: Unit) -> None:
    """Durations are read as seconds, sizes as bytes, and percents as a part of 1."""
    found = amount(text)
    assert found.value == pytest.approx(value)
    assert found.unit is unit


@pytest.mark.parametrize("text", ["", "ms", "-1", "5 s", "1e3", "3MB", "1.5.0s", "5ks"])
def test_anything_else_is_no_amount(text: str) -> None:
    """What could be read in two ways, or in none, is refused."""
    with pytest.raises(ValueError, match="an amount: a duration such as 250ms"):
        amount(text)


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0.0004, Unit.SECONDS, "0.4 ms"),
        (0.99996, Unit.SECONDS, "1 s"),
        (12.34, Unit.SECONDS, "12.3 s"),
        (1234.5, Unit.SECONDS, "1234 s"),
        (100, Unit.BYTES, "100 bytes"),
        (300 * 2.0**20, Unit.BYTES, "300 MiB"),
        (0.0125, Unit.SHARE, "1.25 %"),
        (3, Unit.NUMBER, "3"),
    ],
)
def test_an_amount_is_written_for_people(value: float, unit: Unit, written: str) -> None:
    """It has three digits that count, in the unit that suits it."""
    assert str(Amount(value, unit)) == written
