"""Job tables are checked once, with every fault named."""

import numpy as np
import pytest

from aidc.errors import SeriesError
from aidc.job import concatenate
from tests.jobs import jobs


def test_a_good_table_passes_as_it_is() -> None:
    table = jobs([0, 10], [1, 8], [60, 60])
    assert table.check() is table


def test_a_deadline_before_the_submission_is_named_with_its_job() -> None:
    table = jobs([100.0, 10.0], [1, 1], [60, 60]).with_columns(deadline_s=np.array([50.0, np.inf]))
    with pytest.raises(
        SeriesError, match="deadline_s of job j0: the deadline is before the submission"
    ):
        table.check()


def test_every_fault_of_a_table_is_told_at_once() -> None:
    table = jobs([0.0, 10.0], [0, 1], [60, -5])
    with pytest.raises(SeriesError) as caught:
        table.check()
    told = str(caught.value)
    assert "at least one GPU" in told
    assert "negative or missing" in told


def test_tables_are_joined_in_order_of_submission() -> None:
    first, second = jobs([0, 20], [1, 1], [1, 1]), jobs([10], [1], [1])
    second = second.with_columns(job_id=np.array(["k0"], object))
    assert concatenate([first, second]).job_id.tolist() == ["j0", "k0", "j1"]
