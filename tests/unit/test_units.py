"""Quantities with units at the border of a file."""

import pytest

from aidc.units import quantity


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("20 MW", "kw", 20_000.0),
        ("400 kW", "kwp", 400.0),
        ("18 degC", "degc", 18.0),
        ("18 °C", "degc", 18.0),
        ("15 min", "min", 15.0),
        ("2 d", "h", 48.0),
        ("0.25 %", "frac", 0.0025),
        ("1.5e3 W", "kw", 1.5),
        ("-3 degC", "degc", -3.0),
    ],
)
def test_a_written_quantity_is_read_in_the_unit_of_the_field(
    text: str, unit: str, value: float
) -> None:
    assert quantity(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "remedy"),
    [
        ("warm", "degc", 'write e.g. "18 degC"'),
        ("18", "degc", "has no unit"),
        ("20 GW", "kw", "is not one of kW"),
        ("20 kWh", "kw", "is not one of kW"),
    ],
)
def test_a_wrong_quantity_names_its_remedy(text: str, unit: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        quantity(text, unit)
