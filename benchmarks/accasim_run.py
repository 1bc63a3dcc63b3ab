"""A workload through AccaSim: ``python accasim_run.py day.swf system.json result.json``.

Run by an interpreter that has AccaSim and need not have ours, so nothing of aidc is imported here.
FIFO without backfill, first fit, and none of its output files: the least that AccaSim does.
"""

import collections
import collections.abc
import json
import sys
import time
from pathlib import Path

# AccaSim 1.1.3 imports a name from where Python had it until 3.9.
collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]

from accasim.base.additional_data import AdditionalData  # noqa: E402
from accasim.base.allocator_class import FirstFit  # noqa: E402
from accasim.base.scheduler_class import FirstInFirstOut  # noqa: E402
from accasim.base.simulator_class import Simulator  # noqa: E402


class Ends(AdditionalData):  # type: ignore[misc]
    """Keeps (job, start, end) of every job that ends."""

    def __init__(self, event_manager: object = None) -> None:
        super().__init__(event_manager)
        self.rows: list[tuple[int, int, int]] = []

    def exec_after_completion(self, removed_jobs: list) -> None:  # type: ignore[type-arg]
        self.rows += [(int(job.id), job.start_time, job.end_time) for job in removed_jobs]

    def exec_before_dispatching(self, job_dict: object, queued_jobs: object) -> None: ...

    def exec_after_dispatching(self, job_dict: object, dispatched: object, out: object) -> None: ...

    def exec_before_submission(self, jobs: object) -> None: ...

    def exec_after_submission(self) -> None: ...

    def exec_before_completion(self) -> None: ...

    def stop(self) -> None: ...


def main(swf: str, system: str, result: str) -> None:
    began = time.process_time()
    simulator = Simulator(
        swf,
        system,
        FirstInFirstOut(FirstFit()),
        additional_data=[Ends],  # an instance would meet an assertion of AccaSim
        scheduling_output=False,
        statistics_output=False,
        show_statistics=False,
        RESULTS_FOLDER_PATH=str(Path(result).parent),
    )
    simulator.start_simulation()
    cpu_s = time.process_time() - began
    rows = sorted(simulator.mapper.additional_data[0].rows)
    found = {
        "cpu_s": cpu_s,
        "status": Path("/proc/self/status").read_text(encoding="ascii"),
        "start_s": [start for _, start, _ in rows],
        "end_s": [end for _, _, end in rows],
    }
    Path(result).write_text(json.dumps(found), encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
