"""A sheet as PDF with fpdf2: A4, one embedded font, page numbers; nothing in it runs, links or is fetched.

The creation date is the sheet's own instant and the file's id follows from its bytes, so that the same sheet gives the
same file. Colours only repeat what signs say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sekisho.adapters.paper.fonts import find_font
from sekisho.adapters.paper.lines import printable, wrapped
from sekisho.model.errors import Unavailable
from sekisho.model.sheets import Bars, Code, Heading, Sheet, Table, Text, Tone
from sekisho.model.wire import to_plain

try:
    from fpdf import FPDF
except ImportError as error:  # the extra `paper`
    raise Unavailable(
        f"the package {error.name} is not installed", remedy="pip install 'sekisho[paper]'"
    ) from None

__all__ = ["print_sheet"]

_MARGIN: Final = 18.0
_WIDTH: Final = 210.0 - 2 * _MARGIN
_BOTTOM: Final = 297.0 - 20.0
_BODY: Final = 9.5
_SIZES: Final[dict[Tone, float]] = {"small": 7.5, "strong": 11.0, "good": 11.0, "bad": 11.0}
_SIGNS: Final[dict[Tone, str]] = {"good": "○ ", "bad": "● ", "open": "△ "}
_INKS: Final[dict[Tone, tuple[int, int, int]]] = {
    "good": (0, 95, 60),
    "bad": (150, 25, 25),
    "open": (125, 80, 0),
}
_BLACK: Final = (20, 20, 20)
_RULE: Final = (170, 170, 170)
_LINE: Final = 0.47  # millimetres of line for each point of size
_PAD: Final = 1.2


def print_sheet(sheet: Sheet, font: Path | None = None) -> bytes:
    """The PDF of a sheet. Raises Unavailable where the system has no font for it."""
    place = font or find_font(_characters(sheet))
    printer = _Printer(sheet, place)
    for part in sheet.parts:
        printer.put(part)
    return printer.finish()


def _characters(sheet: Sheet) -> set[str]:
    return set(printable(_strings(to_plain(sheet)))) | set("".join(_SIGNS.values()) + "0123456789")


def _strings(value: object) -> str:
    if isinstance(value, dict):
        return "".join(_strings(item) for item in value.values())
    if isinstance(value, list | tuple):
        return "".join(_strings(item) for item in value)
    return value if isinstance(value, str) else ""


class _Printer:
    """One document on its way to paper; `y` moves down the page."""

    def __init__(self, sheet: Sheet, place: Path) -> None:
        self.sheet = sheet
        self.pdf = FPDF(orientation="portrait", unit="mm", format="A4")
        self.pdf.set_creation_date(sheet.created.to_datetime())
        self.pdf.set_title(printable(sheet.title))
        self.pdf.set_lang("ja-JP" if sheet.language == "ja" else "en-GB")
        self.pdf.set_creator("Sekisho")
        self.pdf.set_auto_page_break(auto=False)
        self.pdf.set_margin(_MARGIN)
        self.pdf.add_font("body", fname=place)
        self._open_page()
        self._text(sheet.title, 17.0)
        self._text(sheet.subtitle, _BODY)
        self._gap(2)

    def put(self, part: Heading | Text | Table | Bars | Code) -> None:
        """Lay one part below the last."""
        if isinstance(part, Heading):
            self._gap(3)
            self._need(18)
            self._text(part.text, 12.5)
            self._rule()
        elif isinstance(part, Text):
            sign = _SIGNS.get(part.tone, "")
            size = _SIZES.get(part.tone, _BODY)
            self._text(sign + part.text, size, _INKS.get(part.tone, _BLACK))
        elif isinstance(part, Table):
            self._table(part)
        elif isinstance(part, Bars):
            self._bars(part)
        else:
            self._code(part)

    def finish(self) -> bytes:
        """Every page's foot, then the file."""
        pages = self.pdf.pages_count
        for number in range(1, pages + 1):
            self.pdf.page = number
            foot = self.sheet.page.format(page=number, pages=pages)
            self._line(printable(foot), _MARGIN, 297.0 - 14.0, 8.0, _BLACK)
        return bytes(self.pdf.output())

    # --- lines ------------------------------------------------------------------------------------

    def _open_page(self) -> None:
        self.pdf.add_page()
        self.y = _MARGIN

    def _need(self, height: float) -> bool:
        """A new page where so much does not fit on this one any more."""
        if self.y + height <= _BOTTOM:
            return False
        self._open_page()
        return True

    def _gap(self, height: float) -> None:
        self.y += height

    def _rule(self) -> None:
        self.pdf.set_draw_color(*_RULE)
        self.pdf.line(_MARGIN, self.y, _MARGIN + _WIDTH, self.y)
        self._gap(1.5)

    def _wrapped(self, text: str, width: float, size: float) -> list[str]:
        self.pdf.set_font("body", size=size)
        return wrapped(printable(text), width, self.pdf.get_string_width)

    def _line(self, text: str, x: float, y: float, size: float, ink: tuple[int, int, int]) -> None:
        self.pdf.set_font("body", size=size)
        self.pdf.set_text_color(*ink)
        self.pdf.text(x, y + size * 0.35, text)

    def _text(self, text: str, size: float, ink: tuple[int, int, int] = _BLACK) -> None:
        for line in self._wrapped(text, _WIDTH, size):
            self._need(size * _LINE)
            self._line(line, _MARGIN, self.y, size, ink)
            self._gap(size * _LINE)
        self._gap(1)

    # --- tables -----------------------------------------------------------------------------------

    def _table(self, table: Table) -> None:
        total = sum(table.widths)
        widths = [_WIDTH * part / total for part in table.widths]
        self._row(table.head, widths, "plain", is_head=True)
        for number, row in enumerate(table.rows):
            tone: Tone = table.tones[number] if number < len(table.tones) else "plain"
            self._row(row, widths, tone, head=table.head)
        self._gap(1.5)

    def _row(
        self,
        cells: tuple[str, ...],
        widths: list[float],
        tone: Tone,
        *,
        head: tuple[str, ...] = (),
        is_head: bool = False,
    ) -> None:
        """A row is never parted unless it is higher than a page; after a new page its head stands again."""
        size = 8.0
        signed = (_SIGNS.get(tone, "") + cells[0], *cells[1:])
        columns = [
            self._wrapped(cell, width - 2 * _PAD, size)
            for cell, width in zip(signed, widths, strict=True)
        ]
        height = max(len(lines) for lines in columns) * size * _LINE + 2 * _PAD
        if self._need(min(height, _BOTTOM - _MARGIN - 20)) and head:
            self._row(head, widths, "plain", is_head=True)
        self._lines(columns, widths, size, _BLACK if is_head else _INKS.get(tone, _BLACK))
        self._rule_thin()

    def _lines(
        self,
        columns: list[list[str]],
        widths: list[float],
        size: float,
        ink: tuple[int, int, int],
    ) -> None:
        step = size * _LINE
        self._gap(_PAD)
        for number in range(max(len(lines) for lines in columns)):
            self._need(step)
            x = _MARGIN
            for column, (lines, width) in enumerate(zip(columns, widths, strict=True)):
                if number < len(lines):
                    colour = ink if column < 2 else _BLACK
                    self._line(lines[number], x + _PAD, self.y, size, colour)
                x += width
            self._gap(step)
        self._gap(_PAD * 0.6)

    def _rule_thin(self) -> None:
        self.pdf.set_draw_color(*_RULE)
        self.pdf.set_line_width(0.1)
        self.pdf.line(_MARGIN, self.y, _MARGIN + _WIDTH, self.y)
        self.pdf.set_line_width(0.2)

    # --- bars and codes ----------------------------------------------------------------------------

    def _bars(self, part: Bars) -> None:
        """Best as a bar, low to high as a line across it, with a tick at either end."""
        left, room = _MARGIN + 70, _WIDTH - 70 - 28
        for bar in part.bars:
            self._need(6)
            label = self._wrapped(bar.label, 66, 7.5)[0]
            self._line(label, _MARGIN, self.y, 7.5, _BLACK)
            self.pdf.set_fill_color(90, 110, 150)
            self.pdf.rect(left, self.y, max(room * bar.best / 1000, 0.3), 3.2, style="F")
            self.pdf.set_draw_color(*_BLACK)
            low, high = left + room * bar.low / 1000, left + room * bar.high / 1000
            self.pdf.line(low, self.y + 1.6, high, self.y + 1.6)
            for x in (low, high):
                self.pdf.line(x, self.y + 0.7, x, self.y + 2.5)
            self._line(bar.text, left + room + 2, self.y, 7.5, _BLACK)
            self._gap(4.6)
        self._gap(1)

    def _code(self, part: Code) -> None:
        """As a QR code where segno is at hand; what it says stands beside it either way."""
        side = 26.0
        rows = _modules(part.text)
        self._need(side + 4)
        top = self.y
        step = side / len(rows) if rows else 0
        self.pdf.set_fill_color(0, 0, 0)
        for y, row in enumerate(rows):
            for x, dark in enumerate(row):
                if dark:
                    self.pdf.rect(_MARGIN + x * step, top + y * step, step, step, style="F")
        shift = side + 4 if rows else 0.0
        for line in self._wrapped(f"{part.says}  {part.text}", _WIDTH - shift, 8.0):
            self._line(line, _MARGIN + shift, self.y, 8.0, _BLACK)
            self._gap(8.0 * _LINE)
        self.y = max(self.y, top + (side if rows else 0)) + 2


def _modules(text: str) -> list[list[bool]]:
    """The dark fields of the code, or none without segno."""
    try:
        import segno  # noqa: PLC0415  # the extra `server` has it; a sheet is whole without its code
    except ImportError:
        return []
    return [[bool(cell) for cell in row] for row in segno.make_qr(text, error="m").matrix]
