"""Job columns and their rows, joined as arrays to the standard form of a site's Pyomo model.

A window has ten job columns for one of its site, and Pyomo takes longer to write them than HiGHS to solve them.
`model.add_jobs` is the same in Pyomo, and the tests' oracle.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.model import ROUNDING_GPUS, ClassColumns, tight

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


def with_jobs(site: dict[str, Any], form: Any, jobs: ClassColumns) -> dict[str, Any]:
    """A site's arrays with the job columns after its own, and their rows after its rows.

    Args:
        site: of a site whose IT power is fixed work alone (`model.fix_it_power`).
        form: what Pyomo compiled it to; ``it_load`` and ``capped`` are found by their names.
        jobs: columns of the classes.
    """
    from scipy.sparse import coo_array, csc_array, hstack, vstack

    own_rows, own_columns, columns = site["num_row_"], site["num_col_"], len(jobs.class_of)
    every = np.arange(columns)
    it_load = _rows_of(form, "it_load")
    of_slot = np.array([it_load[t] for t in range(len(it_load))], np.int64)
    rows, at = [of_slot[jobs.slot], own_rows + jobs.class_of], [jobs.column, every]
    value = [-jobs.kw, np.ones(columns)]
    for limit, row in _rows_of(form, "capped").items():
        rows.append(np.full(columns, row))
        at.append(every)
        value.append(jobs.cap_tails[limit])
    least, most = [np.ones(jobs.classes)], [np.ones(jobs.classes)]
    count = own_rows + jobs.classes
    for of_column, free in ((jobs.pool, jobs.gpus_free), (jobs.quota, jobs.quota_free)):
        mine, number, room = _boards(jobs, of_column, free)
        rows.append(count + number)
        at.append(jobs.column[mine])
        value.append(jobs.gpus[mine])
        least.append(np.full(len(room), -np.inf))
        most.append(room)
        count += len(room)
    start, index, entries = site["matrix"]
    own = vstack(
        [
            csc_array((entries, index, start), shape=(own_rows, own_columns)),
            csc_array((count - own_rows, own_columns)),
        ]
    )
    block = coo_array(
        (np.concatenate(value), (np.concatenate(rows), np.concatenate(at))), (count, columns)
    )
    matrix = hstack([own, block]).tocsc()
    none = np.zeros(columns)
    return {
        "num_row_": count,
        "num_col_": own_columns + columns,
        "col_cost_": np.concatenate([site["col_cost_"], jobs.tail]),
        "offset_": site["offset_"],
        "col_lower_": np.concatenate([site["col_lower_"], none]),
        "col_upper_": np.concatenate([site["col_upper_"], none + 1.0]),
        "row_lower_": np.concatenate([site["row_lower_"], *least]),
        "row_upper_": np.concatenate([site["row_upper_"], *most]),
        "matrix": (matrix.indptr, matrix.indices, matrix.data),
        "whole": np.concatenate([site["whole"], np.zeros(columns, np.int64)]),
    }


def _rows_of(form: Any, family: str) -> dict[int, int]:
    """Row of each index of a family of constraints in a compiled form."""
    return {
        entry.constraint.index(): row
        for row, entry in enumerate(form.rows)
        if entry.constraint.parent_component().local_name == family
    }


def _boards(jobs: ClassColumns, of_column: Rows, free: Array) -> tuple[Rows, Rows, Array]:
    """Where boards of pools or quotas may run short: the jobs' entries, the row of each, and room of each row."""
    short = tight(jobs, of_column, free)
    if not short.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    number = np.cumsum(short).reshape(short.shape) - 1
    group = of_column[jobs.column]
    mine = np.flatnonzero((group >= 0) & short[group, jobs.slot])
    return mine, number[group[mine], jobs.slot[mine]], free[short] + ROUNDING_GPUS
