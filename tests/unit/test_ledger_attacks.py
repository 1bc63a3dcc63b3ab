"""Ways to make a ledger lie or break, each refused or shown."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aidc.errors import InputError, LedgerError
from aidc.ledger import Ledger, verify_file
from aidc.ledger.journal import audit, canonical
from tests.unit.test_ledger_audit import AT, change, day, entry, filled, meter, rehashed, site

HOUR = {"valid_from": "2022-06-30T16:00:00Z", "valid_to": "2022-06-30T17:00:00Z"}


def opened() -> Ledger:
    made = Ledger.init(":memory:", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT)
    made.post([site(), meter()], recorded_at=AT, role="accountant", recorded_by="clerk")
    return made


def refused(ledger: Ledger, given: object, said: str, *, role: str = "accountant") -> None:
    before = ledger.head
    with pytest.raises(InputError, match=said):
        ledger.post(given, recorded_at=AT, role=role, recorded_by="clerk")  # type: ignore[arg-type]
    assert ledger.head == before


def test_one_id_in_two_unicode_forms_is_one_id() -> None:
    one, two = day(1) | {"id": "caf\u00e9"}, day(2) | {"id": "cafe\u0301"}
    with opened() as ledger:
        ledger.post(one, recorded_at=AT, role="bms")
        refused(ledger, two, "recorded with other content", role="bms")
        assert ledger.verify().ok
        assert not ledger.reindex()


@pytest.mark.parametrize("sign", ["\n", "\x1b", "\x00", "\u2028"])
def test_a_control_character_in_a_name_is_refused(sign: str) -> None:
    with opened() as ledger:
        refused(ledger, day(1) | {"id": f"a{sign}b"}, "control character")


@pytest.mark.parametrize("period", ["banana", "2023-1", "02023", "２０２３", "٢٠٢٣", "0", "9999"])
def test_a_period_is_written_in_one_way(period: str) -> None:
    with opened() as ledger, pytest.raises(InputError, match="no period"):
        ledger.close_period(period, recorded_at=AT, recorded_by="clerk", approved_by="head")


def close(**changed: object) -> dict:
    payload = {
        "period": "2019", "first_seq": 0, "entries": 3, "root": "0" * 64, "head": "0" * 64,
        "approved_by": "head",
    }  # fmt: skip
    return entry("close", "period_close", payload | changed)


def test_a_false_close_is_refused_in_any_role() -> None:
    with opened() as ledger:
        for role in ("planner", "accountant", "bms"):
            refused(ledger, close(), "approver|BMS|planner", role=role)
        refused(ledger, close(), "do not give this root", role="approver")
        refused(ledger, close(entries=2), "close the period again", role="approver")
        refused(ledger, close(approved_by=" CLERK"), "second name", role="approver")
        refused(ledger, [day(1), close(entries=4)], "posted alone", role="approver")
        assert ledger.verify().ok


def test_a_closed_period_is_changed_by_no_kind_of_entry(tmp_path: Path) -> None:
    with Ledger.open(filled(tmp_path / "l")) as ledger:
        gone = entry("event", "boundary_event", {
            "entity": "e", "what": "a", "event": "closed", "effective": "2022-02-01",
            "site": "site:a", "source": "minutes",
        })  # fmt: skip
        elsewhere = site() | {"id": "site:2", "supersedes": "site:a", "reason": "moved"}
        other = meter() | {"id": "meter:2", "supersedes": "meter:grid_import", "reason": "again"}
        far = day(1) | {
            "id": "adj", "kind": "adjustment", "supersedes": "activity:1", "reason": "r",
            "valid_from": "2023-06-30T16:00:00Z", "valid_to": "2023-07-01T16:00:00Z",
            "payload": {"code": "error"},
        }  # fmt: skip
        for late in (gone, elsewhere, other, far, day(4)):
            refused(ledger, late, "2022 is closed")


def test_a_later_version_of_a_meter_counts_the_same_thing() -> None:
    with opened() as ledger:
        other = meter("other") | {
            "id": "m2", "supersedes": "meter:grid_import", "reason": "relabelled",
        }  # fmt: skip
        refused(ledger, other, "keeps its stream")


def test_a_planner_corrects_and_decides_nothing() -> None:
    gone = day(1) | {
        "id": "adj", "kind": "adjustment", "supersedes": "activity:1", "reason": "r",
        "payload": {"code": "error"},
    }  # fmt: skip
    event = entry("event", "boundary_event", {
        "entity": "e", "what": "a", "event": "closed", "effective": "2022-02-01", "source": "me",
    })  # fmt: skip
    with opened() as ledger:
        ledger.post(day(1), recorded_at=AT, role="accountant")
        for given in (gone, event):
            refused(ledger, given, "posted by an accountant", role="planner")


def test_an_overlap_behind_an_adjustment_of_the_same_batch_is_seen() -> None:
    replaced = day(1) | {
        "id": "adj", "kind": "adjustment", "supersedes": "activity:1", "reason": "r",
        "payload": {"code": "error", "replacement": day(1, wh=7)["payload"]},
    }  # fmt: skip
    with opened() as ledger:
        ledger.post([day(n) for n in (1, 2, 3)], recorded_at=AT, role="accountant")
        refused(ledger, [replaced, day(2, name=":again")], "overlaps activity:2")


def moves(*rows: tuple[str, str, int, str | None], **more: object) -> dict:
    made = [{"from": a, "to": b, "wh": wh} | ({"meter": m} if m else {}) for a, b, wh, m in rows]
    payload = {"site": "site:a", "moves": made, "quality": "metered", **more}
    return {"id": "tx", "kind": "energy_tx", **HOUR, "payload": payload}


def test_rounding_moves_hide_no_energy() -> None:
    grid, it = "meter:grid_import", "meter:it_in"
    small = ("rounding:a", "bus:a", 1, None)
    with opened() as ledger:
        ledger.post(meter("it_in"), recorded_at=AT, role="accountant")
        many = moves(*[small] * 100, ("bus:a", "use.it:a", 100, it))
        refused(ledger, many, "one Wh a stream at most")
        by_meter = moves(("rounding:a", "rounding:a", 1, grid))
        refused(ledger, by_meter, "has no meter")
        two = moves(("grid:CN", "bus:a", 5, grid), ("bus:b", "use.it:a", 5, it))
        refused(ledger, two, "one entry has one bus")
        fair = moves(
            ("grid:CN", "bus:a", 5, grid), ("bus:a", "use.it:a", 5, it), quality="estimated"
        )
        refused(ledger, fair, "names its method")


def test_what_was_metered_ended_before_it_was_recorded_and_no_clock_runs_away() -> None:
    with opened() as ledger:
        refused(ledger, day(900), "after it was recorded")
        with pytest.raises(InputError, match="set the clock right"):
            ledger.post(day(1), recorded_at=AT + timedelta(days=9_000), role="bms")
        with pytest.raises(InputError, match="name who posts"):
            ledger.post(day(1), recorded_at=AT, role="bms", recorded_by="  ")


def backwards(seq: int, body: dict) -> None:
    if seq == 4:
        body["recorded_at"] = "2020-01-01T00:00:00Z"


def test_a_time_of_recording_that_falls_is_shown_by_the_chain(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    rehashed(path, backwards)
    assert "recorded at 2020" in verify_file(path).problem


def lawless(seq: int, body: dict) -> None:
    if seq == 4:
        body["role"] = "planner"


def overlapping(seq: int, body: dict) -> None:
    if seq == 4:
        body["valid_from"], body["valid_to"] = "2022-06-30T16:00:00Z", "2022-07-01T16:00:00Z"


@pytest.mark.parametrize(("edit", "said"), [(lawless, "planner"), (overlapping, "overlaps")])
def test_entries_put_in_with_right_hashes_that_break_rules_are_shown(
    tmp_path: Path, edit: Callable[[int, dict], None], said: str
) -> None:
    with Ledger.init(tmp_path / "l", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as made:
        posted = [site(), meter(), *(day(number) for number in (1, 2, 3))]
        made.post(posted, recorded_at=AT, role="accountant", recorded_by="clerk")
    path = tmp_path / "l" / "ledger.db"
    assert audit.inspect(path) == audit.Inspected(True, ())
    rehashed(path, edit)
    assert verify_file(path).ok
    assert any(said in fault for fault in audit.inspect(path).faults)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER quiet BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END",
        "CREATE VIEW hidden AS SELECT * FROM entry",
    ],
)
def test_a_file_with_a_strange_trigger_or_view_is_not_opened(
    tmp_path: Path, statement: str
) -> None:
    path = filled(tmp_path / "l")
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()
    with pytest.raises(LedgerError, match="not as a ledger makes it"):
        Ledger.open(path)
    assert audit.inspect(path).faults


def test_triggers_that_were_dropped_are_told_and_made_again(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    change(path)
    assert any("entry_is_final" in fault for fault in audit.inspect(path).faults)
    Ledger.open(path).close()
    assert audit.inspect(path) == audit.Inspected(True, ())


def test_a_proof_under_a_false_name_does_not_hold(tmp_path: Path) -> None:
    with Ledger.open(filled(tmp_path / "l")) as ledger:
        proof = ledger.prove("activity:2")
    proof.write(tmp_path / "p.json")
    text = (tmp_path / "p.json").read_text("utf-8")
    (tmp_path / "q.json").write_text(text.replace('"activity:2"', '"a-retirement"', 1), "utf-8")
    assert audit.read_proof(tmp_path / "p.json").holds(proof.root)
    assert not audit.read_proof(tmp_path / "q.json").holds(proof.root)
    (tmp_path / "r.json").write_text(text.replace('"place": 4', '"place": "four"'), "utf-8")
    with pytest.raises(InputError, match="no proof"):
        audit.read_proof(tmp_path / "r.json")


def test_no_output_is_written_over_a_ledger(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    before = path.read_bytes()
    with Ledger.open(path) as ledger:
        with pytest.raises(InputError, match="exists"):
            ledger.prove("activity:2").write(path)
        for write in (ledger.export, ledger.save_as):
            with pytest.raises(InputError, match="the ledger itself"):
                write(path)
    assert path.read_bytes() == before
    rest = tmp_path / "a.rest.jsonl"
    rest.write_bytes(b"kept")
    with pytest.raises(InputError, match="exists"):
        audit.recover(path, tmp_path / "a.db")
    assert rest.read_bytes() == b"kept"


def test_nan_and_entries_that_are_no_maps_are_refused() -> None:
    with pytest.raises(ValueError, match="float"):
        canonical.read(b'{"a":NaN}')
    with opened() as ledger:
        refused(ledger, [["no", "map"]], "is no map of keys")


def test_an_anchor_of_nothing_anchors_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    assert not verify_file(path, audit.Head("l", 0, "0" * 64, {})).ok


def test_a_large_batch_is_one_transaction_and_its_last_fault_undoes_it() -> None:
    start = datetime(2022, 1, 1, tzinfo=UTC)
    rows = []
    for number in range(5_000):
        begin = start + timedelta(hours=number)
        times = {
            f"valid_{key}": f"{at:%Y-%m-%dT%H:%M:%SZ}"
            for key, at in (("from", begin), ("to", begin + timedelta(hours=1)))
        }
        payload = {
            "meter": "meter:grid_import", "unit": "Wh", "interval_s": 3600,
            "quantities": [number], "quality": "metered",
        }  # fmt: skip
        rows.append({"id": f"a:{number}", "kind": "activity", **times, "payload": payload})
    with opened() as ledger:
        refused(ledger, [*rows, rows[0] | {"id": "again"}], "overlaps a:0", role="bms")
        assert ledger.post(rows, recorded_at=AT, role="bms") == 5_000
        assert ledger.post(rows, recorded_at=AT, role="bms") == 0
        assert ledger.verify().ok
