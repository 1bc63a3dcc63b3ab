"""What an auditor tries: tampering, anchors, proofs, closes, replays, the index, a killed writer."""

import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from aidc.errors import InputError, LedgerError
from aidc.ledger import Ledger, verify_file
from aidc.ledger.journal import audit
from aidc.ledger.journal.canonical import canonical, entry_hash
from aidc.ledger.journal.chain import read_export, written

AT = datetime(2024, 1, 31, tzinfo=UTC)
LATER = datetime(2025, 3, 31, tzinfo=UTC)
NOW = date(2025, 12, 31)
ALWAYS = {"valid_from": "2020-12-31T16:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
DAY = ("2022-06-30T16:00:00Z", "2022-07-01T16:00:00Z")


def entry(entry_id: str, kind: str, payload: dict, **more: object) -> dict:
    return {"id": entry_id, "kind": kind, **ALWAYS, "payload": payload, **more}


def site() -> dict:
    payload = {
        "entity": "e", "name": "a", "region": "CN-SH", "zone": "Asia/Shanghai",
        "use": "AIDC", "approach": "operational_control", "share": "1",
    }  # fmt: skip
    return entry("site:a", "site", payload)


def meter(stream: str = "grid_import", **more: object) -> dict:
    payload = {"site": "site:a", "stream": stream, "unit": "Wh", **more}
    return entry(f"meter:{stream}", "meter", payload)


def day(number: int = 1, *, wh: int = 1000, name: str = "") -> dict:
    start = datetime(2022, 6, 30, 16, tzinfo=UTC) + timedelta(days=number - 1)
    payload = {
        "meter": "meter:grid_import", "unit": "Wh", "interval_s": 3600,
        "quantities": [wh] * 24, "quality": "metered",
    }  # fmt: skip
    end = start + timedelta(days=1)
    times = {
        f"valid_{key}": f"{at:%Y-%m-%dT%H:%M:%SZ}" for key, at in (("from", start), ("to", end))
    }
    return {"id": f"activity:{number}{name}", "kind": "activity", **times, "payload": payload}


def filled(place: Path, days: int = 3) -> Path:
    with Ledger.init(place, ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as ledger:
        posted = [site(), meter(), *(day(number) for number in range(1, days + 1))]
        ledger.post(posted, recorded_at=AT, role="accountant", recorded_by="clerk")
        ledger.close_period("2022", recorded_at=AT, recorded_by="clerk", approved_by="head")
    return place / "ledger.db"


def change(path: Path, *statements: str) -> None:
    """Changes a database as somebody would who has it in his hands."""
    database = sqlite3.connect(path)
    for trigger in ("entry_is_final", "entry_stays"):
        database.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def rehashed(path: Path, edit: Callable[[int, dict], None]) -> None:
    """Edits bodies and writes the whole chain anew: what a chain alone cannot show."""
    database = sqlite3.connect(path)
    rows = database.execute("SELECT seq, body FROM entry ORDER BY seq").fetchall()
    database.close()
    prev, made = "0" * 64, []
    for seq, body in rows:
        held = json.loads(body)
        edit(seq, held)
        held["prev"] = prev
        raw = canonical(held)
        prev = entry_hash(raw)
        made.append((prev, raw, seq))
    change(path)
    database = sqlite3.connect(path)
    database.executemany("UPDATE entry SET hash = ?, body = ? WHERE seq = ?", made)
    database.commit()
    database.close()


def edit_a_count(path: Path) -> None:
    change(
        path, "UPDATE entry SET body = CAST(replace(body, '1000', '1001') AS BLOB) WHERE seq = 4"
    )


def take_one_out(path: Path) -> None:
    change(path, "DELETE FROM entry WHERE seq = 4")


def swap_two(path: Path) -> None:
    change(
        path,
        "UPDATE entry SET seq = -1 WHERE seq = 3",
        "UPDATE entry SET seq = 3 WHERE seq = 4",
        "UPDATE entry SET seq = 4 WHERE seq = -1",
    )


def put_one_in(path: Path) -> None:
    change(
        path,
        "INSERT INTO entry SELECT seq + 3, 'x' || substr(hash, 2), body FROM entry WHERE seq = 4",
    )


def cut_the_tail(path: Path) -> None:
    change(path, "DELETE FROM entry WHERE seq >= 5")


def write_it_all_anew(path: Path) -> None:
    def less(seq: int, body: dict) -> None:
        if seq == 4:
            body["payload"]["quantities"] = [900] * 24
        if body["kind"] == "period_close":
            body["payload"] = {"ledger_id": "l"}  # no close: its root would give it away
            body["kind"], body["payload"] = "site", site()["payload"]

    rehashed(path, less)


@pytest.mark.parametrize(
    ("tamper", "shown_by_chain", "said"),
    [
        (edit_a_count, True, "edited"),
        (take_one_out, True, "missing: entry 4"),
        (swap_two, True, "out of order"),
        (put_one_in, True, "edited"),
        (cut_the_tail, False, "cut: 2 entries"),
        (write_it_all_anew, False, "rewritten"),
    ],
)
def test_six_ways_of_tampering_are_shown_two_of_them_only_by_an_anchor(
    tmp_path: Path, tamper: Callable[[Path], None], shown_by_chain: bool, said: str
) -> None:
    path = filled(tmp_path / "l")
    with Ledger.open(path) as ledger:
        ledger.export_head(tmp_path / "head.json")
    tamper(path)
    assert verify_file(path).ok is not shown_by_chain
    found = verify_file(path, audit.read_head(tmp_path / "head.json"))
    assert not found.ok
    assert said in found.problem


def test_an_anchor_holds_for_a_ledger_that_has_grown_since(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    with Ledger.open(path) as ledger:
        ledger.export_head(tmp_path / "head.json")
        ledger.post(entry("anchor:1", "anchor", {
            "seq": 5, "head": ledger.head[1], "receipt": "mail to the auditor",
        }), recorded_at=AT, role="accountant")  # fmt: skip
        found = ledger.verify(tmp_path / "head.json")
        assert found.ok
        assert "anchored" in found.note
        with pytest.raises(InputError, match="never changed"):
            ledger.export_head(tmp_path / "head.json")


def test_an_edited_close_is_shown_by_its_root(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")

    def other_root(seq: int, body: dict) -> None:
        if body["kind"] == "period_close":
            body["payload"]["root"] = "0" * 64

    rehashed(path, other_root)
    found = verify_file(path)
    assert not found.ok
    assert "do not give its root" in found.problem


def test_a_proof_shows_one_entry_and_fails_for_any_other_body_or_root(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    with Ledger.open(path) as ledger:
        root = next(iter(ledger.closes.values())).root
        proof = ledger.prove("activity:2")
        with pytest.raises(InputError, match="no entry 'activity:9'"):
            ledger.prove("activity:9")
        close = next(e for e in ledger.store.register.entries if e.startswith("close:"))
        with pytest.raises(InputError, match="in no closed period"):
            ledger.prove(close)
    proof.write(tmp_path / "proof.json")
    again = audit.read_proof(tmp_path / "proof.json")
    assert again == proof
    assert again.holds(root)
    assert not again.holds("0" * 64)
    forged = audit.Proof(**{**vars_of(again), "body": again.body.replace("1000", "1001")})
    assert not forged.holds(root)


def vars_of(proof: audit.Proof) -> dict:
    return {name: getattr(proof, name) for name in audit.Proof.__slots__}


def test_a_closed_period_takes_no_count_until_it_is_reopened_by_two(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    with Ledger.open(path) as ledger:
        with pytest.raises(InputError, match="2022 is closed; reopen it"):
            ledger.post(day(4), recorded_at=AT, role="accountant")
        with pytest.raises(InputError, match="second name"):
            ledger.reopen_period(
                "2022",
                reason="a late bill",
                recorded_at=AT,
                recorded_by="clerk",
                approved_by="clerk",
            )
        ledger.reopen_period(
            "2022", reason="a late bill", recorded_at=AT, recorded_by="clerk", approved_by="head"
        )
        assert ledger.post(day(4), recorded_at=AT, role="accountant") == 1
        with pytest.raises(InputError, match="second name"):
            ledger.close_period("2022", recorded_at=AT, recorded_by="clerk", approved_by="clerk")
        ledger.close_period("2022", recorded_at=AT, recorded_by="clerk", approved_by="head")
        found = ledger.verify()
        assert (found.ok, found.periods) == (True, 2)
        assert len({close.root for close in ledger.closes.values()}) == 2


def lb(ledger: Ledger, known_on: datetime | None = None) -> bytes:
    period = tuple(datetime.fromisoformat(text) for text in DAY)
    made = ledger.statement("S2-LB", entity="e", period=period, report_date=NOW, known_on=known_on)  # type: ignore[arg-type]
    return made.canonical()


def test_what_is_posted_later_never_changes_what_was_known_then(tmp_path: Path) -> None:
    """P3: a correction, a factor version and another meter after K leave the statement at K."""
    with Ledger.init(":memory:", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as ledger:
        ledger.post([site(), meter(), day(1)], recorded_at=AT, role="accountant")
        ledger.adopt_factors(["S2-LB"], entity="e", report_date=date(2024, 6, 30), recorded_at=AT)
        before = lb(ledger, AT)
        ledger.adopt_factors(["S2-LB"], entity="e", report_date=NOW, recorded_at=LATER)
        replacement = {**day(1, wh=2000)["payload"]}
        ledger.post(
            {
                **day(1, name=":again"),
                "kind": "adjustment",
                "payload": {"code": "error", "replacement": replacement},
                "supersedes": "activity:1",
                "reason": "the multiplier was wrong",
            },
            recorded_at=LATER,
            role="accountant",
        )
        assert lb(ledger, AT) == before
        assert lb(ledger) != before
        with pytest.raises(InputError, match="time runs forward"):
            ledger.post(day(2), recorded_at=AT, role="accountant")


def test_a_recorded_statement_replays_bit_for_bit_after_new_factors_from_a_fresh_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P8: from a rebuilt index, from an export, and in another time zone."""
    period = tuple(datetime.fromisoformat(text) for text in DAY)
    place = tmp_path / "l"
    with Ledger.init(place, ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as ledger:
        ledger.post([site(), meter(), day(1)], recorded_at=AT, role="accountant")
        then = ledger.draw_up(
            ["S2-LB", "S2-MB-2015"], entity="e", period=period,  # type: ignore[arg-type]
            report_date=date(2025, 6, 30), recorded_at=AT, code_version="1",
        )  # fmt: skip
        ledger.adopt_factors(["S2-LB"], entity="e", report_date=NOW, recorded_at=LATER)
        ledger.export(tmp_path / "l.jsonl")
        assert ledger.replay(then[0], code_version="1").same
    change(place / "ledger.db", "DELETE FROM place", "DELETE FROM span")
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        for kept in (place, tmp_path / "l.jsonl"):
            with Ledger.open(kept) as ledger:
                assert len(ledger.calcs) == 2
                for calc, statement in zip(ledger.calcs, then, strict=True):
                    again = ledger.replay(calc, code_version="2")
                    assert again.same
                    assert again.statement.canonical() == statement.canonical()
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_replay_that_differs_says_so_and_names_the_code(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", days=1)
    period = tuple(datetime.fromisoformat(text) for text in DAY)
    with Ledger.open(path) as ledger:
        ledger.draw_up(
            ["S2-LB"], entity="e", period=period, report_date=NOW,  # type: ignore[arg-type]
            recorded_at=AT, code_version="1", one_sided_because="a test",
        )  # fmt: skip

    def another(seq: int, body: dict) -> None:
        if body["kind"] == "calc":
            body["payload"]["statement_sha256"] = "0" * 64

    rehashed(path, another)
    with Ledger.open(path) as ledger:
        found = ledger.replay(ledger.calcs[0], code_version="2")
    assert not found.same
    assert "the code is 2, then it was 1" in found.differences


def test_an_index_that_was_tampered_with_cannot_change_a_figure(tmp_path: Path) -> None:
    for number, statement in enumerate(
        (
            "UPDATE span SET gone = 5 WHERE seq = 4",
            "DELETE FROM span WHERE seq = 4",
            "UPDATE span SET stop = stop + 3600 WHERE seq = 4",
            "INSERT INTO span SELECT meter, start + 3600, seq, stop + 3600, NULL FROM span WHERE seq = 3",
        )
    ):
        path = filled(tmp_path / str(number))
        assert audit.inspect(path).index_agrees
        change(path, statement)
        assert verify_file(path).ok
        assert not audit.inspect(path).index_agrees
        with Ledger.open(path) as ledger:
            ledger.adopt_factors(["S2-LB"], entity="e", report_date=NOW, recorded_at=AT)
            three = (
                datetime.fromisoformat(DAY[0]),
                datetime.fromisoformat(DAY[0]) + timedelta(days=3),
            )
            with pytest.raises(LedgerError, match=r"reindex|nothing from"):
                ledger.statement("S2-LB", entity="e", period=three, report_date=NOW)
            assert ledger.reindex()
            assert not ledger.reindex()
            assert ledger.statement("S2-LB", entity="e", period=three, report_date=NOW).tiers == {
                "grid_average": 72_000
            }


def keep_posting(path: str, started: str) -> None:
    with Ledger.open(path) as ledger:
        for number in range(4, 10_000):
            ledger.post(day(number), recorded_at=AT, role="bms")
            Path(started).write_text(str(number))


def test_a_writer_killed_in_mid_transaction_loses_nothing_that_was_committed(
    tmp_path: Path,
) -> None:
    with Ledger.init(tmp_path / "l", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as ledger:
        ledger.post([site(), meter()], recorded_at=AT, role="accountant")
    told = tmp_path / "told"
    writer = multiprocessing.get_context("spawn").Process(
        target=keep_posting, args=(str(tmp_path / "l"), str(told))
    )
    writer.start()
    deadline = time.monotonic() + 60
    while not (told.exists() and told.read_text() > "20") and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join()
    posted = int(told.read_text())
    shutil.copytree(tmp_path / "l", tmp_path / "copy")  # with its WAL, as the crash left it
    for place in ("l", "copy"):
        with Ledger.open(tmp_path / place) as ledger:
            assert ledger.verify().ok
            assert ledger.head[0] >= 3 + posted - 3
            assert ledger.store.index.place(f"activity:{posted}") is not None
            assert not ledger.reindex()


def test_what_holds_of_a_torn_journal_is_recovered_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    change(path, "UPDATE entry SET body = substr(body, 1, 60) WHERE seq = 4")
    found = audit.recover(path, tmp_path / "new" / "ledger.db")
    assert (found.kept, found.left) == (4, 3)
    assert found.problem.startswith("torn")
    assert len(found.rest.read_bytes().splitlines()) == 3
    with Ledger.open(tmp_path / "new") as ledger:
        assert ledger.verify().ok
        assert ledger.post(day(2), recorded_at=AT, role="bms") == 1


def test_a_journal_whose_last_entry_was_edited_takes_no_more(tmp_path: Path) -> None:
    with Ledger.init(tmp_path / "l", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as ledger:
        ledger.post([site(), meter(), day(1)], recorded_at=AT, role="accountant")
    change(
        tmp_path / "l" / "ledger.db",
        "UPDATE entry SET body = CAST(replace(body, '1000', '1001') AS BLOB) WHERE seq = 3",
    )
    with Ledger.open(tmp_path / "l") as ledger, pytest.raises(LedgerError, match="edited"):
        ledger.post(day(2), recorded_at=AT, role="bms")


def test_an_import_gives_the_same_bytes_and_refuses_a_broken_export(tmp_path: Path) -> None:
    path = filled(tmp_path / "l")
    with Ledger.open(path) as ledger:
        ledger.export(tmp_path / "l.jsonl")
    with Ledger.import_(tmp_path / "l.jsonl", tmp_path / "again") as again:
        again.export(tmp_path / "again.jsonl")
        assert not again.reindex()
    assert (tmp_path / "l.jsonl").read_bytes() == (tmp_path / "again.jsonl").read_bytes()
    lines = list(read_export(tmp_path / "l.jsonl"))
    (tmp_path / "bad.jsonl").write_bytes(b"".join(written(line) for line in (lines[0], *lines[2:])))
    with pytest.raises(LedgerError, match="out of order"):
        Ledger.import_(tmp_path / "bad.jsonl", tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_moves_over_the_bus_count_on_their_meters_and_must_balance() -> None:
    meters = [meter(stream) for stream in ("grid_import", "it_in", "cooling")]
    moves = [
        {"from": "grid:CN-SH", "to": "bus:a", "wh": 1300, "meter": "meter:grid_import"},
        {"from": "bus:a", "to": "use.it:a", "wh": 1000, "meter": "meter:it_in"},
        {"from": "bus:a", "to": "use.cooling:a", "wh": 299, "meter": "meter:cooling"},
        {"from": "bus:a", "to": "rounding:a", "wh": 1},
    ]

    def tx(changed: list[dict], name: str = "tx:1") -> dict:
        times = {"valid_from": DAY[0], "valid_to": DAY[1]}
        payload = {"site": "site:a", "moves": changed, "quality": "metered"}
        return {"id": name, "kind": "energy_tx", **times, "payload": payload}

    with Ledger.init(":memory:", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as ledger:
        ledger.post([site(), *meters], recorded_at=AT, role="accountant")
        for bad, said in (
            (moves[:3], "open by 1 Wh"),
            ([{**moves[0], "wh": -1}, *moves[1:]], "greater than 0"),
            ([{**moves[0], "meter": "meter:it_in"}, *moves[1:]], "counts it_in"),
            ([*moves[:3], {**moves[3], "wh": 9}], "rounding leaves one Wh"),
            ([{**moves[0], "from": "grit:CN-SH"}, *moves[1:]], "unknown account 'grit"),
        ):
            with pytest.raises(InputError, match=said):
                ledger.post(tx(bad), recorded_at=AT, role="accountant")
        ledger.post(tx(moves), recorded_at=AT, role="accountant")
        with pytest.raises(InputError, match="overlaps tx:1"):
            ledger.post(tx(moves, "tx:2"), recorded_at=AT, role="accountant")
        ledger.adopt_factors(["S2-LB"], entity="e", report_date=NOW, recorded_at=AT)
        period = tuple(datetime.fromisoformat(text) for text in DAY)
        made = ledger.statement("S2-LB", entity="e", period=period, report_date=NOW)  # type: ignore[arg-type]
        assert made.tiers == {"grid_average": 1300}
        assert made.cells[0].sources == ("tx:1",)


def test_certificates_of_pv_that_are_sold_from_a_day_on_count_as_grid_from_that_day() -> None:
    """D4: a later version of the meter ends the claim, and the past keeps its own."""
    sold = meter("pv", attribute_kept=False) | {
        "id": "meter:pv:2", "valid_from": "2022-07-01T04:00:00Z",
        "supersedes": "meter:pv", "reason": "certificates sold from noon on",
    }  # fmt: skip
    pv = day(1, wh=100)
    pv = pv | {"id": "activity:pv", "payload": pv["payload"] | {"meter": "meter:pv"}}
    with Ledger.init(":memory:", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as ledger:
        posted = [site(), meter(), meter("pv", attribute_kept=True), day(1), pv]
        ledger.post(posted, recorded_at=AT, role="accountant")
        ledger.adopt_factors(["S2-LB"], entity="e", report_date=NOW, recorded_at=AT)
        period = tuple(datetime.fromisoformat(text) for text in DAY)

        def tiers(known_on: datetime | None) -> dict[str, int]:
            return ledger.statement(
                "S2-LB",
                entity="e",
                period=period,
                report_date=NOW,
                known_on=known_on,  # type: ignore[arg-type]
            ).tiers

        assert tiers(None) == {"grid_average": 24_000, "own_pv": 2_400}
        ledger.post(sold, recorded_at=LATER, role="accountant")
        assert tiers(None) == {"grid_average": 24_000 + 1_200, "own_pv": 1_200}
        assert tiers(AT) == {"grid_average": 24_000, "own_pv": 2_400}


def test_a_trace_leads_from_the_figure_to_entries_factor_and_document() -> None:
    with Ledger.init(":memory:", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT) as ledger:
        bill = day(1) | {"evidence": [{"locator": "bill 7, page 2", "sha256": "a" * 64}]}
        ledger.post([site(), meter(), bill], recorded_at=AT, role="accountant", recorded_by="clerk")
        ledger.adopt_factors(["S2-LB"], entity="e", report_date=NOW, recorded_at=AT)
        period = tuple(datetime.fromisoformat(text) for text in DAY)
        made = ledger.statement("S2-LB", entity="e", period=period, report_date=NOW)  # type: ignore[arg-type]
        text = ledger.trace(made, made.cell("a", "2022")).text()
    for said in ("bill 7, page 2", "a" * 64, "by clerk as accountant", "document_no", "activity:1"):
        assert said in text


def test_a_planner_posts_simulated_activity_alone() -> None:
    made = Ledger.init(":memory:", ledger_id="l", zone="Asia/Shanghai", recorded_at=AT)
    with made as ledger, pytest.raises(InputError, match="a planner posts simulated"):
        ledger.post([site(), meter(), day(1)], recorded_at=AT, role="planner")
