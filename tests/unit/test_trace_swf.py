from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.workload.traces import ReadReport, read_trace, write_swf
from tests import jobs as small
from tests.w1 import bare_site, w1_pool

START = datetime(2000, 1, 1, tzinfo=UTC)
SITE = bare_site("lingang", w1_pool())
DAYS = 30
HEADER = "; Version: 2.2\n; UnixStartTime: 946684800\n;\n"  # 2000-01-01 00:00 UTC
COLUMNS = ("gpu_count", "submit_s", "run_s", "limit_s")


def read(path: Path, epoch: datetime | None = None) -> tuple[JobTable, ReadReport]:
    horizon = Horizon(START, START + timedelta(days=DAYS), 60, "UTC")
    shares = {"training": 1.0}
    return read_trace(
        "swf", path, horizon, (SITE,), limit_factor=1.5, class_shares=shares, epoch=epoch
    )


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "log.swf"
    path.write_text(header + "".join(line + "\n" for line in lines))
    return path


def test_a_log_is_read_by_the_fields_of_the_standard(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "1 0 5 100 8 90 -1 16 3600 -1 1 3 1 -1 -1 -1 -1 -1",
        "  2   10 -1 50.5 -1 -1 -1 4 -1 -1 0 -1 -1 -1 -1 -1 -1 -1",
        "3 20 -1 200 2 -1 -1 2 100 -1 5 3 1 -1 -1 -1 -1 -1",
        "4 30 -1 0 1 -1 -1 1 60 -1 -1 3 1 -1 -1 -1 -1 -1",
    )
    jobs, report = read(path)
    jobs.check()
    assert jobs.job_id.tolist() == ["1", "2", "3", "4"]
    assert jobs.gpu_count.tolist() == [8, 4, 2, 1]  # allocated, else requested
    assert jobs.submit_s.tolist() == [0, 10, 20, 30]
    assert jobs.run_s.tolist() == [100, 50.5, 200, 0]
    assert jobs.limit_s.tolist() == [3_600, 75.75, 200, 60]  # requested; 1.5 x run; never below run
    assert jobs.end_state.tolist() == ["completed", "failed", "cancelled", "completed"]
    assert jobs.user.tolist() == ["3", "unknown", "3", "3"]
    assert jobs.vc.tolist() == ["1", "unknown", "1", "1"]
    assert report.notes == (
        "1 jobs have no status and count as completed",
        "1 jobs ran beyond the time they had requested; their limit is their run",
    )


def test_lines_that_are_no_job_are_counted_by_reason(tmp_path: Path) -> None:
    tail = "-1 -1 {} -1 -1 {} 3 1 -1 -1 -1 -1 -1"
    path = written(
        tmp_path,
        "1 0 -1 -1 8 " + tail.format(8, 5),
        "2 0 -1 10 -1 " + tail.format(-1, 1),
        "3 0 -1 10 0 " + tail.format(8, 1),
        "4 0 -1 10 8 " + tail.format(8, 2),
        "4 0 -1 10 8 " + tail.format(8, 4),
        "4 0 -1 20 8 " + tail.format(8, 0),
        f"5 {DAYS * 86_400} -1 20 8 " + tail.format(8, 0),
    )
    jobs, report = read(path)
    assert jobs.job_id.tolist() == ["4"]
    assert jobs.run_s.tolist() == [20]
    assert dict(report.skipped) == {
        "has no run time": 1,
        "has no number of processors": 1,
        "takes no GPU": 1,
        "is a partial execution of a job with a line of its own": 2,
        "submitted after the horizon": 1,
    }


def test_bad_lines_are_told_with_their_number(tmp_path: Path) -> None:
    tail = "-1 -1 8 60 -1 1 3 1 -1 -1 -1 -1 -1"
    path = written(
        tmp_path,
        "1 0 -1 10 8 " + tail,
        "1 -5 -1 ten 8 " + tail,
        "2 0 -1 10",
        "3 0 -1 10 1.5 " + tail,
    )
    with pytest.raises(SeriesError) as raised:
        read(path)
    assert str(raised.value).splitlines() == [
        "log.swf:5: job: 1 stands in line 4 already",
        "log.swf:5: run: 'ten' is not a number, or -1 where it is missing",
        "log.swf:5: submit: '-5' is not a time in seconds",
        "log.swf:6: 4 numbers where the format has 18",
        "log.swf:7: allocated: '1.5' is not a whole number of processors",
    ]


def test_second_zero_is_told_by_the_header_or_the_epoch_and_never_guessed(tmp_path: Path) -> None:
    line = "1 60 -1 10 8 -1 -1 8 60 -1 1 3 1 -1 -1 -1 -1 -1"
    assert read(written(tmp_path, line))[0].submit_s.tolist() == [60]
    assert read(written(tmp_path, line), START + timedelta(hours=1))[0].submit_s.tolist() == [3_660]
    bare = written(tmp_path, line, header="; Version: 2.2\n")
    with pytest.raises(SeriesError, match=r"log.swf:2: epoch: the header has no UnixStartTime"):
        read(bare)
    assert read(bare, START)[0].submit_s.tolist() == [60]


def test_names_are_numbered_and_what_is_written_follows_the_standard(tmp_path: Path) -> None:
    table = small.jobs([0, 1.5], [8, 1], [60, 30], limit_s=[np.inf, 45])
    table = table.with_columns(
        user=np.array(["ub", "ua"], object), warm=np.array([True, False]),
        end_state=np.array(["cancelled", "failed"], object),
    )  # fmt: skip
    write_swf(table, tmp_path / "jobs.swf")
    lines = (tmp_path / "jobs.swf").read_text().splitlines()
    assert [line for line in lines if not line.startswith(";")] == [
        "1 0 -1 60 8 -1 -1 8 -1 -1 5 1 1 -1 -1 -1 -1 -1",
        "2 1.5 -1 30 1 -1 -1 1 45 -1 0 2 1 -1 -1 -1 -1 -1",
    ]
    assert "; Note: 1 jobs ran already at second 0; their run is what was left" in lines


@st.composite
def tables(draw: st.DrawFn) -> JobTable:
    """Jobs whose ids and names are whole numbers, as those of the format are."""
    seconds = st.one_of(st.integers(0, 86_400), st.integers(0, 86_400_000).map(lambda ms: ms / 1e3))
    n = draw(st.integers(0, 8))

    def column(values: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(values, min_size=n, max_size=n))

    run_s = column(seconds)
    spare = column(st.floats(1, 5))
    ids = draw(st.lists(st.integers(1, 10**6).map(str), min_size=n, max_size=n, unique=True))
    names = st.integers(1, 9).map(str)
    table = small.jobs(
        sorted(column(seconds)), column(st.integers(1, 512)), run_s,
        limit_s=[max(r * s, 1.0) for r, s in zip(run_s, spare, strict=True)],
    )  # fmt: skip
    return table.with_columns(
        job_id=np.array(ids, object),
        user=np.array(column(names), object),
        vc=np.array(column(st.one_of(names, st.just("unknown"))), object),
        end_state=np.array(column(st.sampled_from(["completed", "cancelled", "failed"])), object),
    )


@given(tables())
def test_a_table_written_and_read_again_is_the_same(table: JobTable) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.swf"
        write_swf(table, path)
        again, report = read(path, START)
    assert report.rows_kept == report.rows_read == len(table)
    order = np.lexsort((table.job_id.astype(str), table.submit_s))
    for name in ("job_id", "user", "vc", "end_state"):
        assert getattr(again, name).tolist() == getattr(table, name)[order].tolist()
    for name in COLUMNS:
        np.testing.assert_allclose(
            getattr(again, name), getattr(table, name)[order], rtol=0, atol=1e-6
        )


@pytest.mark.real_data
def test_the_helios_cut_keeps_its_jobs_through_swf(real_data: Path, tmp_path: Path) -> None:
    start = datetime.fromisoformat("2020-09-01T00:00:00+08:00")
    horizon = Horizon(start, start + timedelta(days=30), 60, "Asia/Shanghai")
    shares = {"training": 0.5, "inference": 0.5}
    log = real_data / "jobs" / "helios_venus_2vc_2020-09.csv.gz"
    jobs, _ = read_trace("helios", log, horizon, (SITE,), limit_factor=1.5, class_shares=shares)
    write_swf(jobs, tmp_path / "venus.swf")
    again, report = read_trace(
        "swf", tmp_path / "venus.swf", horizon, (SITE,),
        limit_factor=9.0, class_shares=shares, epoch=start,
    )  # fmt: skip
    assert report.rows_kept == 1_867
    for name in (*COLUMNS, "job_id", "job_class", "pool", "added_kw", "end_state"):
        assert getattr(again, name).tolist() == getattr(jobs, name).tolist()
