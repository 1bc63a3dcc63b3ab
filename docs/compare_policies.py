"""Writes docs/policies.md and .png: every queue policy on the same real jobs, through the plant.

Run from the project's root with AIDC_REAL_DATA set: ``python docs/compare_policies.py``
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import aidc
from aidc.api.drivers import drivers_of
from aidc.reporting.charts.style import COLOURS, Chart, drawing
from aidc.scenario import Policy, Scenario
from aidc.trace import Trace

PAGE = Path(__file__).with_name("policies.md")
CHART = PAGE.with_suffix(".png")
SCENARIO = PAGE.with_suffix(".yaml")
POLICIES: tuple[Policy, ...] = get_args(Policy)
EXACT = ", exact limits"  # rows beside the policies: what backfill does with limits that are the run times
BACKFILLS: tuple[Policy, ...] = ("easy_backfill", "conservative_backfill")
PREEMPTING = "priority, preempting"  # training and fine-tune jobs are stopped for the others
CASES: dict[str, dict[str, object]] = {
    **{policy: {"baseline.policy": policy} for policy in POLICIES},
    **{
        policy + EXACT: {"baseline.policy": policy, "workload.limit_factor": 1}
        for policy in BACKFILLS
    },
    PREEMPTING: {
        "baseline.policy": "priority",
        "baseline.queue": {"preempts": ["training", "fine-tune"]},
    },
}
RUN_IN_DAYS = 28  # the weeks before those that are measured
SHORTEST_S = 10.0  # a shorter run counts as one of ten seconds in the bounded slowdown
H_S = 3_600

# What is measured, with its decimals
COLUMNS = {
    "mean wait h": 2,
    "p95 h": 2,
    "max h": 1,
    "mean h of jobs that cannot wait": 2,
    "slowdown": 1,
    "late": 0,
    "refused": 0,
    "GPUs at work %": 2,
    "IT MWh": 1,
    "facility MWh": 1,
    "t CO2e": 2,
    "k CNY": 2,
    "g CO2e a GPU-h": 2,
    "CNY a GPU-h": 4,
}
Row = dict[str, float]  # `COLUMNS` of one policy, rounded as they are written
Rows = Mapping[str, Row]


def scenario() -> Scenario:
    return aidc.load(SCENARIO)


def run(case: str) -> Trace:
    return aidc.simulate(scenario().replace_all(CASES[case]))


def row(trace: Trace) -> Row:
    """The measured weeks: jobs that were submitted in them, and energy that was used in them."""
    steps = trace.frame.iloc[round(RUN_IN_DAYS * 24 / trace.step_h) :]
    jobs = trace.jobs[trace.jobs["submit_s"] >= RUN_IN_DAYS * 24 * H_S]
    taken = jobs[jobs["state"] != "refused"]
    wait_h = taken["wait_s"] / H_S
    table = drivers_of(trace.scenario).jobs
    known = pd.DataFrame({"run_s": table.run_s, "slack_s": table.slack_s}, index=table.job_id)
    run_s, slack_s = known.loc[taken["job_id"]].to_numpy().T
    slowdown = np.maximum(1.0, (taken["wait_s"] + run_s) / np.maximum(run_s, SHORTEST_S))
    gpu_h = steps["gpus_busy"].sum() * trace.step_h
    imported_kwh = steps["grid_import_kw"] * trace.step_h
    kgco2e = (imported_kwh * steps["grid_kgco2e_per_kwh"]).sum()
    cny = (imported_kwh * steps["tariff_cny_per_kwh"]).sum()
    found = (
        wait_h.mean(),
        np.percentile(wait_h, 95),
        wait_h.max(),
        wait_h[slack_s == 0].mean(),
        slowdown.mean(),
        taken["late"].sum(),
        len(jobs) - len(taken),
        100 * steps["gpus_busy"].sum() / steps["gpus_allocatable"].sum(),
        steps["it_kw"].sum() * trace.step_h / 1e3,
        trace.facility_kw.loc[steps.index].sum() * trace.step_h / 1e3,
        kgco2e / 1e3,
        cny / 1e3,
        1e3 * kgco2e / gpu_h,
        cny / gpu_h,
    )
    return {
        name: round(float(value), digits)
        for (name, digits), value in zip(COLUMNS.items(), found, strict=True)
    }


@dataclass(frozen=True)
class Facts:
    """What the text says of the jobs that were submitted in the measured weeks."""

    jobs: int
    with_deadline: int
    clusters: int
    gpus: int  # of the hall
    load_gpus: float  # at work on average in the measured weeks, had every job begun on arrival
    one_gpu_frac: float
    short_frac: float  # of the jobs, up to an hour
    movable_frac: float  # of the GPU time: in jobs that may wait and run less than a day


def facts() -> Facts:
    of = scenario()
    jobs = drivers_of(of).jobs
    begin_s, end_s = RUN_IN_DAYS * 24 * H_S, of.horizon("hall").length_s
    inside_s = np.clip(jobs.submit_s + jobs.run_s, begin_s, end_s) - np.maximum(
        jobs.submit_s, begin_s
    )
    mine = jobs.take(np.flatnonzero(jobs.submit_s >= begin_s))
    return Facts(
        jobs=len(mine),
        with_deadline=int(np.isfinite(mine.deadline_s).sum()),
        clusters=len(set(mine.vc)),
        gpus=of.sites["hall"].site.gpu_count,
        load_gpus=float(np.maximum(inside_s, 0) @ jobs.gpu_count / (end_s - begin_s)),
        one_gpu_frac=float((mine.gpu_count == 1).mean()),
        short_frac=float((mine.run_s <= H_S).mean()),
        movable_frac=float(
            mine.gpu_s[(mine.slack_s > 0) & (mine.run_s < 24 * H_S)].sum() / mine.gpu_s.sum()
        ),
    )


def line(case: str, of: Row) -> str:
    """A row of the page's table."""
    policy, comma, rest = case.partition(",")
    cells = (f"{of[name]:,.{digits}f}" for name, digits in COLUMNS.items())
    return f"| `{policy}`{comma}{rest} | {' | '.join(cells)} |"


def rows_of(text: str) -> dict[str, Row]:
    """The table of a page, read back."""
    rows = {}
    for text_line in text.splitlines():
        if text_line.startswith("| `"):
            case, *values = (cell.strip() for cell in text_line.strip("|").split("|"))
            numbers = (float(value.replace(",", "")) for value in values)
            rows[case.replace("`", "")] = dict(zip(COLUMNS, numbers, strict=True))
    return rows


def above_fifo(rows: Rows, name: str) -> dict[str, float]:
    """By how many per cent each policy is above FIFO."""
    return {policy: 100 * (rows[policy][name] / rows["fifo"][name] - 1) for policy in POLICIES}


def page(rows: Rows, of: Facts) -> str:
    """The whole page."""
    fifo, sjf, easy, conservative, deadline, carbon, price = (
        rows[name]
        for name in (
            "fifo", "sjf", "easy_backfill", "conservative_backfill", "deadline", "carbon", "price",
        )
    )  # fmt: skip
    exact = {name: rows[name + EXACT] for name in BACKFILLS}
    work = [rows[policy]["GPUs at work %"] for policy in POLICIES]
    energy = [rows[policy]["facility MWh"] for policy in POLICIES]
    co2e, cny = above_fifo(rows, "g CO2e a GPU-h"), above_fifo(rows, "CNY a GPU-h")
    plain = [co2e[p] for p in POLICIES if p not in ("carbon", "price")]
    return "\n".join(
        [
            "# Queue policies on real jobs",
            "",
            "Written by `docs/compare_policies.py`: the same jobs under each [policy](scenario.md#queue-policies), through the whole plant",
            "(`aidc.simulate` of `docs/policies.yaml`). Nothing is planned and nothing breaks.",
            "",
            "![Waiting, slowdown, deadlines, utilisation, emissions and cost of each policy](policies.png)",
            "",
            "## What runs",
            "",
            f"* **Jobs.** Philly, {of.jobs:,} jobs submitted on 2 to 29 October 2017 (msr-fiddle/philly-traces, CC-BY-4.0, a conversion of it), after a",
            "  run-in from the beginning of the table, 4 September, so that the hall has its work under way. Played 261 weeks later, where the",
            "  grid factor is known, a Monday morning on a Monday morning. The clock of the table is taken for that of Los Angeles, which",
            "  it does not say.",
            f"* **Hall.** {of.gpus} GPUs, 88 servers: the room of `lingang-helios`, larger and without PV. The table holds only a part of the trace's 117,325 jobs,",
            f"  so the size of the Philly cluster would say nothing. The jobs would keep {of.load_gpus:,.0f} GPUs at work if each began on arrival: an offered",
            f"  load of {of.load_gpus / of.gpus:.2f}, high enough for queues and low enough to empty them.",
            f"* **Deadlines.** {of.with_deadline:,} of the training and fine-tune jobs, drawn by id, may start 6 or 24 h after submission and must end by then plus their run; the",
            "  others have none. Limits are 1.5 times the run.",
            "* **Around it.** The Hongqiao typical year, the Shanghai time-of-use tariff (energy charge only), and a **synthetic** hourly grid",
            "  intensity, 20 % about the annual factor: no hourly intensity of the grid is published.",
            "",
            "## Results",
            "",
            f"| policy | {' | '.join(COLUMNS)} |",
            "|---" + "|--:" * len(COLUMNS) + "|",
            *(line(case, found) for case, found in rows.items()),
            "",
            "Waiting counts from submission, also where a policy puts a start off; slowdown is the mean of max(1, (wait + run) / max(run, 10 s));",
            "*late* are jobs that end, or would have ended, after their deadline, without those refused.",
            "",
            "## What it shows",
            "",
            f"* **Order is what cuts waiting.** `sjf` waits {sjf['mean wait h']:.2f} h on average against {fifo['mean wait h']:.2f} of `fifo`, because {100 * of.short_frac:.0f} % of the jobs run up to an hour and need not",
            f"  stand behind runs of days; the price is the longest wait, {sjf['max h']:.1f} h against {fifo['max h']:.1f}.",
            f"* **Backfill has few gaps to fill.** {100 * of.one_gpu_frac:.0f} % of the jobs take one GPU, so little fits beside a head that does not: `easy_backfill` waits",
            f"  {easy['mean wait h']:.2f} h. `conservative_backfill` waits {conservative['mean wait h']:.2f} h only because limits are too long: what ends early leaves holes that suit short jobs, and",
            f"  with exact limits the two are alike ({exact['conservative_backfill']['mean wait h']:.2f} and {exact['easy_backfill']['mean wait h']:.2f} h).",
            f"* **Only `deadline` keeps all deadlines**, at the price of {deadline['refused']:,.0f} refusals in {of.with_deadline:,}. `carbon` has {carbon['late']:,.0f} late and `price` {price['late']:,.0f}, against",
            f"  {fifo['late']:,.0f} of `fifo` and {conservative['late']:,.0f} of `conservative_backfill`. They promise a job free boards within its slack and keep that; the late ones found",
            "  the hall taken beyond their slack when they came, by limits that are too long and by the promises of others. Jobs that cannot",
            f"  wait gain by those that do ({carbon['mean h of jobs that cannot wait']:.2f} h).",
            f"* **In a full hall of long jobs waiting buys next to no carbon.** `carbon` emits {abs(co2e['carbon']):.2f} % {'less' if co2e['carbon'] < 0 else 'more'} a GPU-hour than `fifo` and `price` pays {-cny['price']:.2f} % less, for",
            f"  {carbon['mean wait h'] / fifo['mean wait h']:.1f} and {price['mean wait h'] / fifo['mean wait h']:.1f} times the waiting: {100 * of.movable_frac:.0f} % of the GPU time is in jobs that may wait and run less than a day; longer runs meet every",
            "  hour whenever they start, and idle boards draw power all day.",
            f"* **Energy follows the work, not its order.** GPUs at work lie between {min(work):.1f} and {max(work):.1f} %, facility energy within {100 * (max(energy) / min(energy) - 1):.1f} %; policies that",
            f"  look at neither carbon nor price differ by {max(plain) - min(plain):.1f} points of CO2e a GPU-hour through which jobs happen to run when: what `carbon` changes is no",
            "  greater.",
            "",
            "## What it does not show",
            "",
            "* **Limits are known perfectly up to one factor.** Every limit is 1.5 times the run, so `sjf` sorts by the true run time. Users' limits",
            "  are rounded and wrong by very different factors: take `sjf` for its best case. Nothing is killed at its limit.",
            "* **Users do not react.** Submissions are those that users made under another scheduler in another cluster; nobody waits for a result",
            "  before the next job, or gives up.",
            f"* **Who is served.** Classes are drawn by id and the {of.clusters} virtual clusters weigh the same, so `priority` and `fair_share` show their cost and",
            "  not their use, which mean waits do not measure. Where training and fine-tune jobs are stopped for the others (last row), all wait",
            f"  {rows[PREEMPTING]['mean wait h']:.2f} h for their first start instead of {rows['priority']['mean wait h']:.2f}. A stop costs nothing there, neither a restart nor work since a checkpoint.",
            "* One trace of four weeks at one load in one climate: the order of policies whose figures lie close may change with any of them.",
            "  The gain of `carbon` and `price` hangs on slack, on the assumed share of jobs that may wait, and on the synthetic hours.",
            "",
        ]
    )


def chart(rows: Rows, of: Facts) -> Chart:
    """Six panels with a policy a row."""
    title = "Queue policies on the same real jobs"
    with drawing(5.6) as figure:
        figure.set_size_inches(9.0, 5.6)
        axes = figure.subplots(2, 3, sharey=True).flat
        place = np.arange(len(POLICIES))
        _waits(axes[0], rows)
        _bars(axes[1], [rows[p]["slowdown"] for p in POLICIES], "{:.1f}", COLOURS["it_kw"])
        axes[1].set_title("Bounded slowdown, mean")
        late = [rows[p]["late"] for p in POLICIES]
        refused = [rows[p]["refused"] for p in POLICIES]
        axes[2].barh(place, late, color=COLOURS["dx_kw"], label="late")
        axes[2].barh(place, refused, left=late, color="#444444", label="refused")
        _values(axes[2], np.add(late, refused), "{:,.0f}")
        free = (0.6, 1 - (POLICIES.index("deadline") + 0.95) / (len(POLICIES) + 0.9))  # a short bar
        axes[2].legend(frameon=False, fontsize=8, ncols=2, loc="center", bbox_to_anchor=free)
        axes[2].set_title(f"Late or refused, of {of.with_deadline:,}")
        _bars(axes[3], [rows[p]["GPUs at work %"] for p in POLICIES], "{:.1f}", COLOURS["it_kw"])
        axes[3].set_title("GPUs at work, %")
        for axis, name, colour in (
            (axes[4], "g CO2e a GPU-h", COLOURS["grid_kgco2e_per_kwh"]),
            (axes[5], "CNY a GPU-h", COLOURS["electrical_loss_kw"]),
        ):
            above = above_fifo(rows, name)
            axis.barh(place, [above[p] for p in POLICIES], color=colour)
            for at, policy in enumerate(POLICIES[1:], 1):
                right = above[policy] > -0.005
                axis.annotate(
                    f"{above[policy]:+.2f}".replace("-", "\u2212"), (above[policy], at), (3 if right else -3, 0),
                    textcoords="offset points", ha="left" if right else "right", va="center", fontsize=8,
                )  # fmt: skip
            axis.axvline(0, color="#555555", linewidth=0.8)
            axis.set_xlim(-2, 2)
        axes[4].set_title("CO\u2082e a GPU-hour, % above FIFO")
        axes[5].set_title("Cost a GPU-hour, % above FIFO")
        for axis in axes:
            axis.grid(visible=True, axis="x")
            axis.grid(visible=False, axis="y")
            axis.tick_params(left=False)
        axes[0].set_yticks(place, [name.replace("_", " ") for name in POLICIES])
        axes[0].invert_yaxis()
    return Chart("policies", title, title, title, figure, pd.DataFrame(rows).T)


def _waits(axis: Axes, rows: Rows) -> None:
    """Mean, 95th percentile and longest wait of each policy on one line, logarithmic."""
    place = np.arange(len(POLICIES))
    looks = (
        ("mean wait h", "mean", "o", True),
        ("p95 h", "95 %", "s", False),
        ("max h", "longest", "|", False),
    )
    values = {name: [rows[p][name] for p in POLICIES] for name, *_ in looks}
    axis.hlines(place, values["mean wait h"], values["max h"], color="#bbbbbb", linewidth=1.5)
    for name, label, marker, filled in looks:
        axis.plot(
            values[name], place, marker, color=COLOURS["it_kw"], markersize=6,
            markerfacecolor=COLOURS["it_kw"] if filled else "white", clip_on=False,
        )  # fmt: skip
        axis.annotate(
            label,
            (values[name][0], 0),
            (0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
        )
    axis.set_xscale("log")
    axis.set_xlim(0.5, 72)
    axis.set_xticks([1, 4, 24, 72], ["1", "4", "24", "72"])
    axis.set_xticks([], minor=True)
    axis.set_title("Waiting, hours (log)")


def _bars(axis: Axes, values: list[float], text: str, colour: str) -> None:
    axis.barh(np.arange(len(values)), values, color=colour)
    _values(axis, np.array(values), text)


def _values(axis: Axes, ends: np.ndarray, text: str) -> None:
    """Numbers at the ends of bars, and room for them."""
    axis.set_xlim(0, 1.25 * ends.max())
    for at, end in enumerate(ends):
        axis.annotate(
            text.format(end), (end, at), (3, 0), textcoords="offset points", va="center", fontsize=8
        )


def main() -> None:
    """Writes the page and its chart."""
    rows, of = {case: row(run(case)) for case in CASES}, facts()
    PAGE.write_text(page(rows, of), encoding="utf-8", newline="\n")
    CHART.write_bytes(chart(rows, of).png())
    print(PAGE)


if __name__ == "__main__":
    main()
