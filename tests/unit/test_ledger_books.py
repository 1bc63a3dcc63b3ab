"""Factors, policies, books and statements."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from aidc.errors import InputError, LedgerError, SeriesError
from aidc.ledger import BookMixError, Ledger, Total, post_trace
from aidc.ledger.factors.policies import Selection, select, shipped
from aidc.ledger.factors.registry import held_because
from aidc.ledger.factors.rows import GridFactor, change_frac, grid_factors
from aidc.ledger.journal.activity import wh_from_kw

AT = datetime(2026, 1, 31, tzinfo=UTC)
NOW = date(2026, 1, 31)


def chosen(policy: str, region: str, year: int, report_date: date) -> Selection:
    return select(
        shipped(),
        policy,
        grid_factors().values(),
        region=region,
        activity_year=year,
        report_date=report_date,
    )


@pytest.mark.parametrize(
    ("series", "years", "percent"),
    [
        ("mee-average-CN", (2022, 2023), "-1.1"),
        ("mee-ex-market-CN", (2022, 2023), "4.1"),
        ("mee-average-CN/South", (2022, 2023), "4.5"),
        ("mee-lifecycle-CN", (2023, 2024), "-6.9"),
    ],
)
def test_changes_of_factors_are_those_the_ministry_prints(
    series: str, years: tuple[int, int], percent: str
) -> None:
    """Notices 2024 no. 33, 2025 no. 47 and of 2025-09-28 (case L4)."""
    assert round(change_frac(series, *years) * 100, 1) == Decimal(percent)


def test_location_policy_takes_the_finest_level_and_discloses_its_lag() -> None:
    shanghai = chosen("MEE-LB", "CN-SH", 2023, NOW)
    assert (shanghai.factor.value, shanghai.lag_years) == (Decimal("0.5737"), 0)
    early = chosen("MEE-LB", "CN-SH", 2023, date(2024, 4, 30))
    assert (early.factor.data_year, early.lag_years) == (2021, 2)
    country = chosen("MEE-LB", "CN", 2022, NOW)
    assert (country.factor.value, country.level) == (Decimal("0.5366"), "CN")


def test_the_ndrc_policy_takes_what_was_newest_when_the_report_was_made() -> None:
    assert chosen("NDRC", "CN-SH", 2021, date(2023, 6, 30)).factor.value == Decimal("0.5703")
    assert chosen("NDRC", "CN-SH", 2021, date(2022, 6, 30)).factor.value == Decimal("0.5810")


def test_a_row_without_a_day_of_publication_is_never_chosen_by_a_dated_policy() -> None:
    with pytest.raises(InputError, match="ets-average-CN-2015"):
        chosen("NDRC", "CN", 2022, date(2020, 1, 1))


def test_a_place_that_the_tables_do_not_print_raises_and_names_who_can_serve_it() -> None:
    with pytest.raises(InputError, match="USER can serve it"):
        chosen("MEE-LB", "overseas", 2022, NOW)
    with pytest.raises(InputError, match="CN-HK"):
        chosen("MEE-LB", "CN-HK", 2022, NOW)


def test_two_winners_are_an_error_that_names_both() -> None:
    rows = grid_factors()
    double = rows["mee-average-CN-SH-2023"].model_copy(update={"name": "another"})
    with pytest.raises(InputError, match="another, mee-average-CN-SH-2023"):
        select(
            shipped(),
            "MEE-LB",
            [*rows.values(), double],
            region="CN-SH",
            activity_year=2023,
            report_date=NOW,
        )


def test_a_grid_average_beyond_any_grid_waits_for_approval() -> None:
    row = grid_factors()["mee-average-CN-SH-2023"].model_dump() | {"value": Decimal("5.737")}
    assert "beyond any grid average" in str(held_because(GridFactor.model_validate(row), ()))


def test_figures_of_two_books_never_add_up() -> None:
    with pytest.raises(BookMixError):
        Total(Decimal(1), "S2-LB") + Total(Decimal(1), "S2-MB-2015")
    with pytest.raises(BookMixError):
        Total(Decimal(1), "S2-LB") - Total(Decimal(1), "S1")
    assert (Total(Decimal(1), "S2-LB") + Total(Decimal(2), "S2-LB")).tonnes == 3


def trace(steps: int = 72, start: str = "2023-06-30 00:00", step_h: float = 1.0) -> pd.DataFrame:
    index = pd.date_range(start, periods=steps, freq=pd.Timedelta(hours=step_h), tz="Asia/Shanghai")
    hour = np.arange(steps) * step_h % 24
    it = 1000.0 + 100 * np.sin(hour / 24 * 2 * np.pi) + 1 / 3
    frame = pd.DataFrame(
        {"it_kw": it, "cooling_kw": it * 0.2, "electrical_loss_kw": it * 0.05}, index=index
    )
    frame["other_kw"] = 12.345
    frame["pv_kw"] = np.maximum(0, np.sin((hour - 6) / 12 * np.pi)) * 400 / 7
    frame["pv_curtailed_kw"] = frame["pv_kw"] * 0.1
    frame["battery_charge_kw"] = frame["battery_discharge_kw"] = 0.0
    frame["grid_export_kw"] = frame["generator_kw"] = frame["generator_fuel_kw"] = 0.0
    frame["heat_reused_kw"] = 0.0
    uses = frame[["it_kw", "cooling_kw", "electrical_loss_kw", "other_kw"]].sum(axis=1)
    frame["grid_import_kw"] = uses - frame["pv_kw"] + frame["pv_curtailed_kw"]
    frame["water_l_per_h"] = 123.4
    return frame


def with_trace(frame: pd.DataFrame, *, attribute_kept: bool = True) -> Ledger:
    ledger = Ledger.init(":memory:", ledger_id="t", zone="Asia/Shanghai", recorded_at=AT)
    post_trace(
        ledger,
        frame,
        entity="baseline",
        site="lingang",
        region="CN-SH",
        zone="Asia/Shanghai",
        step_h=1.0,
        attribute_kept=attribute_kept,
        fuel="diesel",
        recorded_at=AT,
    )
    return ledger


PERIOD = (
    datetime(2023, 6, 29, 16, tzinfo=UTC),
    datetime(2023, 7, 2, 16, tzinfo=UTC),
)


def drawn(ledger: Ledger, *books: str):
    return ledger.draw_up(
        books, entity="baseline", period=PERIOD, report_date=NOW, recorded_at=AT, code_version="t"
    )


def test_a_trace_becomes_monthly_blocks_and_two_statements_side_by_side() -> None:
    frame = trace()
    with with_trace(frame) as ledger:
        assert (
            ledger.head[0] == 1 + 1 + 10 + 2 * 10
        )  # ledger, site, meters, blocks of June and July
        lb, mb = drawn(ledger, "S2-LB", "S2-MB-2015")
        import_kwh, pv_kwh = frame["grid_import_kw"].sum(), (frame["pv_kw"] * 0.9).sum()
        assert lb.tiers["grid_average"] == pytest.approx(import_kwh * 1000, abs=1)
        assert lb.tiers["own_pv"] == pytest.approx(pv_kwh * 1000, abs=1)
        assert float(lb.total_tco2e) == pytest.approx(import_kwh / 1000 * 0.5737, abs=6e-7)
        assert float(mb.total_tco2e) == pytest.approx(import_kwh / 1000 * 0.6096, abs=7e-7)
        assert lb.simulated
        assert mb.simulated
        assert lb.gases == "CO2 only"
        assert [use.version for use in lb.factors] == ["mee-average-CN-SH-2023"]
        assert any("proxy" in warning for warning in mb.warnings)
        assert sum(Decimal(t) for t in lb.to_frame()["tco2e"]) == lb.total_tco2e
        assert ledger.verify().ok


def test_pv_whose_certificates_are_sold_is_grid_electricity() -> None:
    frame = trace()
    with with_trace(frame, attribute_kept=False) as sold, with_trace(frame) as kept:
        (low, _), (high, _) = (drawn(one, "S2-LB", "S2-MB-2015") for one in (kept, sold))
        pv_mwh = Decimal(low.tiers["own_pv"]).scaleb(-6)
        assert high.total_tco2e - low.total_tco2e == pv_mwh * Decimal("0.5737")
        assert "own_pv" not in high.tiers


def test_exported_pv_is_not_netted_against_the_import() -> None:
    frame = trace()
    frame["grid_export_kw"] = frame["pv_kw"] * 0.5
    frame["grid_import_kw"] += frame["grid_export_kw"]
    with with_trace(frame) as ledger:
        lb, _ = drawn(ledger, "S2-LB", "S2-MB-2015")
        assert lb.tiers["grid_average"] == pytest.approx(
            frame["grid_import_kw"].sum() * 1000, abs=1
        )
        assert lb.tiers["own_pv"] == pytest.approx((frame["pv_kw"] * 0.4).sum() * 1000, abs=40)


def test_two_entities_of_one_ledger_stay_apart() -> None:
    frame = trace()
    with with_trace(frame) as ledger:
        better = frame.copy()
        better["cooling_kw"] *= 0.5
        better["grid_import_kw"] -= better["cooling_kw"]
        post_trace(
            ledger,
            better,
            entity="optimized",
            site="lingang",
            region="CN-SH",
            zone="Asia/Shanghai",
            step_h=1.0,
            attribute_kept=True,
            fuel=None,
            recorded_at=AT,
        )
        assert ledger.entities == ("baseline", "optimized")
        first, _ = drawn(ledger, "S2-LB", "S2-MB-2015")
        assert first.by_site["lingang"] == first.total_tco2e
        assert first.tiers["grid_average"] == pytest.approx(
            frame["grid_import_kw"].sum() * 1000, abs=1
        )


def test_one_sided_scope_2_is_refused_unless_a_reason_is_given() -> None:
    with with_trace(trace()) as ledger:
        with pytest.raises(InputError, match="reported together"):
            drawn(ledger, "S2-LB")
        made = ledger.draw_up(
            ["S2-LB"],
            entity="baseline",
            period=PERIOD,
            report_date=NOW,
            recorded_at=AT,
            code_version="t",
            one_sided_because="a test",
        )
        assert made[0].book == "S2-LB"


def test_scope_1_without_a_fuel_meter_is_not_assessed_and_not_zero() -> None:
    with with_trace(trace()) as ledger:
        (made,) = drawn(ledger, "S1")
        assert not made.assessed
        assert "not assessed" in made.text()


def test_a_period_that_the_meter_does_not_cover_is_refused() -> None:
    with with_trace(trace()) as ledger:
        ledger.adopt_factors(["S2-LB"], entity="baseline", report_date=NOW, recorded_at=AT)
        with pytest.raises(LedgerError, match="D12"):
            ledger.statement("S2-LB", entity="baseline", period="2023-07", report_date=NOW)


def test_simulated_data_never_stand_beside_metered_data() -> None:
    with with_trace(trace()) as ledger:
        metered = {
            "id": "activity:metered",
            "kind": "activity",
            "valid_from": "2023-07-02T16:00:00Z",
            "valid_to": "2023-07-02T17:00:00Z",
            "payload": {
                "meter": "meter:baseline:lingang:grid_import",
                "unit": "Wh",
                "interval_s": 3600,
                "quantities": [5],
                "quality": "metered",
            },
        }
        pv = {
            **metered,
            "id": "activity:pv",
            "payload": metered["payload"] | {"meter": "meter:baseline:lingang:pv"},
        }
        out = {
            **pv,
            "id": "activity:out",
            "payload": pv["payload"] | {"meter": "meter:baseline:lingang:grid_export"},
        }
        ledger.post([metered, pv, out], recorded_at=AT, role="accountant")
        ledger.adopt_factors(["S2-LB"], entity="baseline", report_date=NOW, recorded_at=AT)
        period = (PERIOD[0], PERIOD[1] + timedelta(hours=1))
        with pytest.raises(LedgerError, match="never mixes"):
            ledger.statement("S2-LB", entity="baseline", period=period, report_date=NOW)


def test_a_correction_supersedes_and_the_past_stays_known() -> None:
    with with_trace(trace()) as ledger:
        before, _ = drawn(ledger, "S2-LB", "S2-MB-2015")
        later = AT + timedelta(days=10)
        target = "activity:baseline:lingang:grid_import:2023-06-29T16:00:00Z"
        adjustment = {
            "id": "adjustment:1",
            "kind": "adjustment",
            "valid_from": "2023-06-29T16:00:00Z",
            "valid_to": "2023-06-30T16:00:00Z",
            "supersedes": target,
            "reason": "meter read twice",
            "payload": {
                "code": "error",
                "replacement": {
                    "meter": "meter:baseline:lingang:grid_import",
                    "unit": "Wh",
                    "interval_s": 3600,
                    "quantities": [1_000_000] * 24,
                    "quality": "simulated",
                },
            },
        }
        ledger.post(adjustment, recorded_at=later, role="accountant")
        period = {"entity": "baseline", "period": PERIOD, "report_date": NOW}
        assert ledger.statement("S2-LB", known_on=AT, **period).total_tco2e == before.total_tco2e
        after = ledger.statement("S2-LB", **period)
        assert after.total_tco2e < before.total_tco2e
        with pytest.raises(InputError, match="taken back already"):
            ledger.post({**adjustment, "id": "adjustment:2"}, recorded_at=later, role="accountant")


def test_the_year_of_whole_watt_hours_agrees_with_the_float_total_to_one() -> None:
    power = np.random.default_rng(7).uniform(0, 20_000, 35_040)
    counted = wh_from_kw(power, 0.25)
    assert abs(int(counted.sum()) - power.sum() * 250) <= 1
    assert counted.min() >= 0


def test_a_bad_trace_frame_is_refused_with_every_fault() -> None:
    frame = trace().drop(columns="other_kw")
    frame.iloc[3, frame.columns.get_loc("it_kw")] = -1.0
    frame.iloc[4, frame.columns.get_loc("pv_kw")] = np.nan
    with pytest.raises(SeriesError) as caught:
        with_trace(frame)
    text = str(caught.value)
    assert all(said in text for said in ("other_kw is missing", "it_kw is -1", "pv_kw has 1 gaps"))


def test_an_open_energy_balance_is_refused() -> None:
    frame = trace()
    frame.iloc[5, frame.columns.get_loc("it_kw")] += 1.0
    with pytest.raises(LedgerError, match="D17"):
        with_trace(frame)


def test_what_generators_burn_is_scope_1_and_what_they_make_is_no_grid_electricity() -> None:
    frame = trace()
    lost = slice(10, 14)
    frame.iloc[lost, frame.columns.get_loc("generator_kw")] = frame["grid_import_kw"].iloc[lost]
    frame.iloc[lost, frame.columns.get_loc("generator_fuel_kw")] = 3000.0
    frame.iloc[lost, frame.columns.get_loc("grid_import_kw")] = 0.0
    with with_trace(frame) as ledger:
        fuels, grid, _ = drawn(ledger, "S1", "S2-LB", "S2-MB-2015")
        # four hours of 3 MW: GJ x tC/GJ x oxidation x 44/12, the NDRC default
        tonnes = 12 * 3.6 * 0.0202 * 0.98 * 44 / 12
        assert float(fuels.total_tco2e) == pytest.approx(tonnes, rel=1e-9)
        bought = frame["grid_import_kw"].sum() / 1000
        assert grid.tiers["grid_average"] == pytest.approx(bought * 1e6, abs=72)
