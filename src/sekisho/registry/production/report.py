"""What a maker reports of one fab, one product and one period. A figure left out is not reported, and never nought."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Final, TypeAlias

import msgspec

from sekisho.model.amounts import parse_amount
from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Count, Name, Span, Text
from sekisho.model.wire import JsonValue, canonical, from_json, parse_json, sha256_hex

__all__ = [
    "Decimal",
    "Production",
    "Scrap",
    "parse_production",
    "parse_production_table",
]

Decimal: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?(?!\n)$")
]
"""A figure without a sign, as an exact decimal string."""
_MAX: Final = 16 * 1024 * 1024
_WHOLE: Final = (
    "wafers_started",
    "gross_dies_per_wafer",
    "good_dies",
    "registered",
    "hbm_opening",
    "hbm_received",
    "hbm_scrapped",
    "hbm_closing",
    "packages",
    "stacks_per_package",
    "euv_layers",
)
_DECIMALS: Final = ("die_area_mm2", "wafer_mm", "yield_share", "euv_hours", "euv_wafers_per_hour")


class Scrap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A certificate that so many good dies were destroyed. Its number counts once, in whatever report and fab."""

    certificate: Name
    issuer: Name
    dies: Count


class Production(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report. Dies, stacks and packages are counts; areas are mm2, wafers' diameters mm; `yield_share` is 0 to 1.

    `registered` are dies that the register was told of; `stacks_per_package` and `euv_layers` belong to the product,
    `euv_wafers_per_hour` is what one exposure tool passes at most, one layer at a time.
    """

    party: Name
    fab: Name
    product: Name
    period: Span
    wafers_started: Count | None = None
    wafer_mm: Decimal | None = None
    die_area_mm2: Decimal | None = None
    gross_dies_per_wafer: Count | None = None
    yield_share: Decimal | None = None
    good_dies: Count | None = None
    registered: Count | None = None
    scrap: Annotated[tuple[Scrap, ...], msgspec.Meta(max_length=100_000)] | None = None
    hbm_opening: Count | None = None
    hbm_received: Count | None = None
    hbm_scrapped: Count | None = None
    hbm_closing: Count | None = None
    packages: Count | None = None
    stacks_per_package: Count | None = None
    euv_hours: Decimal | None = None
    euv_wafers_per_hour: Decimal | None = None
    euv_layers: Count | None = None
    note: Text = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical report; salted before it enters the log."""
        return sha256_hex(canonical(self))


def parse_production(data: bytes, *, path: str = "") -> tuple[Production, ...]:
    """Read one report or a list of them from JSON. Raises InvalidInput with the field's path."""
    plain = parse_json(data, path=path, limit=_MAX)
    rows = plain if isinstance(plain, list) else [plain]
    return tuple(
        _check(from_json(Production, row, path=_at(path, place, plain)), _at(path, place, plain))
        for place, row in enumerate(rows)
    )


def parse_production_table(data: bytes, *, path: str = "") -> tuple[Production, ...]:
    """Read reports from CSV, UTF-8 with or without BOM: columns as the fields, `start` and `end` for the period.

    An empty cell is a figure that is not reported. `scrap` lists `certificate:issuer:dies` with blanks between, `none`
    says that nothing was scrapped. Raises InvalidInput that names the line.
    """
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        found = []
        for row in reader:
            where = f"{path}: line {reader.line_num}"
            found.append(_check(from_json(Production, _plain(row, where), path=where), where))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"byte {error.start} is not UTF-8", path=path) from None
    except csv.Error as error:
        raise InvalidInput(f"line {reader.line_num}: {error}", path=path) from None
    return tuple(found)


def _plain(row: dict[str | None, str | None], where: str) -> dict[str, JsonValue]:
    if None in row or None in row.values():
        raise InvalidInput("has another number of cells than line 1", path=where)
    cells = {str(name).strip(): (value or "").strip() for name, value in row.items()}
    plain: dict[str, JsonValue] = {
        "period": {"start": cells.pop("start", ""), "end": cells.pop("end", "")}
    }
    for name, value in cells.items():
        if name == "scrap":
            if value:
                plain[name] = _scraps(value, where)
        elif value:
            plain[name] = _whole(value, f"{where}: {name}") if name in _WHOLE else value
    return plain


def _whole(text: str, path: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise InvalidInput(f"{text[:40]!r} is not a whole number", path=path)
    return int(text)


def _scraps(text: str, where: str) -> list[JsonValue]:
    if text == "none":
        return []
    found: list[JsonValue] = []
    for part in text.split():
        pieces = part.rsplit(":", 2)
        if len(pieces) != 3:
            raise InvalidInput(
                f"{part[:60]!r} is no certificate",
                path=f"{where}: scrap",
                remedy="write certificate:issuer:dies, or none",
            )
        dies = _whole(pieces[2], f"{where}: scrap")
        found.append({"certificate": pieces[0], "issuer": pieces[1], "dies": dies})
    return found


def _check(report: Production, path: str) -> Production:
    if report.period.end <= report.period.start:
        raise InvalidInput("ends before it starts", path=f"{path}: period")
    share = report.yield_share
    if share is not None and parse_amount(share) > 1:
        raise InvalidInput("is a share of 0 to 1", path=f"{path}: yield_share")
    return report


def _at(path: str, place: int, plain: object) -> str:
    return f"{path}[{place}]" if isinstance(plain, list) else path
