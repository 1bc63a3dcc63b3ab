"""Which charts a study gets, in the order of the page."""

from aidc.reporting.charts import Chart
from aidc.reporting.charts.day_chart import day_chart
from aidc.reporting.charts.event_chart import event_chart, has_events
from aidc.reporting.charts.pathway_chart import pathway_chart
from aidc.reporting.charts.plan_charts import promise_chart
from aidc.reporting.charts.plant_charts import setpoint_chart, wetbulb_chart
from aidc.reporting.charts.sweep_chart import sweep_chart
from aidc.reporting.charts.time_charts import load_chart, pue_chart, shift_chart
from aidc.reporting.charts.total_charts import emissions_chart, split_chart
from aidc.reporting.numbers import ratio
from aidc.reporting.study import BASELINE, LOCATION_BOOK, SHIFTING_ONLY, Study
from aidc.units import KG_PER_T


def charts_of(study: Study, gases: str) -> tuple[Chart, ...]:
    """Every chart of a report; one that has nothing to draw says why.

    Args:
        study: what is reported.
        gases: what the tonnes hold, for the axis.
    """
    shown = study.optimized or study.baseline
    charts = [pue_chart(study), load_chart(shown)]
    if study.optimized is not None:
        factor = booked_kgco2e_per_kwh(study)
        moved = study.runs.get(SHIFTING_ONLY, study.optimized)
        charts.append(shift_chart(study.baseline, moved, factor))
    charts += [split_chart(study), emissions_chart(study, gases)]
    sites = list(study.baseline.scenario.sites)
    for site in sites:
        suffix = f"-{site}" if len(sites) > 1 else ""
        if study.optimized is not None:
            charts.append(day_chart(study.baseline, study.optimized, site, suffix))
        charts += [wetbulb_chart(study, site, suffix), setpoint_chart(study, site, suffix)]
    for site, sweep in study.sweeps.items():
        charts.append(sweep_chart(sweep, site, f"-{site}" if len(sites) > 1 else ""))
    if has_events(shown):
        charts += [event_chart(shown, site, f"-{site}" if len(sites) > 1 else "") for site in sites]
    if study.schedule is not None and study.optimized is not None:
        charts.append(promise_chart(study.schedule, study.optimized))
    if study.pathway is not None:
        charts.append(pathway_chart(study.pathway))
    return tuple(charts)


def booked_kgco2e_per_kwh(study: Study) -> float:
    """Location-based factor that the ledger booked in the baseline, one for every hour.

    Without a statement it is the mean intensity of the baseline's purchase.
    """
    import_kwh = study.baseline.kwh("grid_import_kw")
    booked = study.tonnes(BASELINE, LOCATION_BOOK)
    if booked is None:
        frame = study.baseline.frame
        kg = (frame["grid_import_kw"] * frame["grid_kgco2e_per_kwh"]).sum()
        return ratio(float(kg * study.baseline.step_h), import_kwh) or 0.0
    return ratio(booked * KG_PER_T, import_kwh) or 0.0
