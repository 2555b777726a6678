"""Generated workloads with known truth: readings from a performance model, operations counted from what was asked."""

from sekisho.metering.workloads.families import START_US, Family, families, generate
from sekisho.metering.workloads.trace import Kind, Trace, usage_of

__all__ = ["START_US", "Family", "Kind", "Trace", "families", "generate", "usage_of"]
