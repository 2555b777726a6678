"""Telemetry as it comes and as it lies: parsers, cleaning, Parquet, engines. Needs the extra `analytics`."""
