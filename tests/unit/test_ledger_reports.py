"""Reports of a ledger: lots in the market book, restatements through the journal, and the command line."""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import aidc.cli
from aidc.errors import InputError
from aidc.ledger import BookMixError, Ledger
from aidc.ledger.checks.assertion import Assertion
from aidc.ledger.checks.reconciliation import comparisons
from aidc.ledger.inventory import company_ledger
from aidc.ledger.journal.payloads import Calc
from aidc.ledger.reports.report import Report, report
from aidc.ledger.restatement.restate import Restatement, Trigger
from tests.ledger_cases import ALWAYS, AT, HOUR, ZONE, ledger_of, site_year


def main(arguments: list[str]) -> int:
    """Exit status of the command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["aidc", *arguments])
        with pytest.raises(SystemExit) as left:
            aidc.cli.main()
    return int(left.value.code or 0)


YEAR = {"valid_from": "2022-12-31T16:00:00Z", "valid_to": "2023-12-31T16:00:00Z"}
CRITERIA = {f"QC{n}": {"answer": "yes", "evidence": "registry"} for n in range(1, 9)} | {
    "QC6": {"answer": "not_applicable", "evidence": "no rate"},
    "QC7": {"answer": "not_applicable", "evidence": "no contract"},
}
BIG = {stream: wh * 10**6 for stream, wh in HOUR.items()}


def certificates(technology: str) -> list[dict[str, Any]]:
    """Five thousand GECs of the year: 5 GWh of the 10,950 GWh bought, retired."""
    lot = {
        "type": "gec_single", "registry": "gec", "serials": {"first": 1, "last": 5_000_000},
        "project": "farm", "technology": technology, "commissioned_on": "2020-01-01", "region": "CN-SH",
        "zone": "CN/East", "quantity": 5 * 10**12, "unit": "Wh", "sole_claim": True, "criteria": CRITERIA,
    }  # fmt: skip
    common = {
        "lot": "lot:1", "quantity": 5 * 10**12, "serials": {"first": 1, "last": 5_000_000}, "entity": "group",
    }  # fmt: skip
    use = {
        "beneficiary": "group", "document": "retirement 1", "period_from": YEAR["valid_from"],
        "period_to": YEAR["valid_to"],
    }  # fmt: skip
    at = {"valid_from": "2024-02-01T00:00:00Z", "valid_to": "2024-02-01T00:00:00Z"}
    return [
        {"id": "lot:1", "kind": "lot", **YEAR, "payload": lot},
        {"id": "move:1", "kind": "lot_move", **at, "payload": {**common, "act": "acquire"}},
        {"id": "move:2", "kind": "lot_move", **at, "payload": {**common, **use, "act": "retire"}},
    ]


def drawn(ledger: Ledger, period: str = "2023", at: datetime = AT) -> Report:
    statements = ledger.draw_up(
        ("S1", "S2-LB", "S2-MB-2015"), entity="group", period=period, report_date=date(2024, 4, 30),
        recorded_at=at, code_version="test",
    )  # fmt: skip
    return report(ledger, statements, category=3, parameters={}, texts={}, added_back_t={})


@pytest.mark.parametrize(
    ("technology", "ref"), [("onshore_wind", "0.477520"), ("nuclear", "0.038462")]
)
def test_only_retired_renewable_certificates_raise_the_renewable_factor(
    technology: str, ref: str
) -> None:
    """5,000 of 11,388 GWh and own PV of 438; nuclear power is free of carbon and not renewable."""
    with ledger_of(site_year("lingang", 2023, BIG), certificates(technology)) as ledger:
        made = drawn(ledger)
    book = made.workbook
    assert made.trips == ()
    assert book.sheet("tiers").cell("S2-MB-2015/lingang/certificate", "2023").value == 5_000_000
    assert "lot:1" in book.sheet("scope2").cell("lingang", "2023 S2-MB-2015").sources
    assert round(book.sheet("kpi").cell("lingang/ref", "2023").value or 0, 6) == Decimal(ref)
    location = book.sheet("scope2").cell("lingang", "2023 S2-LB")
    assert "lot:1" not in location.sources
    assert any(label == "terms of S2-MB-2015" for label, _ in book.provenance)


def test_a_bill_stands_beside_its_meter_in_the_report() -> None:
    bill = Assertion(
        entity="group", about="bill", subject="meter:lingang:grid_import", stated=Decimal("10.9"),
        unit="MWh", tolerance_frac=Decimal("0.01"), document="bill",
    )  # fmt: skip
    entry = {
        "id": "a:1",
        "kind": "assertion",
        **YEAR,
        "payload": bill.model_dump(exclude_none=True),
    }
    with ledger_of(site_year("lingang", 2023, HOUR), [entry]) as ledger:
        made = drawn(ledger)
    assert made.workbook.sheet("reconciliation").cell("a:1", "difference").value == Decimal("0.05")
    assert made.trips == ()


def test_an_assertion_of_an_unknown_meter_is_refused_with_the_nearest() -> None:
    payload = {
        "entity": "group", "about": "bill", "subject": "meter:lingang:grid", "stated": "1", "unit": "MW",
        "tolerance_frac": "0.01", "document": "bill",
    }  # fmt: skip
    entry = {"id": "a:1", "kind": "assertion", **YEAR, "payload": payload}
    with pytest.raises(InputError) as caught:
        ledger_of(site_year("lingang", 2023, HOUR, count=1), [entry])
    text = str(caught.value)
    assert "unknown meter 'meter:lingang:grid'" in text
    assert "unit 'MW' is unknown - did you mean 'MWh'" in text


@pytest.fixture
def base() -> Any:
    """A ledger with the base year 2023 drawn up, and the ids of its calcs."""
    with ledger_of(site_year("lingang", 2023, BIG)) as ledger:
        drawn(ledger)
        calcs = ledger.store.register.of(Calc)
        yield ledger, {one.book: name for name, one in calcs.items()}


def posted_event(ledger: Ledger, name: str, **more: Any) -> None:
    payload = {
        "entity": "group", "what": "subsidiary", "event": "acquired", "effective": "2024-03-01",
        "source": "annual report",
    }  # fmt: skip
    entry = {"id": name, "kind": "boundary_event", **ALWAYS, "payload": payload | more}
    supersedes = more.pop("supersedes", None)
    if supersedes:
        entry |= {"supersedes": supersedes, "reason": "its size is known"}
        entry["payload"].pop("supersedes")  # type: ignore[attr-defined]
    ledger.post(entry, recorded_at=AT, role="accountant")


def act(ledger: Ledger, trigger: Trigger | str, calc: str, **more: Any) -> Any:
    given = {
        "calcs": [calc], "threshold_frac": Decimal("0.05"), "one_target_for_all_scopes": False,
        "recorded_at": AT, "recorded_by": "accountant", "approved_by": "director",
    }  # fmt: skip
    return ledger.restate(trigger, **(given | more))


def test_triggers_add_up_in_the_journal_until_the_base_year_is_recalculated(base: Any) -> None:
    ledger, calcs = base
    lb = calcs["S2-LB"]
    reported = ledger.store.register.of(Calc)[lb].total_t
    posted_event(ledger, "event:1", base_year=2023, base_year_t=str(reported * Decimal("0.03")))
    first = act(ledger, "event:1", lb)
    assert (first.verdict, first.base_year_t) == ("pending", reported)
    second = act(
        ledger, Trigger("t", "error", "a meter read twice", reported * Decimal("0.02")), lb
    )
    assert (second.verdict, second.net_frac) == ("recalculated", Decimal("0.05"))
    held = list(ledger.store.register.of(Restatement).values())
    assert [(one.verdict, one.series_version) for one in held] == [
        ("pending", 1),
        ("recalculated", 2),
    ]
    third = act(ledger, Trigger("t", "error", "another", Decimal(1)), lb)
    assert third.reported_t == second.restated_t  # the new base year, and nothing waits
    assert len(third.waterfall) == 1
    with pytest.raises(InputError, match="event:1 was held against the threshold already: pending"):
        act(ledger, "event:1", lb)
    book = drawn(ledger).workbook
    sheet = book.sheet("base_year")
    assert [row.cells["verdict"].text for row in sheet.rows] == [
        "pending",
        "waited",
        "recalculated",
        "pending",
    ]
    assert sheet.rows[0].cells["change"].sources == ("event:1",)
    assert sheet.rows[2].cells["as restated"].value == second.restated_t
    words = book.sheet("disclosure").cell("restatements", "2023").text
    assert words.startswith("S2-LB, base year 2023: ")
    assert "a meter read twice" in words


def test_a_base_year_has_one_threshold(base: Any) -> None:
    ledger, calcs = base
    calc = calcs["S2-LB"]
    size = Decimal("0.5")
    first = act(ledger, Trigger("t:1", "error", "one", size), calc, threshold_frac=Decimal("0.99"))
    assert first.verdict == "pending"
    with pytest.raises(
        InputError, match=r"is held to 0\.99 since its first trigger; 0\.05 is another"
    ):
        act(ledger, Trigger("t:2", "error", "two", size), calc)


def test_an_event_of_unknown_size_stays_open_until_its_size_is_known(base: Any) -> None:
    ledger, calcs = base
    posted_event(ledger, "event:1")
    assert act(ledger, "event:1", calcs["S2-LB"]).verdict == "open"
    posted_event(ledger, "event:1b", base_year=2023, base_year_t="900000", supersedes="event:1")
    found = act(ledger, "event:1", calcs["S2-LB"])
    assert (found.verdict, found.open_ids) == ("recalculated", ())


def test_restating_needs_a_second_name_one_book_and_calcs_of_one_year(base: Any) -> None:
    ledger, calcs = base
    error = Trigger("t", "error", "e", Decimal(1))
    with pytest.raises(InputError, match="restating needs a second name"):
        act(ledger, error, calcs["S2-LB"], approved_by="accountant")
    with pytest.raises(BookMixError, match="one book of electricity"):
        act(ledger, error, "", calcs=[calcs["S2-LB"], calcs["S2-MB-2015"]])
    with pytest.raises(InputError, match="no calc 'x'"):
        act(ledger, error, "x")
    assert act(ledger, error, "", calcs=[calcs["S1"], calcs["S2-LB"]]).verdict == "pending"


def test_a_restatement_that_the_ledger_does_not_derive_is_refused(base: Any) -> None:
    ledger, calcs = base
    act(ledger, Trigger("t", "error", "e", Decimal(1)), calcs["S2-LB"])
    held = next(iter(ledger.store.register.of(Restatement).values()))
    forged = held.model_dump(exclude_none=True) | {"restated_t": Decimal(1), "cause": "forged"}
    with pytest.raises(InputError, match="restated_t is 1, the ledger derives"):
        ledger.post(
            {"id": "r:forged", "kind": "restatement", **YEAR, "payload": forged},
            recorded_at=AT, role="approver", recorded_by="accountant",
        )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "books"
    with Ledger.init(place, ledger_id="test", zone=ZONE, recorded_at=AT) as made:
        made.post(site_year("lingang", 2023, HOUR), recorded_at=AT, role="accountant")
        drawn(made)
    return place


OPTIONS = ["--entity", "group", "--period", "2023", "--report-date", "2024-04-30"]


@pytest.mark.parametrize("name", ["report.html", "report.json", "report.xlsx", "tables"])
def test_the_command_writes_each_form(folder: Path, tmp_path: Path, name: str) -> None:
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    to = tmp_path / name
    assert main(["ledger", "report", str(folder), *OPTIONS, "--to", str(to)]) == 0
    assert (to / "kpi.csv").exists() if name == "tables" else to.stat().st_size > 5000
    if name == "report.json":
        sheets = {sheet["name"]: sheet for sheet in json.loads(to.read_text())["sheets"]}
        rows = {row["key"]: row for row in sheets["kpi"]["rows"]}
        assert rows["lingang/pue"]["cells"]["2023"]["value"] == "1.3"


def test_one_of_the_two_books_alone_needs_a_reason(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "report.json"
    words = ["ledger", "report", str(folder), *OPTIONS, "--to", str(to), "--books", "S2-LB"]
    assert main(words) == 2
    assert main([*words, "--one-sided-because", "no market", "--adopt"]) == 0


def test_the_check_command_exits_1_where_a_statement_is_stopped(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ledger", "check", str(folder), *OPTIONS]) == 0
    assert "D17" in capsys.readouterr().out
    bill = {
        "entity": "group", "about": "bill", "subject": "meter:lingang:grid_import", "stated": "12",
        "unit": "MWh", "tolerance_frac": "0.01", "document": "bill of 2023",
    }  # fmt: skip
    with Ledger.open(folder) as ledger:
        later = datetime.now(UTC).replace(microsecond=0) + timedelta(0)
        ledger.post(
            {"id": "a:1", "kind": "assertion", **YEAR, "payload": bill},
            recorded_at=later,
            role="accountant",
        )
    assert main(["ledger", "check", str(folder), *OPTIONS]) == 1
    assert "bill of 2023 states 12 MWh" in capsys.readouterr().out


def test_the_restate_command_prints_the_waterfall(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger.open(folder) as ledger:
        calc = next(
            name for name, one in ledger.store.register.of(Calc).items() if one.book == "S2-LB"
        )
    options = ["--calc", calc, "--threshold", "0.05", "--by", "a", "--approved-by", "b"]
    trigger = ["--kind", "error", "--cause", "a meter read twice", "--change", "-1"]
    assert main(["ledger", "restate", str(folder), *options, *trigger]) == 0
    out = capsys.readouterr().out
    assert "as reported" in out
    assert "a meter read twice: -1 t" in out
    assert "recalculated" in out
    assert main(["ledger", "restate", str(folder), *options]) == 2


def calc_of(ledger: Ledger, book: str, report_date: date) -> str:
    """Draws a year up as by a report date; id of its calc."""
    known = set(ledger.calcs)
    ledger.draw_up(
        [book], entity="sensetime", period="2022", report_date=report_date, recorded_at=AT,
        code_version="test", one_sided_because="one book",
    )  # fmt: skip
    return next(name for name in ledger.calcs if name not in known)


def test_a_base_year_with_scope_1_and_one_without_it_are_two_series(base: Any) -> None:
    """What waits in one neither counts in the other, nor does the other's base year stand for it."""
    ledger, calcs = base
    one, both = [calcs["S2-LB"]], [calcs["S1"], calcs["S2-LB"]]
    total = ledger.store.register.of(Calc)[calcs["S2-LB"]].total_t
    small, large = (total * Decimal(share) for share in ("0.03", "0.06"))
    act(ledger, Trigger("t", "error", "a meter read twice", small), "", calcs=one)
    found = act(ledger, Trigger("t", "error", "a wrong factor", large), "", calcs=both)
    assert (found.verdict, len(found.waterfall)) == ("recalculated", 1)
    again = act(ledger, Trigger("t", "error", "a late bill", Decimal(1)), "", calcs=one)
    assert again.reported_t == total
    assert [step.change_t for step in again.waterfall] == [small, Decimal(1)]
    held = list(ledger.store.register.of(Restatement).values())
    assert [made.book for made in held] == ["S2-LB", "S1+S2-LB", "S2-LB"]
    assert [made.series_version for made in held] == [1, 2, 1]


def test_a_cause_counts_once_in_a_series(base: Any) -> None:
    ledger, calcs = base
    error = Trigger("t", "error", "A meter read twice", Decimal(1))
    act(ledger, error, calcs["S2-LB"])
    with pytest.raises(InputError, match=r"'a meter read twice' was held .* already: pending"):
        act(ledger, Trigger("u", "error", "a meter read twice", Decimal(2)), calcs["S2-LB"])


def test_the_lines_of_the_base_year_add_up_with_those_that_waited(base: Any) -> None:
    ledger, calcs = base
    share = ledger.store.register.of(Calc)[calcs["S2-LB"]].total_t * Decimal("0.03")
    for cause in ("first", "second"):
        act(ledger, Trigger("t", "error", cause, share), calcs["S2-LB"])
    act(ledger, Trigger("t", "grid_changed", "a cleaner grid", share), calcs["S2-LB"])
    book = drawn(ledger).workbook
    rows = book.sheet("base_year").rows
    assert [(row.heads[1], row.cells["verdict"].text) for row in rows] == [
        ("first", "pending"), ("first", "waited"), ("second", "recalculated"), ("a cleaner grid", "refused"),
    ]  # fmt: skip
    waited, counted, refused = rows[1:]
    assert (
        counted.cells["as reported"].value
        + waited.cells["change"].value
        + counted.cells["change"].value
        == counted.cells["as restated"].value
    )
    assert refused.cells["change"].text == "not counted"
    assert "(first; second)" in book.sheet("disclosure").cell("restatements", "2023").text


def test_a_newer_factor_restates_by_the_difference_of_two_calcs() -> None:
    """SR2022: 0.5703 t/MWh; notice 2024 no. 33: 0.5366. Purchase 53,434.5 MWh, 386.552135 abroad at 0.39."""
    with company_ledger((2022,), zone=ZONE, recorded_at=AT) as ledger:
        old = calc_of(ledger, "NDRC", date(2023, 6, 30))
        new = calc_of(ledger, "NDRC", date(2024, 12, 31))
        trigger = ledger.change_to(
            new, calcs=[old], kind="data_improvement", cause="factor of 2022 as published in 2024"
        )
        assert trigger.change_t == Decimal("53047.947865") * (Decimal("0.5366") - Decimal("0.5703"))
        many = ledger.head[0]
        tried = act(ledger, trigger, old, threshold_frac=Decimal("0.10"), dry_run=True)
        assert (tried.verdict, round(tried.net_frac, 4)) == ("pending", Decimal("0.0588"))
        assert ledger.head[0] == many
        assert act(ledger, trigger, old).verdict == "recalculated"
        held = next(iter(ledger.store.register.of(Restatement).values()))
        assert (held.from_calc, held.to_calc) == (old, new)
        forged = held.model_dump(exclude_none=True) | {"change_t": Decimal(-1), "cause": "forged"}
        with pytest.raises(InputError, match="rests on already"):
            ledger.post(
                {"id": "r:forged", "kind": "restatement", **YEAR, "payload": forged},
                recorded_at=AT, role="approver", recorded_by="accountant",
            )  # fmt: skip


def test_the_restate_command_takes_a_calc_tries_and_tells_a_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "books")
    assert main(["ledger", "init", place, "--id", "x", "--company", "--by", "a"]) == 0
    for day in ("2023-06-30", "2024-12-31"):
        words = ["--book", "NDRC", "--period", "2022", "--report-date", day, "--adopt"]
        assert main(["ledger", "statement", place, *words]) == 0
    capsys.readouterr()
    assert main(["ledger", "calcs", place, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert [(one["book"], one["period"], one["report date"]) for one in made] == [
        ("NDRC", "2022", "2023-06-30"),
        ("NDRC", "2022", "2024-12-31"),
    ]
    assert "mee-average-CN-2022" in made[1]["factors"]
    old, new = (one["calc"] for one in made)
    words = ["ledger", "restate", place, "--calc", old, "--to-calc", new]
    improved = [*words, "--kind", "data_improvement", "--cause", "newer factor"]
    assert main([*improved, "--threshold", "0.1", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "-5.9% net" in out
    assert "pending" in out
    assert "nothing is recorded" in out
    assert main([*improved, "--threshold", "0.05"]) == 2  # who, and who approves
    names = ["--by", "a", "--approved-by", "b"]
    refused = [*words, "--kind", "grid_changed", "--cause", "the grid", "--threshold", "0.05"]
    assert main([*refused, *names]) == 1
    assert "the grid changed" in capsys.readouterr().err
    assert main([*improved, *names, "--threshold", "0.05"]) == 0
    assert "recalculated" in capsys.readouterr().out
    wrong = [*words, "--kind", "acquired", "--cause", "x", "--threshold", "0.05", *names]
    assert main(wrong) == 2
    assert "named by --event" in capsys.readouterr().err


def stated(name: str, **more: Any) -> dict[str, Any]:
    """A bill of the year 2023 that states 12 MWh where the meter has 10.95."""
    payload = {
        "entity": "group", "about": "bill", "subject": "meter:lingang:grid_import", "stated": "12",
        "unit": "MWh", "tolerance_frac": "0.01", "document": "bill of 2023",
    }  # fmt: skip
    return {"id": name, "kind": "assertion", **YEAR, "payload": payload | more}


def test_a_bill_that_disagrees_is_told_once_and_flags_the_report(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger.open(folder) as ledger:
        at = datetime.now(UTC).replace(microsecond=0)
        ledger.post(stated("a:1"), recorded_at=at, role="accountant")
    capsys.readouterr()
    assert main(["ledger", "check", str(folder), *OPTIONS]) == 1
    told = capsys.readouterr()
    assert (told.out + told.err).count("bill of 2023 states 12 MWh") == 1
    assert "supersede a:1 by an assertion of the corrected one" in told.out
    assert "stopped by D17 (1)" in told.err
    to = folder / "report.json"
    assert main(["ledger", "report", str(folder), *OPTIONS, "--to", str(to)]) == 1
    assert "written and flagged: D17 (1)" in capsys.readouterr().err
    made = json.loads(to.read_text())
    rows = {s["name"]: s for s in made["sheets"]}["reconciliation"]["rows"]
    assert [row["cells"]["verdict"]["text"] for row in rows] == ["differs"]
    assert any("12 MWh" in text and "not reconciled" in text for text in made["warnings"])


def test_an_assertion_that_was_superseded_is_neither_held_nor_cited() -> None:
    later = stated("a:2", stated="10.95", document="corrected bill")
    later |= {"supersedes": "a:1", "reason": "the supplier corrected it"}
    with ledger_of(site_year("lingang", 2023, HOUR), [stated("a:1"), later]) as ledger:
        made = drawn(ledger)
        sheet = made.workbook.sheet("reconciliation")
        assert [row.key for row in sheet.rows] == ["a:2"]
        assert sheet.cell("a:2", "stated").sources == ("a:2",)
        assert made.trips == ()
        wrong = {"id": "adj", "kind": "adjustment", **YEAR, "payload": {"code": "error"}}
        with pytest.raises(InputError, match="a:1 is superseded by a later assertion"):
            ledger.post(
                wrong | {"supersedes": "a:1", "reason": "x"}, recorded_at=AT, role="accountant"
            )


def test_an_assertion_of_an_unknown_registry_says_which_there_are() -> None:
    given = stated("a:1", about="registry", subject="geck")
    with pytest.raises(InputError) as caught:
        ledger_of(site_year("lingang", 2023, BIG), certificates("onshore_wind"), [given])
    assert "no lot of the registry 'geck' - did you mean 'gec'" in str(caught.value)
    right = stated("a:1", about="registry", subject="GEC", stated="5000000", tolerance_frac="0")
    # the certificates are retired in February 2024: the statement is of that year
    right |= {"valid_from": "2023-12-31T16:00:00Z", "valid_to": "2024-12-31T16:00:00Z"}
    with ledger_of(
        site_year("lingang", 2023, BIG), certificates("onshore_wind"), [right]
    ) as ledger:
        readings = ledger.store.readings()
        span = (AT - timedelta(days=200), AT + timedelta(days=400))
        assert [one.verdict for one in comparisons(readings, "group", span)] == ["agrees"]


def test_check_prints_its_table_and_every_gap_where_no_book_can_be_derived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two meters with a gap each: both are told, in the table, and not one after the other."""
    place = tmp_path / "books"
    gaps = [
        entry
        for entry in site_year("lingang", 2023, HOUR)
        if entry["id"]
        not in ("activity:lingang:grid_import:2023-05", "activity:lingang:cooling:2023-07")
    ]
    with Ledger.init(place, ledger_id="test", zone=ZONE, recorded_at=AT) as made:
        made.post(gaps, recorded_at=AT, role="accountant")
    assert main(["ledger", "check", str(place), *OPTIONS]) == 1
    told = capsys.readouterr()
    assert "asks that" in told.out
    lines = [line for line in told.out.splitlines() if line.startswith("D12: ")]
    assert {"meter:lingang:grid_import", "meter:lingang:cooling"} <= {
        name for name in ("meter:lingang:grid_import", "meter:lingang:cooling") for line in lines if name in line
    }  # fmt: skip
    assert "stopped by D12 (2)" in told.err
    assert "S2-LB is not derived and was not looked at" in told.err
