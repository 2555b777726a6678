"""The monitor: a process of its own that follows and copies a log which somebody else writes."""

from sekisho.monitor.memory import MonitorMemory
from sekisho.monitor.watch import Round, Vantage, Watch

__all__ = ["MonitorMemory", "Round", "Vantage", "Watch"]
