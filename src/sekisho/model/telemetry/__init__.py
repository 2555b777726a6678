"""What devices say about themselves and who had them: fields, readings, devices, allocations, usage."""

from sekisho.model.telemetry.allocation import Allocation
from sekisho.model.telemetry.device import DeviceSeen, SeenSpan
from sekisho.model.telemetry.fields import FIELDS, Field
from sekisho.model.telemetry.intake import Intake, Reason, Refusals
from sekisho.model.telemetry.usage import Usage

__all__ = [
    "FIELDS",
    "Allocation",
    "DeviceSeen",
    "Field",
    "Intake",
    "Reason",
    "Refusals",
    "SeenSpan",
    "Usage",
]
