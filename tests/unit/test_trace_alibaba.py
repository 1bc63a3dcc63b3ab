from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aidc import catalog
from aidc.equipment import Server
from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.site import Pool, Site
from aidc.workload.traces import ReadReport, read_trace
from aidc.workload.traces.alibaba import TraceBoard
from tests.w1 import bare_site, w1_pool

EPOCH = datetime(2020, 7, 2, tzinfo=UTC)  # a Thursday, 08:00 in Asia/Shanghai, as second 0 was
SITE = bare_site("lingang", w1_pool())
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
# rows of openb_pod_list_gpuspec10.csv, github.com/alibaba/clusterdata, cluster-trace-gpu-v2023
POD_ROWS = (
    "openb-pod-0000,12000,16384,1,1000,,LS,Running,0,12537496,0",
    "openb-pod-0001,6000,12288,1,460,,LS,Running,427061,12902960,427061",
    "openb-pod-0005,20000,65536,0,0,,LS,Running,2759674,12902960,2759676",
    "openb-pod-0017,88000,327680,8,1000,G2,Burstable,Succeeded,9437497,10769854,9437497",
    "openb-pod-0031,16000,32768,1,1000,V100M16|V100M32|V100M32,LS,Running,9961302,9994357,9961304",
    "openb-pod-0033,3152,5600,1,1000,,BE,Failed,9965463,9965645,9965463",
    "openb-pod-0061,11908,47104,1,1000,,BE,Pending,10001278,10001403,",
)
POD_GPU_H = (12_537_496 + 12_475_899 * 0.46 + 8 * 1_332_357 + 33_053 + 182) / 3_600


def read(
    format_: str, path: Path, *, epoch: datetime = EPOCH, days: int = 200, site: Site = SITE
) -> tuple[JobTable, ReadReport]:
    horizon = Horizon(EPOCH, EPOCH + timedelta(days=days), 60, "Asia/Shanghai")
    shares = {"training": 1.0}
    return read_trace(
        format_, path, horizon, (site,), limit_factor=1.5, class_shares=shares, epoch=epoch
    )


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(line.rstrip("\n") + "\n" for line in lines))
    return path


def pai(folder: Path, jobs: list[str], tasks: list[str]) -> Path:
    written(folder / "pai_task_table.csv", *tasks)
    return written(folder / "pai_job_table.csv", *jobs)


def test_published_pods_take_whole_boards_and_the_overstatement_is_told(tmp_path: Path) -> None:
    jobs, report = read("alibaba-2023", written(tmp_path / "pods.csv", PODS, *POD_ROWS))
    jobs.check()
    assert jobs.job_id.tolist() == [f"openb-pod-00{n}" for n in ("00", "01", "17", "31", "33")]
    assert jobs.gpu_count.tolist() == [1, 1, 8, 1, 1]
    assert jobs.submit_s[1:3].tolist() == [427_061, 9_437_497]
    assert jobs.run_s[3:].tolist() == [9_994_357 - 9_961_304, 182]
    assert jobs.end_state.tolist() == ["cancelled", "cancelled", "completed", "cancelled", "failed"]
    assert jobs.vc.tolist() == ["LS", "LS", "Burstable", "LS", "BE"]
    assert dict(report.skipped) == {"takes no GPU": 1, "was never started": 1}
    assert report.rounded_up == 1
    assert (
        f"{jobs.gpu_s.sum() / 3_600:,.0f} GPU-h in all, {POD_GPU_H:,.0f} asked for"
        in report.notes[2]
    )
    assert report.notes[3:5] == (
        "2 jobs accept only some types of board (gpu_spec)",
        "1 jobs accept only types of board that models/gpus.csv does not have",
    )


# rows of openb_pod_list_gpuspec33.csv of the same trace
SPECS = (
    "openb-pod-1437,16000,32768,1,1000,V100M16|V100M32,LS,Succeeded,10567375,10567400,10567375",
    "openb-pod-1438,3152,5600,1,1000,G2,BE,Failed,10567505,10567655,10567506",
    "openb-pod-1439,16000,32768,1,1000,P100|V100M16|V100M32,LS,Running,10567539,10570359,10567541",
    "openb-pod-1440,12000,16384,1,1000,,LS,Running,10567597,10583856,10567599",
)


def test_each_pod_runs_on_the_boards_that_it_names_itself(tmp_path: Path) -> None:
    servers = {"old": "v100-8gpu", "new": "a100-8gpu"}
    pools = [
        Pool(name=name, server=catalog.row("servers", Server, server), server_count=count)
        for (name, server), count in zip(servers.items(), (1, 10_000), strict=True)
    ]
    site = bare_site("two", *pools)
    jobs, report = read("alibaba-2023", written(tmp_path / "p.csv", PODS, *SPECS), site=site)
    assert jobs.pool[[0, 2]].tolist() == ["old", "old"]
    assert jobs.pool[3] == "new"
    assert jobs.accepted.tolist() == [True, False, True, True]
    assert "3 jobs accept only some types of board (gpu_spec)" in report.notes
    assert "1 jobs accept only types of board that models/gpus.csv does not have" in report.notes


def test_every_board_of_a_trace_is_in_the_catalog_or_said_not_to_be() -> None:
    boards = catalog.table("trace_boards", TraceBoard)
    assert {row.gpu for row in boards.values() if row.gpu} <= set(catalog.names("gpus"))
    # models of the node list and of the pod lists
    assert {"A10", "G2", "G3", "P100", "T4", "V100M16", "V100M32"} <= set(boards)


def test_bad_pods_are_told_with_their_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path / "pods.csv",
        PODS,
        "a,1,1,1,1200,,LS,Running,0,10,0",
        "b,1,1,1,0,,LS,Gone,0,10,0",
        "c,1,1,0.5,1000,,LS,Running,0,10,0",
        "d,1,1,1,1000,,LS,Running,,10,20",
        "a,1,1,1,1000,,LS,Running,0,10,0",
    )
    with pytest.raises(SeriesError) as raised:
        read("alibaba-2023", path)
    assert str(raised.value).splitlines() == [
        "pods.csv:2: gpu_milli: 1200 is not 1 to 1000 thousandths of a GPU",
        "pods.csv:3: gpu_milli: 0 is not 1 to 1000 thousandths of a GPU",
        "pods.csv:3: pod_phase: 'Gone' is none of Succeeded, Failed, Running, Pending",
        "pods.csv:4: num_gpu: '0.5' is not a whole number of GPUs",
        "pods.csv:5: creation_time: '' is not a time in seconds",
        "pods.csv:5: deletion_time: 10 is before scheduled_time, 20",
        "pods.csv:6: name: a stands in line 2 already",
    ]


@pytest.mark.parametrize("header", [True, False])
def test_pai_jobs_take_the_gpus_of_their_tasks_with_and_without_a_header(
    tmp_path: Path, header: bool
) -> None:
    """The job of the README: two workers on half a GPU each, and a parameter server without."""
    jobs = [
        "job_name,inst_id,user,status,start_time,end_time",
        "job_0,i0,u0,Terminated,1000.0,2000.0",
        "job_1,i1,u1,Failed,1500.0,1700.0",
    ]
    tasks = [
        "job_name,task_name,inst_num,status,start_time,end_time,plan_cpu,plan_mem,plan_gpu,gpu_type",
        "job_0,ps,1.0,Terminated,1010.0,2000.0,600.0,29.3,,",
        "job_0,worker,2.0,Terminated,1060.0,1990.0,400.0,29.3,50.0,MISC",
        "job_1,tensorflow,1.0,Failed,1510.0,1600.0,400.0,29.3,25.0,T4",
        "job_1,evaluator,3.0,Failed,1520.0,1690.0,400.0,29.3,100.0,T4",
    ]
    kept, report = read("alibaba-2020", pai(tmp_path, jobs[1 - header :], tasks[1 - header :]))
    kept.check()
    assert kept.job_id.tolist() == ["job_0", "job_1"]
    assert kept.gpu_count.tolist() == [1, 4]  # 2 x 50 %; 25 % + 3 x 100 %, rounded up
    assert kept.submit_s.tolist() == [1_000, 1_500]
    assert kept.run_s.tolist() == [930, 180]
    assert kept.end_state.tolist() == ["completed", "failed"]
    assert kept.user.tolist() == ["u0", "u1"]
    assert (report.rows_read, report.rounded_up, dict(report.skipped)) == (2, 1, {})


def test_pai_jobs_without_a_run_are_counted_by_reason(tmp_path: Path) -> None:
    path = pai(
        tmp_path,
        [
            "waiting,i,u,Waiting,10.0,",
            "running,i,u,Running,10.0,",
            "unstarted,i,u,Failed,10.0,20.0",
            "cpu,i,u,Terminated,10.0,20.0",
            "taskless,i,u,Terminated,10.0,20.0",
            "undated,i,u,Terminated,0.0,20.0",
            "kept,i,u,Terminated,10.0,20.0",
        ],
        [
            "waiting,t,1,Waiting,,,1,1,100,T4",
            "running,t,1,Running,12.0,,1,1,100,T4",
            "unstarted,t,1,Failed,0,0,1,1,100,T4",
            "cpu,t,1,Terminated,12,14,1,1,0,CPU",
            "kept,t,1,Terminated,12,20,1,1,100,T4",
        ],
    )
    jobs, report = read("alibaba-2020", path)
    assert jobs.job_id.tolist() == ["kept"]
    assert dict(report.skipped) == {
        "was never started": 2,
        "had not ended when the record was cut": 1,
        "takes no GPU": 1,
        "has no task in the task table": 1,
        "has no time of submission": 1,
    }
    assert report.rows_read == 7


def test_faults_of_the_task_table_are_told_with_its_name(tmp_path: Path) -> None:
    tasks = ["a,t,one,Terminated,12,14,1,1,100,T4", "b,t,1,Terminated,14,12,1,1,100,T4", "c,t"]
    path = pai(tmp_path, ["a,i,u,Terminated,10.0,20.0"], tasks)
    with pytest.raises(SeriesError) as raised:
        read("alibaba-2020", path)
    assert str(raised.value).splitlines() == [
        "pai_task_table.csv:1: inst_num: 'one' is not a whole number of instances",
        "pai_task_table.csv:2: end_time: 12 is before start_time, 14",
        "pai_task_table.csv:3: 2 cells where the header has 10",
    ]
    with pytest.raises(SeriesError, match=r"name the job table, pai_job_table.csv"):
        read("alibaba-2020", written(tmp_path / "jobs.csv", "a,i,u,Terminated,10.0,20.0"))
    (tmp_path / "pai_task_table.csv").unlink()
    with pytest.raises(SeriesError, match=r"pai_task_table.csv: cannot be read"):
        read("alibaba-2020", path)


def test_an_epoch_that_moves_hours_or_weekdays_is_told(tmp_path: Path) -> None:
    path = pai(
        tmp_path,
        ["kept,i,u,Terminated,10.0,20.0"],
        ["kept,t,1,Terminated,12,20,1,1,100,T4"],
    )
    assert not read("alibaba-2020", path)[1].notes
    jobs, report = read("alibaba-2020", path, epoch=EPOCH + timedelta(hours=1))
    assert jobs.submit_s.tolist() == [3_610]
    assert report.notes[0].startswith("hours and weekdays are not those of the record")
