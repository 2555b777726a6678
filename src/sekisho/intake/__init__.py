"""A log of its own that takes signed statements in from outside: gate, counter over HTTP, wiring."""

from sekisho.intake.gate import Gate, parse_gate
from sekisho.intake.server import IntakeApp

__all__ = ["Gate", "IntakeApp", "parse_gate"]
