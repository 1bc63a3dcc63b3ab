"""Job columns joined as arrays, against the same model all in Pyomo."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from scipy.sparse import csc_array

from aidc.optimization.class_model import class_model, joined_model, options_kept, work_of
from aidc.optimization.model import ClassColumns, fix_it_power, site_model, tight
from aidc.optimization.problem import WindowProblem
from aidc.optimization.quotas import Groups
from aidc.optimization.solve import compiled, relaxed_duals, solve
from aidc.optimization.tail import tail_of
from aidc.optimization.view import Limit, View
from tests.golden import models
from tests.unit.test_optimization_classes import SLOTS, air, jobs_of
from tests.windows import problem_of, scenario_with


def site_alone() -> pyo.ConcreteModel:
    every = np.ones((models.SLOTS, 2), bool)
    model = site_model(models.tables(), models.prices(), models.bus(), every, [models.cap()])
    fix_it_power(model, np.full(models.SLOTS, 105.0))
    return model


def row_names(form: Any, jobs: ClassColumns | None) -> list[str]:
    """Names as Pyomo gives them, with their sense."""
    names = [f"{entry.constraint.name} {entry.bound_type}" for entry in form.rows]
    if jobs is None:
        return names
    names += [f"every_class_starts[{which}] 0" for which in range(jobs.classes)]
    for family, of_column, free in (
        ("gpu_capacity", jobs.pool, jobs.gpus_free),
        ("vc_quota", jobs.quota, jobs.quota_free),
    ):
        short = tight(jobs, of_column, free)
        names += [f"{family}[{group},{slot}] 1" for group, slot in np.argwhere(short).tolist()]
    return names


def assert_same_arrays(
    oracle: pyo.ConcreteModel, site: pyo.ConcreteModel, jobs: ClassColumns
) -> None:
    form, whole = compiled(oracle)
    of_site, joined = compiled(site, jobs)
    columns = [variable.name for variable in of_site.columns]
    columns += [f"start[{column}]" for column in range(len(jobs.class_of))]
    rows = row_names(of_site, jobs)
    oracle_columns = [variable.name for variable in form.columns]
    oracle_rows = row_names(form, None)
    assert sorted(columns) == sorted(oracle_columns)
    assert sorted(rows) == sorted(oracle_rows)
    at = [oracle_columns.index(name) for name in columns]
    of = [oracle_rows.index(name) for name in rows]

    def dense(parts: dict[str, Any]) -> Any:
        start, index, value = parts["matrix"]
        return csc_array((value, index, start), (parts["num_row_"], parts["num_col_"])).toarray()

    np.testing.assert_allclose(dense(joined), dense(whole)[np.ix_(of, at)], rtol=1e-12)
    for name in ("col_cost_", "col_lower_", "col_upper_", "whole"):
        np.testing.assert_allclose(joined[name], whole[name][at], rtol=1e-12, err_msg=name)
    for name in ("row_lower_", "row_upper_"):
        np.testing.assert_allclose(joined[name], whole[name][of], rtol=1e-12, err_msg=name)
    assert joined["offset_"] == pytest.approx(whole["offset_"])


def test_the_golden_window_is_the_same_matrix_with_the_same_optimum_and_starts() -> None:
    oracle, site, jobs = models.window_model(), site_alone(), models.columns()
    assert tight(jobs, jobs.quota, jobs.quota_free).any()
    assert_same_arrays(oracle, site, jobs)
    found = solve(site, jobs=jobs, gap_frac=0.0, limit_s=10.0, what="joined")
    expected = solve(oracle, gap_frac=0.0, limit_s=10.0, what="oracle")
    assert found.objective == pytest.approx(expected.objective, rel=1e-9)
    assert (found.columns, found.rows) == (expected.columns, expected.rows)
    own = [pyo.value(oracle.start[column]) for column in oracle.COLUMN]
    assert found.start_share == pytest.approx(own, abs=1e-7)
    for slot in oracle.SLOT:
        assert pyo.value(site.it_kw[slot]) == pytest.approx(pyo.value(oracle.it_kw[slot]))
    named, theirs = relaxed_duals(site, 10.0, jobs), relaxed_duals(oracle, 10.0)
    assert named["it_load"] == pytest.approx(theirs["it_load"], abs=1e-7)
    assert named.keys() == theirs.keys() - {"every_class_starts", "gpu_capacity", "vc_quota"}


def small_window(seed: int) -> WindowProblem:
    """Forty jobs, half of them under a quota, a battery, a demand charge, and few boards."""
    jobs = jobs_of(seed, 40)
    problem = problem_of(
        scenario_with(objective="cost", gap_frac=1e-6), air(), jobs, fixed_gpus=100.0,
        demand_cny_per_kw_month=42.0, battery_kwh=200.0,
    )  # fmt: skip
    of_movable = np.where(np.arange(len(jobs)) % 2 == 0, 0, -1)
    groups = Groups(("vc",), np.array([64.0]), of_movable, np.array([-1]), np.zeros((1, SLOTS)))
    return replace(problem, groups=groups)


@pytest.mark.parametrize("seed", range(3))
def test_small_windows_are_the_same_matrix_with_the_same_optimum(seed: int) -> None:
    view = View.of(small_window(seed))
    money, carbon = view.money("cost"), view.money("emissions")
    tails = [tail_of(view.tables, one, view.bus, view.standing_kw) for one in (money, carbon)]
    work = work_of(view, tails)
    every = np.ones((SLOTS, len(view.tables.options)), bool)
    caps = [Limit("emissions", 1e6, tails[1]).cap(view, view.tables)]
    kept = options_kept(view, money, caps, every)
    oracle = class_model(view, money, work, caps, kept)
    joined = joined_model(view, money, work, caps, kept)
    assert joined.jobs is not None
    assert_same_arrays(oracle, joined.site, joined.jobs)
    found = solve(joined.site, jobs=joined.jobs, gap_frac=1e-7, limit_s=30.0, what="joined")
    expected = solve(oracle, gap_frac=1e-7, limit_s=30.0, what="oracle")
    assert found.objective == pytest.approx(expected.objective, rel=1e-6)
