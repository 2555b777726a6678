"""Where a deployment's telemetry lies, opened for the command line and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.adapters.telemetry.parquet_telemetry import ParquetTelemetry

__all__ = ["open_telemetry"]


def open_telemetry(place: str) -> ParquetTelemetry:
    """The telemetry kept in a folder or at s3://BUCKET/PREFIX; nothing is read yet.

    Raises InvalidInput where the address is none, or the extra `analytics` is not installed.
    """
    try:
        from sekisho.adapters.telemetry.parquet_telemetry import ParquetTelemetry
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"telemetry needs {error.name}, which is not installed",
            remedy="pip install 'sekisho[analytics]'",
        ) from None
    return ParquetTelemetry(place)
