"""What a report is made of: runs, plan, prices, ledger statements, pathway, assumptions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from aidc.errors import InputError
from aidc.ledger.pathway.projection import Pathway
from aidc.ledger.statements.statement import Statement
from aidc.reporting.assumptions import AssumptionVerdict
from aidc.schedule import Schedule
from aidc.trace import Trace

BASELINE: Final = "baseline"
OPTIMIZED: Final = "optimized"
SETPOINTS_ONLY: Final = "setpoints_only"
SHIFTING_ONLY: Final = "shifting_only"
TRIM_AND_RESPOND: Final = "trim_and_respond"
VARIANTS: Final = {
    BASELINE: "baseline",
    OPTIMIZED: "optimised",
    SETPOINTS_ONLY: "set-points only",
    SHIFTING_ONLY: "job shifting only",
    TRIM_AND_RESPOND: "trim-and-respond set-points",
}
LOCATION_BOOK: Final = "S2-LB"
MARKET_BOOK: Final = "S2-MB-2015"


@dataclass(frozen=True, slots=True)
class Prices:
    """What a site pays beside energy.

    Attributes:
        demand_cny_per_kw_month: on the highest mean import of a step in the month.
        water_cny_per_m3: on the water taken in.
    """

    demand_cny_per_kw_month: float
    water_cny_per_m3: float


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that one report tells of.

    Attributes:
        runs: by variant; ``baseline`` always, the other `VARIANTS` where they were run.
        schedule: the plan; None where there is none.
        prices: by site.
        statements: of the ledger, by variant and book.
        pathway: None where the scenario has none.
        pathway_reason: why there is none.
        assumptions: verdicts at the ends of what is assumed.
        sweeps: site -> the baseline at one set-point after the other.
        fault: why there is no plan; empty where there is one.

    Raises:
        InputError: no baseline, or a site without prices.
    """

    runs: Mapping[str, Trace]
    schedule: Schedule | None
    prices: Mapping[str, Prices]
    statements: Mapping[str, Mapping[str, Statement]] = field(default_factory=dict)
    pathway: Pathway | None = None
    pathway_reason: str = "the scenario has no pathway block"
    assumptions: Sequence[AssumptionVerdict] = ()
    sweeps: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    fault: str = ""

    def __post_init__(self) -> None:
        if BASELINE not in self.runs:
            raise InputError(f"a report needs the run '{BASELINE}'; it has {', '.join(self.runs)}")
        if strange := [name for name in self.runs if name not in VARIANTS]:
            raise InputError(
                f"a report does not know the runs {', '.join(strange)}; "
                f"it knows {', '.join(VARIANTS)}"
            )
        if missing := [name for name in self.baseline.scenario.sites if name not in self.prices]:
            raise InputError(f"prices of {', '.join(missing)} are missing")

    @property
    def baseline(self) -> Trace:
        """The run that everything is compared with."""
        return self.runs[BASELINE]

    @property
    def optimized(self) -> Trace | None:
        """The replayed plan."""
        return self.runs.get(OPTIMIZED)

    @property
    def full_years(self) -> bool:
        """Whether the runs cover twelve months or more."""
        scenario = self.baseline.scenario
        return scenario.horizon(next(iter(scenario.sites))).full_years

    def tonnes(self, variant: str, book: str) -> float | None:
        """Tonnes of a variant in a book; None where no statement assessed them."""
        return tonnes(self.statements.get(variant, {}).get(book))


def tonnes(statement: Statement | None) -> float | None:
    """Total of a statement [t]; None where there is none, or where it assessed nothing."""
    return float(statement.total_tco2e) if statement and statement.assessed else None
