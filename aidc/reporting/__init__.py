"""Reports: figures as JSON, charts, tables and one self-contained page.

``build(Study(...)).save(folder)`` is all of it; the runs, the plan, the ledger's statements and the
pathway go in as they are.
"""

from aidc.reporting.assumptions import AssumptionVerdict
from aidc.reporting.report import Report, build
from aidc.reporting.side_by_side import difference_table, run_table, save_index
from aidc.reporting.study import Prices, Study
from aidc.reporting.summary import summarise
from aidc.reporting.tables import windows

__all__ = [
    "AssumptionVerdict",
    "Prices",
    "Report",
    "Study",
    "build",
    "difference_table",
    "run_table",
    "save_index",
    "summarise",
    "windows",
]
