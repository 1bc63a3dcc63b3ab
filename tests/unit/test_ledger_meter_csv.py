"""Meter values from CSV: units, offsets, every fault at its line, registers that roll over."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from aidc.errors import SeriesError
from aidc.ledger.journal.meter_csv import counts_of_register, read_meter_csv

HEAD = "meter,start,end,value,unit,quality,method,evidence,sha256\n"
GOOD = "m,2022-07-01T00:00:00+08:00,2022-08-01T00:00:00+08:00,12.5,MWh,billed,,bill 7," + "a" * 64


def test_a_bill_becomes_one_interval_in_whole_base_units_with_its_evidence(tmp_path: Path) -> None:
    (tmp_path / "bills.csv").write_text(HEAD + GOOD + "\n")
    (made,) = read_meter_csv(tmp_path / "bills.csv")
    assert made["valid_from"] == "2022-06-30T16:00:00Z"
    assert made["payload"]["quantities"] == [12_500_000]
    assert made["payload"]["interval_s"] == 31 * 86_400
    assert made["evidence"] == [{"locator": "bill 7", "sha256": "a" * 64}]


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    rows = [
        GOOD.replace("+08:00,2022-08", ",2022-08"),
        GOOD.replace("12.5", "12,5".replace(",", ";")),
        GOOD.replace("MWh", "MWhr"),
        GOOD.replace("12.5", "-12.5"),
    ]
    (tmp_path / "bills.csv").write_text(HEAD + "\n".join(rows) + "\n")
    with pytest.raises(SeriesError) as caught:
        read_meter_csv(tmp_path / "bills.csv")
    text = str(caught.value)
    for line, said in ((2, "offset"), (3, "no number"), (4, "did you mean 'MWh'"), (5, "negative")):
        assert any(f"bills.csv:{line}" in row and said in row for row in text.splitlines())


def test_a_missing_and_a_strange_column_are_named(tmp_path: Path) -> None:
    (tmp_path / "bills.csv").write_text(HEAD.replace("unit", "units") + GOOD + "\n")
    with pytest.raises(SeriesError, match="unit: the column is missing") as caught:
        read_meter_csv(tmp_path / "bills.csv")
    assert "units: no such column" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEAD.replace("method", "value") + GOOD, "value: the column stands 2 times"),
        (HEAD + GOOD + ",surplus", "bills.csv:2: 10 fields, the header has 9"),
        (HEAD + "m,2022-07-01T00:00:00+08:00", "bills.csv:2: 2 fields, the header has 9"),
        *(
            (HEAD + GOOD.replace("12.5", value), f"'{value}' is no number")
            for value in ("1_0", "Infinity", "NaN", "1e9999999", " 5", "\uff15", "-0", "0x1F")
        ),
        (HEAD + GOOD.replace("bill 7", '"bill 7'), "it is no CSV"),
    ],
)
def test_a_row_that_could_be_read_in_two_ways_is_a_fault(
    tmp_path: Path, content: str, says: str
) -> None:
    (tmp_path / "bills.csv").write_text(content + "\n", encoding="utf-8")
    with pytest.raises(SeriesError, match=says):
        read_meter_csv(tmp_path / "bills.csv")


def test_a_file_in_another_encoding_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "bills.csv").write_text(HEAD + GOOD, encoding="utf-16")
    with pytest.raises(SeriesError, match="not UTF-8"):
        read_meter_csv(tmp_path / "bills.csv")


def at(hour: int) -> datetime:
    return datetime(2022, 7, 1, tzinfo=UTC) + timedelta(hours=hour)


def test_a_register_that_rolls_over_counts_on_and_one_that_is_reset_does_not() -> None:
    readings = [(at(0), 99_990), (at(1), 99_998), (at(2), 5)]
    made = list(counts_of_register(readings, multiplier=Decimal(40), register_digits=5))
    assert [(amount, rolled) for _, _, amount, rolled in made] == [(320, False), (280, True)]
    for digits, before, after in ((None, 99_998, 5), (5, 50_000, 5), (5, 99_998, 40_000)):
        with pytest.raises(SeriesError, match="a reset"):
            list(
                counts_of_register(
                    [(at(0), before), (at(1), after)], multiplier=Decimal(1), register_digits=digits
                )
            )
