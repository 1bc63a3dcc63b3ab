"""Recorded traces as job tables: Helios, Acme, Philly, Alibaba, SWF."""

from aidc.workload.traces.read import FORMATS, read_trace, trace_files
from aidc.workload.traces.rows import ReadReport
from aidc.workload.traces.swf import write_swf

__all__ = ["FORMATS", "ReadReport", "read_trace", "trace_files", "write_swf"]
