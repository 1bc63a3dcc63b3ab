"""The form of ledger entries as users meet it: schema, examples, times with an offset."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aidc.cli import app
from aidc.errors import InputError
from aidc.ledger import Ledger
from aidc.ledger.entry_schema import entry_schema
from aidc.ledger.examples import WRITTEN_BY, ZONE, examples, posted_examples
from aidc.ledger.journal.entries import KINDS, OPEN_ENDED, read_entries

FILE = Path(__file__).parents[2] / "schema" / "ledger-entry.schema.json"
AT = datetime(2025, 4, 30, tzinfo=UTC)


def typed(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def ledger() -> Ledger:
    return Ledger.init(":memory:", ledger_id="t", zone=ZONE, recorded_at=AT)


def test_the_shipped_schema_of_entries_is_what_the_command_writes() -> None:
    assert typed("schema", "--of", "ledger-entry") == FILE.read_text("utf-8"), (
        "run: aidc schema --of ledger-entry --to schema/ledger-entry.schema.json"
    )
    assert CliRunner().invoke(app, ["schema", "--of", "ledgers"]).exit_code != 0


def test_every_reference_within_the_schema_of_entries_leads_somewhere() -> None:
    text = json.dumps(entry_schema())
    asked = {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert asked <= set(entry_schema()["$defs"])


def test_the_schema_writes_decimals_and_times_as_text_and_names_each_kind() -> None:
    made = entry_schema()["$defs"]
    assert made["LedgerSite"]["properties"]["share"]["type"] == "string"
    assert made["Entry"]["properties"]["valid_from"]["format"] == "date-time"
    assert made["Entry"]["properties"]["kind"]["enum"] == list(KINDS)
    assert "Wh" in made["Meter"]["properties"]["unit"]["enum"]
    row = next(
        one["then"]["properties"]["row"]
        for one in made["FactorVersion"]["allOf"]
        if one["if"]["properties"]["table"]["const"] == "grid_factors"
    )
    assert "unit_den" in made[row["$ref"].rpartition("/")[2]]["required"]


def test_the_small_book_is_posted_entry_by_entry_and_as_a_whole(tmp_path: Path) -> None:
    with ledger() as one_by_one:
        for entry in posted_examples():
            assert one_by_one.post(entry, recorded_at=AT, role="accountant") == 1
    file = tmp_path / "entries.json"
    file.write_text(typed("ledger", "example"), "utf-8")
    folder = tmp_path / "book"
    typed("ledger", "init", folder, "--id", "t", "--by", "lin")
    told = typed("ledger", "post", folder, file, "--by", "lin", "--role", "accountant")
    count = len(posted_examples())
    assert f"{count} of {count} entries are new" in told


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example_that_holds_and_keeps_to_the_schema(kind: str) -> None:
    given = examples(kind)
    assert given
    assert {one["kind"] for one in given} == {kind}
    assert read_entries(given)[1] == []
    posted = [one for one in posted_examples() if one["kind"] == kind]
    assert bool(posted) != (kind in WRITTEN_BY or kind == "anchor")
    made = json.loads(typed("ledger", "example", kind))
    assert made == (given if len(given) > 1 else given[0])
    model = entry_schema()["$defs"][KINDS[kind].__name__]
    for one in given:
        assert set(model["required"]) <= set(one["payload"]) <= set(model["properties"])


def test_what_a_command_writes_can_be_posted_from_its_example_too() -> None:
    """A calc and an anchor hang on no rule; both are told by their example alone."""
    for kind in ("calc", "anchor"):
        with ledger() as book:
            assert book.post(examples(kind), recorded_at=AT, role="accountant") == 1


def test_an_unknown_kind_is_told_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'lot_move'"):
        examples("lot_moves")


def stored(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    with ledger() as book:
        book.post(entry, recorded_at=AT, role="accountant")
        return book.store.journal.body(1)


def test_any_offset_is_read_and_utc_is_stored() -> None:
    site = examples("site")[0]
    same = site | {"valid_from": "2014-12-31T16:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
    assert stored(site) == stored(same)
    assert stored(site)["valid_from"] == "2014-12-31T16:00:00Z"


@pytest.mark.parametrize("text", ["2015-01-01", "2015-01-01T00:00", "2015-01-01T00:00:00.5+08:00"])
def test_a_time_that_is_not_whole_seconds_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(
        InputError, match=r"write it with its offset, as 2022-01-01T00:00:00\+08:00"
    ):
        stored(examples("site")[0] | {"valid_from": text})


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_holds_from_a_time_on_may_leave_its_end_out(kind: str) -> None:
    given = {key: value for key, value in examples(kind)[0].items() if key != "valid_to"}
    faults = read_entries([given])[1]
    assert [str(one).endswith("required, but not given") for one in faults] == (
        [] if kind in OPEN_ENDED else [True]
    )
