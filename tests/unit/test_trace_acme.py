from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.workload.traces import ReadReport, read_trace
from tests.w1 import bare_site, w1_pool

START = datetime(2023, 3, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
SITE = bare_site("lingang", w1_pool())
SEREN = "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_time\n"
KALOS = "job_id,user,node_num,gpu_num,cpu_num,mem_per_pod_GB,shared_mem_per_pod,type,state,submit_time,start_time,end_time,fail_time,stop_time,duration,queue,gpu_time\n"
# example rows of github.com/InternLM/AcmeTrace, README
SEREN_ROWS = (
    "5778432,u5907,1,8,128,Other,FAILED,2023-03-01 00:18:22+08:00,2023-03-01 00:18:54+08:00,2023-03-01 00:20:51+08:00,117,32,936.0",
    "5778469,u5907,1,8,128,Other,COMPLETED,2023-03-01 00:23:58+08:00,2023-03-01 00:24:11+08:00,2023-03-01 01:09:04+08:00,2693,13,21544.0",
)
KALOS_ROWS = (
    "dlctk696s0jbvitv,uf794,8,64,960,1000,100.0,Other,FAILED,2023-05-17 11:00:58+00:00,2023-05-17 11:01:08+00:00,2023-05-17 11:01:16+00:00,2023-05-17 11:01:16+00:00,,18,10.0,1152.0",
    "dlc1t2ypl09b8qtp,uf794,8,64,960,1000,100.0,Other,CANCELLED,2023-05-17 11:28:42+00:00,2023-05-17 11:28:54+00:00,2023-05-17 11:30:04+00:00,,2023-05-17 11:30:04+00:00,82,12.0,5248.0",
)


def read(folder: Path, header: str, *rows: str, days: int = 100) -> tuple[JobTable, ReadReport]:
    path = folder / "trace.csv"
    path.write_text(header + "".join(row + "\n" for row in rows))
    horizon = Horizon(START, START + timedelta(days=days), 60, "Asia/Shanghai")
    shares = {"training": 1.0}
    return read_trace("acme", path, horizon, (SITE,), limit_factor=1.5, class_shares=shares)


def test_the_published_rows_of_seren_are_jobs(tmp_path: Path) -> None:
    jobs, report = read(tmp_path, SEREN, *SEREN_ROWS)
    jobs.check()
    assert jobs.job_id.tolist() == ["5778432", "5778469"]
    assert jobs.submit_s.tolist() == [18 * 60 + 22, 23 * 60 + 58]
    assert jobs.run_s.tolist() == [117, 2_693]
    assert jobs.gpu_s.tolist() == [936, 21_544]  # column gpu_time
    assert jobs.end_state.tolist() == ["failed", "completed"]
    assert (jobs.user[0], jobs.vc[0]) == ("u5907", "Other")
    assert report.label == "Acme trace trace.csv, 2 of 2 rows"
    assert report.notes == (
        "the trace names no virtual cluster: its workload types stand for them",
    )


def test_kalos_counts_the_queue_in_its_duration_and_the_run_is_replayed_without(
    tmp_path: Path,
) -> None:
    jobs, report = read(tmp_path, KALOS, *KALOS_ROWS)
    assert jobs.run_s.tolist() == [
        8,
        70,
    ]  # end - start; the durations 18 and 82 hold 10 and 12 s queue
    assert jobs.submit_s[0] == (77 * 24 + 19) * 3_600 + 58  # 11:00:58 UTC is 19:00:58 in Shanghai
    assert report.notes[0].startswith("2 jobs have a duration other than end - start")


def test_rows_without_a_run_are_counted_and_timeouts_named(tmp_path: Path) -> None:
    day, hour = "2023-03-01", "2023-03-01 01:00:00+08:00"
    jobs, report = read(
        tmp_path,
        SEREN,
        f"1,u,1,8,1,SFT,CANCELLED,{hour},,,0,0,0",
        f"2,u,1,8,1,SFT,FAILED,{hour},{hour},,0,0,0",
        f"3,u,1,0,1,SFT,COMPLETED,{hour},{hour},{hour},0,0,0",
        f"4,u,1,8,1,SFT,TIMEOUT,{hour},{hour},{day} 02:00:00+08:00,3600,0,28800",
    )
    assert jobs.job_id.tolist() == ["4"]
    assert dict(report.skipped) == {
        "was never started": 1,
        "had not ended when the record was cut": 1,
        "takes no GPU": 1,
    }
    assert report.timeouts == 1
    assert "1 jobs were killed at their limit; their recorded run is replayed" in report.notes


def test_a_time_without_its_offset_is_a_fault_of_its_line(tmp_path: Path) -> None:
    hour = "2023-03-01 01:00:00+08:00"
    with pytest.raises(SeriesError) as raised:
        read(
            tmp_path,
            SEREN,
            f"1,u,1,8,1,SFT,FAILED,2023-03-01 01:00:00,{hour},{hour},0,0,0",
            f"2,u,1,8,1,SFT,FAILED,{hour},2023-03-01 01:00:00+07:00,{hour},x,0,0",
        )
    assert str(raised.value).splitlines() == [
        "trace.csv:2: submit_time: '2023-03-01 01:00:00' is not a time with its offset such as 2023-03-01 00:18:22+08:00",
        "trace.csv:3: duration: 'x' is not a run time in seconds",
        "trace.csv:3: end_time: 2023-03-01 01:00:00+08:00 is before start_time, 2023-03-01 01:00:00+07:00",
    ]
