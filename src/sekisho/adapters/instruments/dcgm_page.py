"""A dcgm-exporter's page as an instrument: from a file that something writes, or from a URL on loopback."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from sekisho.adapters.instruments.figures import read_end, round_figure, written_at
from sekisho.adapters.telemetry.columns import Unusable
from sekisho.adapters.telemetry.exposition_lines import BadLine, parse_reading, parse_series
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper, dcgm_meanings
from sekisho.adapters.transport.bounded_body import ACCEPTED, read_body
from sekisho.adapters.transport.whole_time import TimedTransport, within
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.instruments import Quantity, Shown

__all__ = ["DcgmPage", "parse_dcgm_page"]

MAX_PAGE: Final = 4 << 20
MAX_LINES: Final = 50_000
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
# Field of the telemetry's table -> quantity, and what its base unit is multiplied by: shares become percent.
_WANTED: Final[dict[str, tuple[Quantity, int]]] = {
    "util_ppm": ("gpu-util", 100),
    "sm_active_ppm": ("sm-active", 100),
    "tensor_ppm": ("tensor-active", 100),
    "power_mw": ("power", 1),
}


class DcgmPage:
    """Implements ports.Instrument over `file`, or over `url`, which must be on this machine."""

    def __init__(
        self,
        *,
        file: Path | None = None,
        url: str | None = None,
        version: str = "",
        timeout_s: float = 5.0,
    ) -> None:
        self._file, self._url, self._timeout_s = file, url, timeout_s
        self._mapper_version = version
        if url is not None and _is_elsewhere(url):
            raise InvalidInput(
                f"{url} is not on this machine",
                path="url",
                remedy="name http://127.0.0.1:PORT/metrics: the page is not signed on its way",
            )
        self._client = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            timeout=timeout_s,
            headers=ACCEPTED,
            transport=TimedTransport(),
        )

    def read(self, since: Instant) -> tuple[Shown, ...]:
        del since
        if self._file is not None:
            body, whole = read_end(self._file, limit=MAX_PAGE)
            if not whole:
                raise InvalidInput(f"is longer than {MAX_PAGE} bytes", path=str(self._file))
            measured = written_at(self._file)
            return parse_dcgm_page(
                body, measured=measured, version=self._mapper_version, path=str(self._file)
            )
        url = self._url or ""
        return parse_dcgm_page(
            self._fetch(url), measured=None, version=self._mapper_version, path=url
        )

    def close(self) -> None:
        self._client.close()

    def _fetch(self, url: str) -> bytes:
        try:
            with within(self._timeout_s), self._client.stream("GET", url) as response:
                body = read_body(response, MAX_PAGE, within_s=self._timeout_s, path=url)
        except httpx.HTTPError as error:
            raise Unavailable(f"{url} does not answer: {error}") from None
        if response.status_code != httpx.codes.OK:
            raise Unavailable(f"{url} answered {response.status_code}")
        return body


def parse_dcgm_page(
    body: bytes, *, measured: Instant | None, version: str, path: str
) -> tuple[Shown, ...]:
    """The figures of a page that speak of work, each with the page's own time where it gives one.

    Raises InvalidInput for a line that cannot be read, or a page on which no figure speaks of work.
    """
    lines = body.split(b"\n")
    if len(lines) > MAX_LINES:
        raise InvalidInput(f"has more than {MAX_LINES} lines", path=path)
    page = _Page(version, measured)
    found: list[Shown] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith(b"#"):
            found += page.take(text, f"{path}, line {number}")
    if not found:
        raise InvalidInput("shows no figure that speaks of work", path=path)
    return tuple(found)


class _Page:
    """Names, units and labels by the table that telemetry reads by, too."""

    def __init__(self, version: str, measured: Instant | None) -> None:
        self._find = dcgm_mapper(site="observer", version=version)
        self._measured = measured

    def take(self, line: bytes, where: str) -> list[Shown]:
        try:
            series = parse_series(line)
            if not _speaks_of_work(series.name):
                return []
            reading = parse_reading(line[series.end :], is_openmetrics=False)
        except BadLine as error:
            raise InvalidInput(str(error), path=where) from None
        channel = self._find(series.name, series.labels)
        if channel is None:
            return []
        if isinstance(channel, Unusable):
            raise InvalidInput(channel.why, path=where)
        quantity, times = _WANTED[channel[0].field]
        value = round_figure(reading.value, path=where, factors=(channel[0].factor, times))
        at = self._measured if reading.at_us is None else Instant(reading.at_us)
        device = channel[1].device
        return [
            Shown(quantity=quantity, value=_capped(quantity, value), device=device, measured=at)
        ]


def _speaks_of_work(name: str) -> bool:
    return any(meaning.field in _WANTED for meaning in dcgm_meanings().get(name, ()))


def _capped(quantity: Quantity, value: Decimal) -> Decimal:
    """A share just above the whole is rounding of the exporter's; it is work all the same."""
    return min(value, Decimal(100)) if quantity != "power" else value


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme != "http" or parts.hostname not in _LOOPBACK
