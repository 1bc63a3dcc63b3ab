"""Charts: functions of frames that return a figure, a caption computed from its data, and the data."""

from aidc.reporting.charts.style import Chart

__all__ = ["Chart"]
