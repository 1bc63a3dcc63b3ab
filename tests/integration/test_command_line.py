"""The steps one by one, as a clerk or a planner would type them."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from aidc.cli import main

Aidc = Callable[..., str]
DAY = ("--set", "end=2023-07-04T00:00:00+08:00")


def _typed(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[str, int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["aidc", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
    return capsys.readouterr().out, int(left.value.code or 0)


@pytest.fixture
def aidc(capsys: pytest.CaptureFixture[str]) -> Aidc:
    """Types a command that must succeed; what it printed."""

    def typed(*words: object) -> str:
        out, status = _typed(capsys, *words)
        assert status == 0, out
        return out

    return typed


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new study with one finished day in ``out``."""
    folder = tmp_path_factory.mktemp("study") / "mine"
    with pytest.MonkeyPatch.context() as patch:
        for words in (
            ["init", folder],
            [
                "run",
                folder / "scenario.yaml",
                "--out",
                folder / "out",
                "--no-ends",
                "--quiet",
                *DAY,
            ],
        ):
            patch.setattr("sys.argv", ["aidc", *map(str, words)])
            with pytest.raises(SystemExit) as left:
                main()
            assert not left.value.code
    return folder


def test_init_overwrites_nothing(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (study / "scenario.yaml").read_bytes()
    assert _typed(capsys, "init", study)[1] == 2
    assert (study / "scenario.yaml").read_bytes() == before


def test_the_scenario_in_a_folder_of_results_gives_the_same_figures_again(
    study: Path, aidc: Aidc, tmp_path: Path
) -> None:
    aidc(
        "run", study / "out" / "scenario.yaml", "--out", tmp_path / "again", "--no-ends", "--quiet"
    )
    for name in ("summary.json", "scenario.yaml", "ledger.jsonl", "statements.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (study / "out" / name).read_bytes()


def test_accounts_drawn_up_again_from_a_folder_are_those_of_the_run(
    study: Path, aidc: Aidc
) -> None:
    told = json.loads(aidc("account", study / "out", "--json"))[str(study / "out")]
    summary = json.loads((study / "out" / "summary.json").read_text())
    for run in ("baseline", "optimized"):
        for book, key in (
            ("S2-LB", "scope2_location_tco2e"),
            ("S2-MB-2015", "scope2_market_tco2e"),
        ):
            row = next(r for r in told if r["run"] == run and r["book"] == book)
            assert row["t"] == pytest.approx(summary[run][key], rel=1e-9)


def test_a_later_report_date_takes_later_factors(study: Path, aidc: Aidc) -> None:
    """The factors of data year 2023 were published in December 2025."""
    early, late = (
        json.loads(aidc("account", study / "out", "--report-date", day, "--json"))
        for day in ("2024-04-30", "2026-01-31")
    )
    of = lambda told: next(r["t"] for r in told[str(study / "out")] if r["book"] == "NDRC")  # noqa: E731
    # national averages 0.5568 (2021, published 2024-04-12) and 0.5306 (2023) t/MWh
    assert of(late) / of(early) == pytest.approx(0.5306 / 0.5568, rel=1e-6)


def test_the_ledger_of_a_folder_verifies_exports_and_says_its_statement(
    study: Path, aidc: Aidc, tmp_path: Path
) -> None:
    assert "entries hold" in aidc("ledger", "verify", study / "out")
    aidc("ledger", "export", study / "out", tmp_path / "copy.jsonl")
    assert (tmp_path / "copy.jsonl").read_bytes() == (study / "out" / "ledger.jsonl").read_bytes()
    period = "2023-07-03T00:00:00+08:00/2023-07-04T00:00:00+08:00"
    rows = json.loads(
        aidc("ledger", "statement", tmp_path / "copy.jsonl", "--book", "S2-LB",
             "--report-date", "2024-04-30", "--period", period, "--json")
    )  # fmt: skip
    summary = json.loads((study / "out" / "summary.json").read_text())
    drawn = next(one for one in rows if one["entity"] == "optimized")
    assert float(drawn["total_t"]) == pytest.approx(
        summary["optimized"]["scope2_location_tco2e"], rel=1e-9
    )


def test_a_changed_byte_in_a_ledger_is_a_finding(
    study: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = (study / "out" / "ledger.jsonl").read_text()
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text(text.replace('"optimized', '"Optimized', 1))
    assert text != wrong.read_text()
    assert _typed(capsys, "ledger", "verify", wrong)[1] == 1


def test_plan_writes_schedule_setpoints_and_proof(study: Path, aidc: Aidc, tmp_path: Path) -> None:
    printed = aidc("plan", study / "scenario.yaml", "--out", tmp_path / "plan", "--quiet", *DAY)
    windows = pd.read_csv(tmp_path / "plan" / "windows.csv")
    assert (windows["bound"] <= windows["objective"] * (1 + 1e-9)).all()
    assert (windows["gap_frac"] <= 0.01).all()
    assert "worst gap" in printed
    points = pd.read_csv(tmp_path / "plan" / "setpoints-mine.csv")
    assert len(points) == 96
    assert points["supply_degc"].between(18, 32).all()
    decided = pd.read_parquet(tmp_path / "plan" / "schedule.parquet")
    run = pd.read_parquet(study / "out" / "schedule.parquet")
    pd.testing.assert_frame_equal(decided, run)


def test_the_baseline_alone_has_no_saving(study: Path, aidc: Aidc, tmp_path: Path) -> None:
    told = json.loads(
        aidc("simulate", study / "scenario.yaml", "--out", tmp_path / "sim", "--json", *DAY)
    )
    whole = json.loads((study / "out" / "summary.json").read_text())
    assert told["baseline"] == whole["baseline"]
    assert told["optimized"] is None
    assert told["plan"] is None


def test_several_runs_make_one_page(
    study: Path, aidc: Aidc, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    aidc("report", study / "out", "--out", tmp_path / "index")
    page = (tmp_path / "index" / "index.html").read_text()
    assert "report.html" in page
    table = pd.read_csv(tmp_path / "index" / "runs.csv")
    summary = json.loads((study / "out" / "summary.json").read_text())
    assert table["pue"][0] == pytest.approx(summary["optimized"]["pue"])
    assert _typed(capsys, "report", tmp_path, "--out", tmp_path / "index")[1] == 2


def test_a_variant_beside_its_base_differs_by_its_own_change_alone(
    study: Path, aidc: Aidc, tmp_path: Path
) -> None:
    told = json.loads(
        aidc("compare", study / "scenario.yaml", "--variant", "more-pv", "--baseline",
             "--out", tmp_path / "both", "--json", *DAY)
    )  # fmt: skip
    change = {k: v for k, v in told["figures"]["my-study-more-pv - my-study"].items() if v}
    assert told["notes"] == []
    # 2 MW instead of 400 kW of the same modules
    pv = told["figures"]["my-study"]["pv_kwh"]
    assert change["pv_kwh"] == pytest.approx(4 * pv, rel=1e-6)
    assert change["grid_import_kwh"] == pytest.approx(-change["pv_kwh"], rel=1e-6)
    assert not {"it_kwh", "facility_kwh", "jobs_completed", "water_m3"} & set(change)


def test_the_pathway_has_three_targets_in_two_books_and_two_measures(aidc: Aidc) -> None:
    file = Path(__file__).parents[2] / "scenarios" / "pathway-sensetime.yaml"
    rows = json.loads(aidc("pathway", file, "--json"))
    assert len(rows) == 12
    declared = {row["target"]: row["verdict"] for row in rows if row["headline"]}
    assert set(declared) == {"peak", "operational_neutrality", "net_zero"}


def test_published_inventory_reconciles(aidc: Aidc) -> None:
    told = json.loads(aidc("ledger", "reconcile", "--json"))
    verdicts = {(r["quantity"], r["year"]): r["verdict"] for r in told["figures"]}
    assert verdicts["scope1", 2022] == verdicts["total_energy", 2022] == "inside"
    assert verdicts["scope2", 2022] == "solved for"
    assert not {"outside", "broken"} & set(verdicts.values())


def test_catalog_names_what_is_missing(aidc: Aidc, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a100-sxm" in aidc("catalog", "list", "gpus")
    assert "source" in aidc("catalog", "show", "gpus", "a100-sxm")
    assert "rated_it" in aidc("catalog", "show", "sites", "lingang-rampup")
    assert _typed(capsys, "catalog", "show", "gpus", "a100")[1] == 2


def test_weather_of_a_scenario_is_labelled_synthetic(study: Path, aidc: Aidc) -> None:
    printed = aidc("weather", "show", study / "scenario.yaml")
    assert "synthetic" in printed
    assert "2023-07" in printed


def test_doctor_finds_nothing_amiss_here(aidc: Aidc) -> None:
    assert "BAD" not in aidc("doctor")
