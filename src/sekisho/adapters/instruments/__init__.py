"""Readers of instruments beside the process table; each implements ports.Instrument and states what it was shown."""
