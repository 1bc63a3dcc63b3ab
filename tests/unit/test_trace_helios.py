import gzip
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.workload.traces import ReadReport, read_trace
from tests.w1 import bare_site, w1_pool

START = datetime(2020, 9, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
SITE = bare_site("lingang", w1_pool())
SHARES = {"training": 0.5, "inference": 0.5}
CUT = "job_id,user,vc,gpu_num,node_num,state,submit_time,duration\n"
WHOLE = (
    "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
)


def read(path: Path, count: int = 30, start: datetime = START) -> tuple[JobTable, ReadReport]:
    horizon = Horizon(start, start + timedelta(days=count), 60, "Asia/Shanghai")
    return read_trace("helios", path, horizon, (SITE,), limit_factor=2.0, class_shares=SHARES)


def written(folder: Path, header: str, *rows: str) -> Path:
    path = folder / "log.csv"
    path.write_text(header + "".join(row + "\n" for row in rows))
    return path


def test_a_cut_log_becomes_jobs_in_order_of_submission(tmp_path: Path) -> None:
    path = written(
        tmp_path, CUT,
        "12,ub,vcB,8,1,FAILED,2020-09-01 01:00:00,100.0",
        "11,ua,vcA,16,2,CANCELED,2020-09-01 00:00:10,0",
        "13,ua,vcA,1,1,NODE_FAIL,2020-09-01 01:00:00,7",
    )  # fmt: skip
    jobs, report = read(path)
    jobs.check()
    assert jobs.job_id.tolist() == ["11", "12", "13"]
    assert jobs.submit_s.tolist() == [10, 3_600, 3_600]
    assert jobs.run_s.tolist() == [0, 100, 7]
    assert jobs.limit_s.tolist() == [1, 200, 14]
    assert jobs.gpu_count.tolist() == [16, 8, 1]
    assert jobs.end_state.tolist() == ["cancelled", "failed", "failed"]
    assert jobs.vc.tolist() == ["vcA", "vcB", "vcA"]
    assert (report.rows_read, report.rows_kept, dict(report.skipped)) == (3, 3, {})
    assert report.label == "Helios trace log.csv, 3 of 3 rows"


def test_the_whole_format_is_read_and_every_row_left_out_is_counted(tmp_path: Path) -> None:
    tail = "2020-09-01 00:00:09,2020-09-01 00:00:10"
    path = written(
        tmp_path, WHOLE,
        f"1,u,v,8,32,1,COMPLETED,2020-09-01 00:00:05,{tail},60,4",
        f"2,u,v,0,32,1,COMPLETED,2020-09-01 00:00:05,{tail},60,4",
        f"3,u,v,8,32,1,CANCELLED,2020-08-31 23:59:00,{tail},30,4",
        f"4,u,v,8,32,1,COMPLETED,2020-08-31 23:59:00,{tail},90,4",
        f"5,u,v,8,32,1,TIMEOUT,2020-09-02 23:59:59,{tail},90,4",
        f"6,u,v,8,32,1,COMPLETED,2020-09-03 00:00:00,{tail},90,4",
        f"7,u,v,99999,32,1,COMPLETED,2020-09-01 00:00:06,{tail},90,4",
    )  # fmt: skip
    jobs, report = read(path, count=2)
    assert jobs.job_id.tolist() == ["1", "7", "5"]
    assert dict(report.skipped) == {
        "takes no GPU": 1,
        "submitted before the horizon": 1,
        "submitted before the horizon, its run may reach into it": 1,
        "submitted after the horizon": 1,
    }
    assert report.rows_read == report.rows_kept + sum(report.skipped.values())
    assert (report.timeouts, report.larger_than_pool) == (1, 1)
    assert jobs.gpu_count[1] == 99_999  # kept: the simulation refuses it and says why


def test_times_are_shanghai_wall_clock_whatever_the_zone_of_the_horizon(tmp_path: Path) -> None:
    path = written(tmp_path, CUT, "1,u,v,8,1,COMPLETED,2020-09-01 08:00:00,60")
    jobs, _ = read(path, start=datetime(2020, 9, 1, tzinfo=ZoneInfo("UTC")))
    assert jobs.submit_s.tolist() == [0]


def test_every_bad_row_is_reported_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path, CUT,
        "1,u,v,8,1,COMPLETED,2020-09-01 00:00:05,60",
        "2,u,v,1.5,1,COMPLETED,2020-09-01 00:00:05,60",
        "3,u,v,8,1,DONE,2020-09-01 00:00:05,60",
        "4,u,v,8,1,COMPLETED,2020-09-01T00:00:05+08:00,60",
        "5,u,v,8,1,COMPLETED,2020-09-01,-1",
        "6,u,v,8,1,COMPLETED",
        "1,u,v,8,1,COMPLETED,2020-09-01 00:00:05,nan",
    )  # fmt: skip
    with pytest.raises(SeriesError) as raised:
        read(path)
    assert str(raised.value).splitlines() == [
        "log.csv:3: gpu_num: '1.5' is not a whole number of GPUs",
        "log.csv:4: state: 'DONE' is none of COMPLETED, CANCELLED, CANCELED, FAILED, TIMEOUT, NODE_FAIL",
        "log.csv:5: submit_time: '2020-09-01T00:00:05+08:00' is not a local time such as 2020-09-01 01:37:15",
        "log.csv:6: duration: '-1' is not a run time in seconds",
        "log.csv:6: submit_time: '2020-09-01' is not a local time such as 2020-09-01 01:37:15",
        "log.csv:7: 6 cells where the header has 8",
        "log.csv:8: duration: 'nan' is not a run time in seconds",
        "log.csv:8: job_id: 1 stands in line 2 already",
    ]


def test_a_flood_of_faults_is_cut_and_counted(tmp_path: Path) -> None:
    path = written(
        tmp_path, CUT, *(f"{i},u,v,x,1,FAILED,2020-09-01 00:00:05,60" for i in range(500))
    )
    with pytest.raises(SeriesError, match="500 faults, of which the first 100 follow") as raised:
        read(path)
    assert len(raised.value.faults) == 101


def test_a_file_without_its_columns_and_a_broken_archive_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="submit_time: the column is missing"):
        read(written(tmp_path, "job_id,user,vc,gpu_num,state,duration\n"))
    with pytest.raises(SeriesError, match="cannot be read"):
        read(tmp_path / "absent.csv")
    broken = tmp_path / "log.csv.gz"
    broken.write_bytes(gzip.compress(CUT.encode() * 100)[:40])
    with pytest.raises(SeriesError, match="cannot be read"):
        read(broken)


def test_an_empty_log_is_an_empty_table(tmp_path: Path) -> None:
    jobs, report = read(written(tmp_path, CUT))
    assert len(jobs.check()) == 0
    assert report.rows_read == 0


@pytest.mark.real_data
def test_the_venus_cut_has_its_published_rows_and_gpu_hours(real_data: Path) -> None:
    jobs, report = read(real_data / "jobs" / "helios_venus_2vc_2020-09.csv.gz")
    jobs.check()
    assert (report.rows_read, report.rows_kept, dict(report.skipped)) == (1_867, 1_867, {})
    assert jobs.gpu_s.sum() / 3_600 == pytest.approx(118_318, abs=0.5)
    assert np.median(jobs.run_s) == 93
    assert jobs.run_s.max() == 567_327
    assert (jobs.gpu_count.min(), jobs.gpu_count.max()) == (1, 144)
    assert (jobs.end_state == "failed").mean() == pytest.approx(0.26, abs=0.01)
    assert (jobs.end_state == "cancelled").mean() == pytest.approx(0.32, abs=0.01)
    assert jobs.submit_s[0] == 97 * 60 + 15  # 2020-09-01 01:37:15, the first row
    part, part_report = read(real_data / "jobs" / "helios_venus_2vc_2020-09.csv.gz", count=7)
    assert part_report.rows_kept + sum(part_report.skipped.values()) == 1_867
    assert (part.job_id == jobs.job_id[jobs.submit_s < 7 * 86_400]).all()
