"""What a user sees of bad input: places and remedies on stderr, exit status 2, and never a traceback."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import aidc as package
from aidc.errors import ScenarioError

SCENARIOS = Path(__file__).parents[2] / "scenarios"
WEEK = SCENARIOS / "lingang-week.yaml"
WEATHER = "time,drybulb_degc,dewpoint_degc,pressure_pa,ghi_w_per_m2,dni_w_per_m2,dhi_w_per_m2,wind_m_per_s"
HELIOS = "job_id,user,vc,gpu_num,node_num,state,submit_time,duration"

TEN_MISTAKES = """\
schema_version: 1
name: ten-mistakes
start: 2023-07-10T00:00:00+08:00
end: 2023-07-03T00:00:00+08:00
step: 25 min
seed: 2026

sites:
  lingang:
    model: lingang-rampp
    weather: {kind: typical, climate: shanghai}
    tariff: shanghai-2-part
    grid: {location: CN-SH, intensity: flat}
  second:
    model: lingang-rampup
    weather: {kind: typical, climate: shanghai}
    tariff: shanghai-two-part
    grid: {location: CN-SH, intensity: flat}
    overrides: {rated_it_kw: -5 MW, pv_kpw: 100 kW}

workload:
  kind: generated
  profile: reserch-cluster
  jobs_per_day: 6500
  warm_start: stationary
flexibility: {deferrable_frac: 0.3, slack_h: [6, 24]}

baseline: {policy: easy_backfill, supply_air: 24 kW, mode_policy: lowest_power}
plan:
  objective: emisions
  step: 60 min
  window: 48 h
  commit: 24 h
  gap: 120 %
  limit: 60 s
  foresight: perfect

ledger: {report_date: 2024-04-30, books: [S1, NDRC, S2-LB, S2-MB-2015], lots: []}
"""
TEN_PLACES = {
    "4:6: end": "2023-07-03T00:00:00+08:00 is not after start 2023-07-10T00:00:00+08:00",
    "5:7: step": "25 min is not 5, 10, 15, 20, 30 or 60 min",
    "10:12: sites.lingang.model": "did you mean 'lingang-rampup'?",
    "12:13: sites.lingang.tariff": "did you mean 'shanghai-two-part'?",
    "19:30: sites.second.overrides.rated_it_kw": "greater than 0, not -5000",
    "19:37: sites.second.overrides.pv_kpw": "unknown key 'pv_kpw' - did you mean 'pv_kwp'?",
    "23:12: workload.profile": "did you mean 'research-cluster'?",
    "28:47: baseline.supply_air": "unit 'kW' is not one of degC",
    "30:14: plan.objective": "'emissions', 'cost' or 'water'",
    "34:8: plan.gap": "less than 1, not 1.2",
}


def aidc(
    *arguments: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The real command line in a process of its own."""
    command = [sys.executable, "-c", "from aidc.cli import main; main()", *map(str, arguments)]
    shown = {name: value for name, value in os.environ.items() if name != "AIDC_REAL_DATA"}
    shown["PYTHONPATH"] = str(SCENARIOS.parent)
    return subprocess.run(
        command, capture_output=True, text=True, env=shown | dict(env or {}), timeout=240
    )


def refused(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines on stderr of a command that refused its input; stdout stays empty."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    return done.stderr.splitlines()


def laid_on_week(folder: Path, text: str) -> Path:
    """A day of the shipped week with something laid on it."""
    path = folder / "day.yaml"
    day = f"extends: {WEEK}\nname: day\nend: 2023-07-04T00:00:00+08:00\npathway: null\n"
    path.write_text(day + text, encoding="utf-8")
    return path


def test_ten_mistakes_give_ten_lines_each_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "ten.yaml"
    path.write_text(TEN_MISTAKES, encoding="utf-8")
    lines = refused(aidc("run", path, "--out", tmp_path / "out"))
    assert len(lines) == 10
    for line, (place, remedy) in zip(lines, TEN_PLACES.items(), strict=True):
        assert line.startswith(f"{path}:{place}: ")
        assert remedy in line
    assert not (tmp_path / "out").exists()


ALONE = {
    "naive start": ("start: 2023-07-03T00:00:00", 5, r"start: .* has no offset; write e\.g\. .*\+08:00$"),
    "a date that is none": ("ledger: {report_date: 2024-02-30}", 5, r"cannot read '2024-02-30' as a date; write e\.g\. 2024-04-30$"),
    "no unit": ("plan: {limit: 60}", 5, r"plan\.limit: 60 has no unit; write e\.g\. \"60 s\"$"),
    "an unknown server": ("sites: {lingang: {overrides: {pools: {0: {server: a100-8gpus}}}}}", 5, r"servers\.csv has no 'a100-8gpus' - did you mean 'a100-8gpu'\?$"),
    "an unknown GPU": ("sites: {lingang: {overrides: {pools: {0: {server: {like: a100-8gpu, gpu: b999}}}}}}", 5, r"gpus\.csv has no 'b999'; it has a100-sxm, "),
    "negative PV": ("sites: {lingang: {overrides: {pv_kwp: -1 MW}}}", 5, r"pv_kwp: input should be greater than or equal to 0, not -1000"),
    "no servers": ("sites: {lingang: {overrides: {pools: {0: {server_count: 0}}}}}", 5, r"server_count: input should be greater than or equal to 1, not 0$"),
    "an unknown city": ("sites: {lingang: {weather: {climate: shanghia}}}", 5, r"climates\.csv has no 'shanghia' - did you mean 'shanghai'\?$"),
    "a file that is not there": ("sites: {lingang: {weather: {kind: csv, file: none.csv}}}", 5, r"none\.csv is not a file$"),
    "a share over one": ("flexibility: {deferrable_frac: 30}", 5, r"deferrable_frac: input should be less than or equal to 1, not 30"),
    "no text for a number": ("seed: soon", 5, r"seed: input should be a valid integer, not 'soon'$"),
    "broken YAML": ("plan: {gap: 1 %", 6, r"not YAML: expected ',' or '}'"),
    "a key twice": ("seed: 1\nseed: 2", 6, r"seed: given twice, first in line 5; keep one$"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "told"), ALONE.values(), ids=ALONE)
def test_each_mistake_alone_gives_one_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    path = laid_on_week(tmp_path, text + "\n")
    lines = refused(aidc("check", path))
    assert len(lines) == 1
    assert re.match(rf"{re.escape(str(path))}:{line}:\d+: ", lines[0])
    assert re.search(told, lines[0])


def faults_of(path: Path) -> list[str]:
    """What loading a file tells, a line each."""
    with pytest.raises(ScenarioError) as caught:
        package.load(path)
    return str(caught.value).splitlines()


# Faults of a whole site that an override in line 8 causes: its text -> where, and what
OF_OVERRIDES = {
    "the key itself": ("hall: {inlet_max_degc: 40 degC}", r"8:30: sites\.lingang\.overrides\.hall\.inlet_max_degc: 40 degC is above the 35 degC"),
    "a block below": ("liquid: {like_nothing: 1}", r"8:16: sites\.lingang\.overrides\.liquid\.like_nothing: unknown key"),
    "another key than the one at fault": ("pools: {0: {liquid_cooled: true}}", r"7:5: sites\.lingang\.overrides\.liquid: a liquid-cooled pool needs"),
    "an item of a list": ("pools: [{name: a, server: a100-8gpu, server_count: 0}]", r"8:58: sites\.lingang\.overrides\.pools\[0\]\.server_count: "),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), OF_OVERRIDES.values(), ids=OF_OVERRIDES)
def test_a_fault_that_an_override_causes_is_told_in_the_scenario(
    tmp_path: Path, text: str, told: str
) -> None:
    path = laid_on_week(tmp_path, f"sites:\n  lingang:\n    overrides:\n      {text}\n")
    found = [line for line in faults_of(path) if "required, but not given" not in line]
    assert len(found) == 1
    assert re.match(re.escape(f"{path}:") + told, found[0]), found[0]


def test_what_blocks_must_be_to_each_other_is_told_beside_their_own_faults(tmp_path: Path) -> None:
    path = laid_on_week(
        tmp_path,
        "workload: {accepts: [a100], runs: [{name: x, gpu_count: 8, work: 1 h, job_class: train}]}\n"
        "baseline: {policy: fifoo}\n"
        "plan: {commit: 72 h}\n"
        "events: [{kind: heat_wave, site: shanghai, start: 2023-07-03T01:00:00+08:00,"
        " end: 2023-07-03T02:00:00+08:00, drybulb_rise: 3 K}]\n"
        "sites: {lingang: {overrides: {pv_kwp: -1 kW}}}\n",
    )
    lines = [line.split(": ", 1)[1] for line in faults_of(path)]
    assert [line.split(": ")[0] for line in lines] == [
        "workload.accepts", "workload.runs.0.job_class", "baseline.policy", "plan.commit",
        "events.0", "sites.lingang.overrides.pv_kwp",
    ]  # fmt: skip
    assert "gpus.csv has no 'a100'" in lines[0]
    assert lines[4].endswith("no site 'shanghai'; the scenario has lingang")


def test_a_site_with_a_fault_of_its_own_is_still_there_for_events(tmp_path: Path) -> None:
    path = laid_on_week(
        tmp_path,
        "events: [{kind: heat_wave, site: lingang, start: 2023-07-03T01:00:00+08:00,"
        " end: 2023-07-03T02:00:00+08:00, drybulb_rise: 3 K}]\n"
        "sites: {lingang: {overrides: {pv_kwp: -1 kW}}}\n",
    )
    (line,) = faults_of(path)
    assert "pv_kwp" in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # capacity_kw stands in no workload, and pv_kwp not at the top
        ("workload: {capacity: 3}", "unknown key 'capacity'"),
        ("pv_kpw: 3", "unknown key 'pv_kpw'"),
        ("workload: {acepts: [a100-sxm]}", "unknown key 'acepts' - did you mean 'accepts'?"),
        ("workload: {mixx: x}", "unknown key 'mixx'"),  # mix is a key of another kind
        ("baseline: {queue: {agein: 1}}", "unknown key 'agein' - did you mean 'ageing'?"),
        ("sites: {lingang: {overrides: {cooling: {economizer: true}}}}", "unknown key 'economizer'"),
        ("sites: {lingang: {overrides: {cooling: {humidifer: x}}}}", "unknown key 'humidifer' - did you mean 'humidifier'?"),
        ("sites: {lingang: {overrides: {pools: {0: {server: {like: a100-8gpu, base_W: 3}}}}}}", "unknown key 'base_W' - did you mean 'base_w'?"),
        ("sites: {lingang: {grid: {locaton: x}}}", "unknown key 'locaton' - did you mean 'location'?"),
    ],
)  # fmt: skip
def test_only_keys_that_may_stand_there_are_proposed(tmp_path: Path, text: str, told: str) -> None:
    (line,) = faults_of(laid_on_week(tmp_path, text + "\n"))
    assert line.endswith(told)


def test_a_base_file_that_is_not_there_is_named_at_its_extends(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text("schema_version: 1\nextends: old.yaml\n", encoding="utf-8")
    told = refused(aidc("check", path))
    assert f"{path}:2:10: extends: {tmp_path / 'old.yaml'} is not a file" in told


def test_a_scenario_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    assert refused(aidc("run", path)) == [f"{path}: cannot be read: No such file or directory"]


def test_check_tells_the_faults_of_every_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    for path in (first, second):
        path.write_text(f"extends: {WEEK}\nseed: -1\npathway: null\n", encoding="utf-8")
    done = aidc("check", first, WEEK, second)
    assert done.returncode == 2
    assert done.stdout == f"{WEEK}: good\n"
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [str(first), str(second)]


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("plan.comit=3 h", "--set plan.comit: plan.comit: unknown key 'comit' - did you mean 'commit'?"),
        ("nosuch.key=3", "--set nosuch.key: nosuch: unknown key 'nosuch'"),
        ("site.pv_kpw=3 kW", "--set site.pv_kpw: sites.lingang.overrides.pv_kpw: unknown key 'pv_kpw' - did you mean 'pv_kwp'?"),
        ("plan.gap", "--set: plan.gap: write it as key=value"),
    ],
)  # fmt: skip
def test_a_set_option_that_does_not_fit_is_the_place_of_the_fault(option: str, told: str) -> None:
    assert refused(aidc("run", WEEK, "--set", option)) == [told]


def test_an_unknown_variant_is_refused_with_those_there_are() -> None:
    (line,) = refused(aidc("run", WEEK, "--variant", "costs"))
    assert line.endswith("no variant 'costs'; the file has cost, big-pv, synthetic-hours, battery")


def test_real_data_that_are_not_there_are_asked_for_by_name() -> None:
    lines = refused(aidc("run", SCENARIOS / "lingang-helios.yaml"))
    assert len(lines) == 2
    for line, file in zip(lines, ("weather/CHN_SH_", "jobs/helios_venus_"), strict=True):
        assert f"$AIDC_REAL_DATA/{file}" in line
        assert line.endswith("AIDC_REAL_DATA is not set; point it at the folder of real data")


def test_real_data_in_another_folder_are_named_with_the_whole_path(tmp_path: Path) -> None:
    done = aidc("run", SCENARIOS / "lingang-helios.yaml", env={"AIDC_REAL_DATA": str(tmp_path)})
    lines = refused(done)
    assert [line.endswith(" is not a file") for line in lines] == [True, True]
    assert all(f": {tmp_path}/" in line for line in lines)


def hourly_weather() -> list[str]:
    start = datetime.fromisoformat("2023-07-03T00:00:00+08:00")
    times = [(start + timedelta(hours=hour)).isoformat() for hour in range(24)]
    return [WEATHER, *(f"{time},28,22,100500,0,0,0,3" for time in times)]


def naive(lines: list[str]) -> list[str]:
    return [line.replace("+08:00", "") for line in lines]


def gappy(lines: list[str]) -> list[str]:
    return lines[:11] + lines[14:]


@pytest.mark.parametrize(
    ("broken", "line", "told", "count"),
    [
        (naive, 2, "'2023-07-03T00:00:00' has no offset; write e.g. 2023-07-03T00:00:00+08:00", 20),
        (gappy, 12, "240 min after the row before, not 60 min: a gap; fill it and say how", 1),
    ],
)
def test_a_naive_and_a_gappy_series_are_refused_by_the_run(
    tmp_path: Path,
    broken: Callable[[list[str]], list[str]],
    line: int,
    told: str,
    count: int,
) -> None:
    series = tmp_path / "weather.csv"
    series.write_text("\n".join(broken(hourly_weather())) + "\n", encoding="utf-8")
    path = laid_on_week(tmp_path, "sites: {lingang: {weather: {kind: csv, file: weather.csv}}}\n")
    lines = [text for text in refused(aidc("run", path, "--quiet", "--no-ends")) if "time" in text]
    assert len(lines) == count
    assert lines[0].startswith(f"{series}:{line}:1: time: {told}")


def test_an_epw_file_that_is_cut_short_is_refused_with_its_hours(tmp_path: Path) -> None:
    row = "2001,{},{},{},0,?9,28.0,22.0,70,100500,0,0,400,0,0,0,0,0,0,200,180,3.0,5,5,9900,77777,9,999999999,6,0.08,2,88,0.28,0,0"
    head = ["LOCATION,Shanghai,SH,CHN,TEST,583670,31.2,121.3,8.0,3.0", *["DESIGN CONDITIONS,0"] * 6]
    hours = [row.format(1, day, hour) for day in range(1, 32) for hour in range(1, 25)]
    text = "\n".join([*head, "DATA PERIODS,1,1,Data,Sunday,1/ 1,12/31", *hours]) + "\n"
    (tmp_path / "january.epw").write_text(text, encoding="utf-8")
    path = laid_on_week(tmp_path, "sites: {lingang: {weather: {kind: epw, file: january.epw}}}\n")
    lines = refused(aidc("run", path, "--quiet", "--no-ends"))
    assert any("has 744 hours, not 8760 or 8784" in line for line in lines)


def with_trace(folder: Path, rows: list[str]) -> Path:
    """A day in the hall of 256 GPUs with the given jobs of 3 July 2023."""
    (folder / "jobs.csv").write_text("\n".join([HELIOS, *rows]) + "\n", encoding="utf-8")
    hall = "sites: {lingang: {model: helios-hall}}\n"
    work = "workload: {kind: trace, format: helios, file: jobs.csv, limit_factor: 1.5}\n"
    return laid_on_week(folder, hall + work)


def test_bad_rows_of_a_trace_are_told_with_their_lines(tmp_path: Path) -> None:
    good = "1,u,v,8,1,COMPLETED,2023-07-03 01:00:00,3600"
    bad = "2,u,v,8,1,COMPLETED,2023-07-03 01:00:00,-3600"
    lines = refused(aidc("check", with_trace(tmp_path, [good, bad])))
    assert lines == ["jobs.csv:3: duration: '-3600' is not a run time in seconds"]


def test_a_full_pool_queues_and_a_job_larger_than_the_pool_is_refused_and_counted(
    tmp_path: Path,
) -> None:
    # two jobs of 256 GPUs and 8 h each fill the hall for 16 h; 264 GPUs never fit; the last waits for ever
    path = with_trace(
        tmp_path,
        [
            "1,u,v,256,32,COMPLETED,2023-07-03 00:00:00,28800",
            "2,u,v,256,32,COMPLETED,2023-07-03 00:00:00,28800",
            "3,u,v,264,33,COMPLETED,2023-07-03 01:00:00,3600",
            "4,u,v,256,32,COMPLETED,2023-07-03 02:00:00,36000",
            "5,u,v,256,32,COMPLETED,2023-07-03 03:00:00,3600",
        ],
    )
    done = aidc(
        "run", path, "--json", "--no-ends", "--out", tmp_path / "out",
        "--set", "flexibility.deferrable_frac=0 %",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    baseline = json.loads(done.stdout)["baseline"]
    assert baseline["job_ends"] == {
        "completed": 2, "cancelled": 0, "failed": 0, "killed": 0, "refused": 1, "running": 1, "waiting": 1,
    }  # fmt: skip
    assert baseline["refusals"] == {"larger than its pool": 1}
    # 256 GPUs busy all day, whichever comes first: the third of 10 h has run 8 h at midnight
    assert baseline["gpu_hours"] == pytest.approx(256 * 24)
    assert baseline["utilisation_frac"] == pytest.approx(1.0)


def test_a_folder_of_results_that_cannot_be_made_is_the_users_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    path = laid_on_week(tmp_path, "")
    lines = refused(aidc("run", path, "--quiet", "--no-ends", "--out", tmp_path / "file" / "out"))
    assert str(tmp_path / "file") in lines[0]
