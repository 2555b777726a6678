"""Usage: accounts summed from telemetry, roll-ups stated in the log, and both checked again."""
