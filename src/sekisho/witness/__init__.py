"""The witness: a process of its own that remembers how far each log had grown, and says so under its key."""

from sekisho.witness.memory import WitnessMemory
from sekisho.witness.server import WitnessApp

__all__ = ["WitnessApp", "WitnessMemory"]
