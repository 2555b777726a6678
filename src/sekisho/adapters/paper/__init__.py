"""Sheets printed as PDF: A4, fonts embedded, the same sheet the same bytes."""

from sekisho.adapters.paper.fonts import FONT_PACKAGE, find_font
from sekisho.adapters.paper.printing import print_sheet

__all__ = ["FONT_PACKAGE", "find_font", "print_sheet"]
