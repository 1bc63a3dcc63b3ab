"""The journal: appended to, never changed, verified from its bytes."""

import hashlib
import json
import multiprocessing
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aidc.errors import InputError, LedgerError
from aidc.ledger import Ledger, verify_file
from aidc.ledger.journal.canonical import canonical
from aidc.ledger.journal.file import read_export, verify_lines

AT = datetime(2024, 1, 31, tzinfo=UTC)
ALWAYS = {"valid_from": "2021-12-31T16:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}


def site(name: str = "a", region: str = "CN-SH") -> dict:
    payload = {
        "entity": "e",
        "name": name,
        "region": region,
        "zone": "Asia/Shanghai",
        "use": "AIDC",
        "approach": "operational_control",
        "share": "1",
    }
    return {"id": f"site:{name}", "kind": "site", **ALWAYS, "payload": payload}


def meter(name: str = "a", stream: str = "grid_import", **more: object) -> dict:
    payload = {"site": f"site:{name}", "stream": stream, "unit": "Wh", **more}
    return {"id": f"meter:{name}:{stream}", "kind": "meter", **ALWAYS, "payload": payload}


def hours(
    start: str, end: str, wh: list[int], entry_id: str = "activity:1", **more: object
) -> dict:
    payload = {"meter": "meter:a:grid_import", "unit": "Wh", "interval_s": 3600, "quantities": wh}
    payload |= {"quality": "metered", **more}
    return {
        "id": entry_id,
        "kind": "activity",
        "valid_from": start,
        "valid_to": end,
        "payload": payload,
    }


def opened(path: str | Path = ":memory:") -> Ledger:
    return Ledger.init(path, ledger_id="test", zone="Asia/Shanghai", recorded_at=AT)


def filled(path: str | Path = ":memory:") -> Ledger:
    ledger = opened(path)
    block = hours("2022-07-01T00:00:00Z", "2022-07-01T03:00:00Z", [1000, 2000, 3000])
    ledger.post([site(), meter(), block], recorded_at=AT, role="accountant")
    return ledger


def test_the_chain_hashes_a_zero_byte_and_the_stored_body(tmp_path: Path) -> None:
    with filled() as ledger:
        ledger.export(tmp_path / "l.jsonl")
    prev = "0" * 64
    for number, line in enumerate((tmp_path / "l.jsonl").read_bytes().splitlines()):
        body = line[len(b'{"body":') : line.rindex(b',"hash":"')]
        made = json.loads(line)
        assert made["body"]["seq"] == number
        assert made["body"]["prev"] == prev
        assert hashlib.sha256(b"\x00" + body).hexdigest() == made["hash"]
        prev = made["hash"]


def test_an_export_reads_back_to_the_same_bytes_and_head(tmp_path: Path) -> None:
    with filled() as ledger:
        ledger.export(tmp_path / "a.jsonl")
        head = ledger.head
    with Ledger.open(tmp_path / "a.jsonl") as again:
        again.export(tmp_path / "b.jsonl")
        assert again.head == head
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_the_same_entries_give_the_same_file_byte_for_byte(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with filled(tmp_path / f"{name}.db") as ledger:
            ledger.save_as(tmp_path / f"{name}-copy.db")
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()
    assert (tmp_path / "a-copy.db").read_bytes() == (tmp_path / "b-copy.db").read_bytes()
    assert not list(tmp_path.glob("*-wal"))


@pytest.mark.parametrize("statement", ["UPDATE entry SET hash = 'x'", "DELETE FROM entry"])
def test_sqlite_itself_refuses_to_change_an_entry(tmp_path: Path, statement: str) -> None:
    filled(tmp_path / "l.db").close()
    database = sqlite3.connect(tmp_path / "l.db")
    with pytest.raises(sqlite3.IntegrityError, match="post an adjustment"):
        database.execute(statement)
    database.close()


def damaged(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    for trigger in ("entry_is_final", "entry_stays"):
        database.execute(f"DROP TRIGGER {trigger}")
    database.execute(statement)
    database.commit()
    database.close()


@pytest.mark.parametrize(
    ("statement", "line", "problem"),
    [
        (
            "UPDATE entry SET body = CAST(replace(body, '2000', '2001') AS BLOB) WHERE seq = 3",
            3,
            "edited",
        ),
        ("DELETE FROM entry WHERE seq = 1", 1, "missing"),
        ("UPDATE entry SET body = substr(body, 1, 40) WHERE seq = 2", 2, "torn"),
        (
            "UPDATE entry SET seq = CASE seq WHEN 1 THEN -2 ELSE -1 END WHERE seq IN (1, 2)",
            0,
            "missing",
        ),
    ],
)
def test_verify_names_the_first_bad_line_and_what_is_wrong(
    tmp_path: Path, statement: str, line: int, problem: str
) -> None:
    filled(tmp_path / "l.db").close()
    damaged(tmp_path / "l.db", statement)
    found = verify_file(tmp_path / "l.db")
    assert not found.ok
    assert found.bad_line == line
    assert found.problem.startswith(problem)


def test_a_swapped_a_repeated_and_a_torn_line_of_an_export_are_told_apart(tmp_path: Path) -> None:
    with filled() as ledger:
        ledger.export(tmp_path / "l.jsonl")
    good = (tmp_path / "l.jsonl").read_bytes().splitlines(keepends=True)
    cases = {
        "out of order": [good[0], good[2], good[1], good[3]],
        "duplicated": [good[0], good[1], good[1]],
        "torn": [*good[:3], good[3][:-20]],
    }
    for problem, lines in cases.items():
        (tmp_path / "bad.jsonl").write_bytes(b"".join(lines))
        assert problem in verify_lines(read_export(tmp_path / "bad.jsonl")).problem
        with pytest.raises(LedgerError, match=problem):
            Ledger.open(tmp_path / "bad.jsonl")


def test_a_good_chain_verifies_and_says_what_a_chain_cannot_show() -> None:
    with filled() as ledger:
        found = ledger.verify()
        assert (found.ok, found.entries, found.head) == (True, 4, ledger.head[1])
        assert "tail was cut" in found.note


def test_a_refused_batch_posts_nothing_and_names_every_fault() -> None:
    with filled() as ledger:
        before = ledger.head
        bad = [
            site("b"),
            hours("2022-07-01T02:00:00Z", "2022-07-01T04:00:00Z", [1, 1], "activity:overlap"),
            hours("2022-07-02T00:00:00Z", "2022-07-02T01:00:00Z", [-5], "activity:negative"),
            hours("2022-07-03T00:00:00Z", "2022-07-03T01:00:00Z", [1.5], "activity:float"),  # type: ignore[list-item]
            hours("2022-07-04T00:00:00+08:00", "2022-07-04T01:00:00Z", [1], "activity:zone"),
            hours(
                "2022-07-05T00:00:00Z",
                "2022-07-05T01:00:00Z",
                [1],
                "activity:meter",
                meter="meter:a:grid_imort",
            ),
            hours(
                "2022-07-06T00:00:00Z", "2022-07-06T01:00:00Z", [1], "activity:unit", unit="t CO2"
            ),
            hours("2022-07-07T00:00:00Z", "2022-07-07T05:00:00Z", [1], "activity:length"),
            hours("2022-07-31T15:00:00Z", "2022-07-31T17:00:00Z", [1, 1], "activity:month"),
            {**meter("b", "pv"), "id": "meter:b:nofate"},
            {"id": "x", "kind": "sites", **ALWAYS, "payload": {}},
        ]
        with pytest.raises(InputError) as caught:
            ledger.post(bad, recorded_at=AT, role="accountant")
        text = str(caught.value)
        for said in (
            "overlaps activity:1",
            "supersedes",
            "activity:negative",
            "activity:float",
            "activity:zone",
            "did you mean 'meter:a:grid_import'",
            "reported_figure",
            "do not reach",
            "one calendar month",
            "attribute_kept",
            "did you mean 'site'",
        ):
            assert said in text
        assert ledger.head == before
        assert ledger.post(site("b"), recorded_at=AT, role="accountant") == 1


def test_a_naive_time_is_refused_with_the_form_to_write() -> None:
    with filled() as ledger:
        entry = hours("2022-08-01T00:00:00Z", "2022-08-01T01:00:00Z", [1], "activity:2")
        entry["valid_from"] = datetime(2022, 8, 1)  # noqa: DTZ001
        with pytest.raises(InputError, match=r"naive; write it with its offset, as"):
            ledger.post(entry, recorded_at=AT, role="accountant")


def test_the_same_id_with_the_same_content_is_a_safe_retry_and_with_other_content_a_fault() -> None:
    with filled() as ledger:
        before = ledger.head
        assert (
            ledger.post(site(), recorded_at=datetime(2025, 1, 1, tzinfo=UTC), role="accountant")
            == 0
        )
        assert ledger.head == before
        with pytest.raises(InputError, match="recorded with other content"):
            ledger.post(site(region="CN-GD"), recorded_at=AT, role="accountant")


def test_the_bms_posts_activity_and_nothing_else() -> None:
    with filled() as ledger:
        with pytest.raises(InputError, match="BMS posts activity"):
            ledger.post(site("b"), recorded_at=AT, role="bms")
        more = hours("2022-07-01T03:00:00Z", "2022-07-01T04:00:00Z", [7], "activity:2")
        assert ledger.post(more, recorded_at=AT, role="bms") == 1


def append(path: str, name: str) -> None:
    with Ledger.open(path) as ledger:
        for number in range(20):
            ledger.post(site(f"{name}{number}"), recorded_at=AT, role="accountant")


def test_two_processes_append_to_one_chain(tmp_path: Path) -> None:
    path = str(tmp_path / "l.db")
    opened(path).close()
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=append, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    with Ledger.open(path) as ledger:
        found = ledger.verify()
    assert (found.ok, found.entries) == (True, 41)


def test_canonical_bytes_sort_keys_and_keep_the_digits_of_decimals() -> None:
    from decimal import Decimal

    made = canonical({"b": Decimal("1.50"), "a": [1, "é"], "c": Decimal("1E+3")})
    assert made == '{"a":[1,"é"],"b":"1.50","c":"1000"}'.encode()


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**53 + 1, "\ud800", {"é": 1}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        canonical({"key": value})


def test_a_missing_ledger_and_a_second_init_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make one with"):
        Ledger.open(tmp_path / "none.db")
    opened(tmp_path / "l.db").close()
    with pytest.raises(InputError, match="post to that ledger"):
        opened(tmp_path / "l.db")


def test_a_damaged_ledger_cannot_be_opened_and_can_still_be_verified(tmp_path: Path) -> None:
    filled(tmp_path / "l.db").close()
    assert verify_file(tmp_path / "l.db").ok
    damaged(tmp_path / "l.db", "UPDATE entry SET body = x'7B' WHERE seq = 2")
    with pytest.raises(LedgerError, match="run verify"):
        Ledger.open(tmp_path / "l.db")
    assert verify_file(tmp_path / "l.db").bad_line == 2
    (tmp_path / "no.db").write_text(
        "no database at all, only words, and more than a hundred of them" * 40
    )
    with pytest.raises(LedgerError, match="not a ledger"):
        verify_file(tmp_path / "no.db")
