import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.workload.traces import ReadReport, read_trace
from tests.w1 import bare_site, w1_pool

PACIFIC = ZoneInfo("America/Los_Angeles")
START = datetime(2017, 10, 7, tzinfo=PACIFIC)
SITE = bare_site("lingang", w1_pool())
TABLE = "timestamp,duration,num_gpus,gpu_time,cluster\n"
# the example record of github.com/msr-fiddle/philly-traces, its lists of GPUs shortened to names
EXAMPLE = {
    "status": "Pass",
    "vc": "ee9e8c",
    "jobid": "application_1506638472019_14199",
    "attempts": [
        {
            "start_time": "2017-10-07 01:12:09",
            "end_time": "2017-10-07 01:13:23",
            "detail": [{"ip": "m47", "gpus": [f"gpu{i}" for i in range(8)]}],
        },
        {
            "start_time": "2017-10-07 01:13:30",
            "end_time": "2017-10-09 06:53:12",
            "detail": [{"ip": "m412", "gpus": [f"gpu{i}" for i in range(8)]}],
        },
    ],
    "submitted_time": "2017-10-07 01:11:39",
    "user": "ce2f4c",
}


def read(
    format_: str, path: Path, start: datetime = START, days: int = 60, zone: str = PACIFIC.key
) -> tuple[JobTable, ReadReport]:
    horizon = Horizon(start, start + timedelta(days=days), 60, "UTC")
    shares = {"training": 1.0}
    return read_trace(
        format_, path, horizon, (SITE,), limit_factor=2.0, class_shares=shares, zone=zone
    )


def table(folder: Path, *rows: str) -> Path:
    path = folder / "philly.csv"
    path.write_text(TABLE + "".join(row + "\n" for row in rows))
    return path


def log(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "cluster_job_log"
    path.write_text(json.dumps(records, indent=1))
    return path


def record(jobid: str, *attempts: tuple[str, str, int], **other: Any) -> dict[str, Any]:
    runs = [
        {"start_time": start, "end_time": end, "detail": [{"ip": "m1", "gpus": ["gpu"] * gpus}]}
        for start, end, gpus in attempts
    ]
    return EXAMPLE | {"jobid": jobid, "attempts": runs} | other


def test_rows_that_are_alike_are_jobs_with_ids_of_their_own(tmp_path: Path) -> None:
    same = "2017-10-07 00:01:00,10.0,2,20.0,6214e9"
    jobs, report = read(
        "philly", table(tmp_path, same, "2017-10-07 00:00:30,5.0,1,5.0,11cb48", same)
    )
    jobs.check()
    assert jobs.job_id.tolist() == ["philly-000003", "philly-000002", "philly-000004"]
    assert jobs.submit_s.tolist() == [30, 60, 60]
    assert jobs.gpu_s.tolist() == [5, 20, 20]
    assert jobs.limit_s.tolist() == [10, 20, 20]
    assert jobs.vc.tolist() == ["11cb48", "6214e9", "6214e9"]
    assert set(jobs.end_state) == {"completed"}
    assert report.notes == (
        "1 jobs repeat another row of the table word for word; each has an id of its own",
        "the table has no end states: every job counts as completed",
    )


def test_bad_rows_of_the_table_are_told_with_their_lines(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "2017-10-07 00:00:30,5.0,1,5.0,11cb48",
        "2017-10-07 00:00:30+00:00,5.0,1,5.0,11cb48",
        "2017-10-07 00:00:30,5.0,2,5.0,11cb48",
        "2017-10-07 00:00:30,,x,5.0,11cb48",
    )
    with pytest.raises(SeriesError) as raised:
        read("philly", path)
    assert str(raised.value).splitlines() == [
        "philly.csv:3: timestamp: '2017-10-07 00:00:30+00:00' is not a local time such as 2020-09-01 01:37:15",
        "philly.csv:4: gpu_time: 5 is not num_gpus x duration, 10",
        "philly.csv:5: duration: '' is not a run time in seconds",
        "philly.csv:5: num_gpus: 'x' is not a whole number of GPUs",
    ]


def test_clocks_put_back_are_counted_and_an_hour_left_out_is_a_fault(tmp_path: Path) -> None:
    """The United States put clocks back on 2017-11-05 at 02:00 and forward on 2017-03-12."""
    start = datetime(2017, 11, 5, 7, tzinfo=UTC)  # midnight of summer time
    rows = (f"2017-11-05 0{hour}:30:00,5.0,1,5.0,11cb48" for hour in range(4))
    jobs, report = read("philly", table(tmp_path, *rows), start)
    assert (jobs.submit_s / 3_600).tolist() == [0.5, 1.5, 3.5, 4.5]
    assert report.notes[0].startswith(
        "1 jobs were submitted in an hour that the clock showed twice"
    )
    with pytest.raises(
        SeriesError, match=r"2: timestamp: .* clocks of America/Los_Angeles leave out"
    ):
        read("philly", table(tmp_path, "2017-03-12 02:30:00,5.0,1,5.0,11cb48"))


def test_the_published_example_is_one_run_as_long_as_both_attempts(tmp_path: Path) -> None:
    jobs, report = read("philly-json", log(tmp_path, EXAMPLE))
    jobs.check()
    assert jobs.job_id.tolist() == ["application_1506638472019_14199"]
    assert jobs.submit_s.tolist() == [3_600 + 11 * 60 + 39]
    assert jobs.run_s.tolist() == [74 + 2 * 86_400 + 5 * 3_600 + 39 * 60 + 42]
    assert (jobs.gpu_count[0], jobs.user[0], jobs.vc[0]) == (8, "ce2f4c", "ee9e8c")
    assert report.label == "Philly log cluster_job_log, 1 of 1 rows"
    assert report.notes == (
        "1 jobs ran in several attempts, replayed as one run as long as all of them",
    )


def test_attempts_of_other_sizes_keep_their_gpu_time(tmp_path: Path) -> None:
    first = ("2017-10-07 02:00:00", "2017-10-07 02:01:00", 2)
    last = ("2017-10-07 03:00:00", "2017-10-07 03:10:00", 8)
    jobs, _ = read("philly-json", log(tmp_path, record("a", first, last, status="Killed")))
    assert jobs.gpu_count.tolist() == [8]
    assert jobs.gpu_s.tolist() == [2 * 60 + 8 * 600]
    assert jobs.end_state.tolist() == ["cancelled"]


def test_jobs_of_the_log_without_a_run_are_counted_by_reason(tmp_path: Path) -> None:
    begin, end = "2017-10-07 02:00:00", "2017-10-07 02:01:00"
    jobs, report = read(
        "philly-json",
        log(
            tmp_path,
            record("never"),
            record("running", (begin, end, 1), (end, "None", 1)),
            record("lost", ("None", end, 1), (begin, end, 1)),
            record("cpu", (begin, end, 0)),
            record("late", (begin, end, 1), submitted_time="2018-01-01 00:00:00"),
            record("kept", (begin, end, 1), status="Failed"),
        ),
    )
    assert jobs.job_id.tolist() == ["kept"]
    assert jobs.end_state.tolist() == ["failed"]
    assert dict(report.skipped) == {
        "was never started": 1,
        "had not ended when the record was cut": 1,
        "an attempt has no start or no end": 1,
        "takes no GPU": 1,
        "submitted after the horizon": 1,
    }
    assert report.rows_read == report.rows_kept + sum(report.skipped.values()) == 6


def test_a_run_that_ends_in_the_second_pass_of_an_hour_has_its_true_length(tmp_path: Path) -> None:
    over = ("2017-11-05 01:50:00", "2017-11-05 01:10:00", 1)  # 20 minutes, clocks put back between
    jobs, _ = read("philly-json", log(tmp_path, record("a", over)))
    assert jobs.run_s.tolist() == [1_200]


def test_every_bad_record_is_told_with_the_line_it_begins_on(tmp_path: Path) -> None:
    begin, end = "2017-10-07 02:00:00", "2017-10-07 02:01:00"
    path = tmp_path / "cluster_job_log"
    lines = [
        json.dumps(record("a", (begin, end, 1))),
        json.dumps(record("a", (begin, end, 1))),
        json.dumps(record("c", (end, begin, 1), status="Done")),
        json.dumps(record("d", (begin, "noon", 1), user=7)),
        json.dumps(record("e", (begin, "noon", 1))),
        "{]",
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    with pytest.raises(SeriesError) as raised:
        read("philly-json", path)
    assert str(raised.value).splitlines() == [
        "cluster_job_log:3: jobid: a stands in line 2 already",
        "cluster_job_log:4: attempts.0.end_time: 2017-10-07 02:00:00 is before the start, 2017-10-07 02:01:00",
        "cluster_job_log:4: status: 'Done' is none of Pass, Killed, Failed",
        "cluster_job_log:5: user: Input should be a valid string",
        "cluster_job_log:6: attempts.0.end_time: 'noon' is not a local time such as 2020-09-01 01:37:15",
        "cluster_job_log:7: Expecting property name enclosed in double quotes; the rest is not read",
    ]


def test_a_log_that_is_no_list_or_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cluster_job_log"
    path.write_text("{}")
    with pytest.raises(SeriesError, match="it is not a JSON list of jobs"):
        read("philly-json", path)
    path.write_text(json.dumps([EXAMPLE])[:-1])
    with pytest.raises(SeriesError, match=r"cluster_job_log:1: Expecting value"):
        read("philly-json", path)
    path.write_text(" [ ]")
    assert len(read("philly-json", path)[0].check()) == 0


@pytest.mark.real_data
def test_the_converted_philly_file_keeps_every_row_and_all_gpu_time(real_data: Path) -> None:
    path = real_data / "jobs" / "philly_jobs_2017.csv.gz"
    start = datetime(2017, 9, 4, tzinfo=PACIFIC)
    jobs, report = read("philly", path, start, days=110)
    jobs.check()
    assert (report.rows_read, report.rows_kept, dict(report.skipped)) == (82_247, 82_247, {})
    assert jobs.gpu_s.sum() / 3_600 == pytest.approx(978_078, abs=0.5)
    assert len(set(jobs.job_id)) == 82_247
    assert "65 jobs repeat another row" in report.notes[0]
    assert len(set(jobs.vc)) == 15
    assert (jobs.gpu_count == 1).mean() == pytest.approx(0.93, abs=0.005)
    local = start.timestamp() + jobs.submit_s[0]
    assert datetime.fromtimestamp(local, PACIFIC).isoformat() == "2017-09-04T10:30:41-07:00"
    elsewhere, _ = read("philly", path, start, days=110, zone="UTC")
    assert np.median(jobs.submit_s - elsewhere.submit_s) == 7 * 3_600
