"""What stands in a PDF of ours, read without its writer: fonts, page sizes, and the text through ToUnicode."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]  # it ships no types
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # it ships no types

from sekisho.model.sheets import Sheet
from sekisho.model.wire import to_plain

__all__ = ["box_font", "streams_of", "text_of"]

_STREAM = re.compile(rb"stream\n(.*?)\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:\\.|[^\\()])*)\) ?Tj", re.DOTALL)
_CHARS = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>\n")


def box_font(folder: Path, sheet: Sheet) -> Path:
    """A font of boxes with every character that the sheet holds: for machines without a Japanese font."""
    characters = sorted(set(_strings(to_plain(sheet))) | set(map(chr, range(32, 127))) | set("○●△"))
    codes = {ord(c): f"u{ord(c):05x}" for c in characters if c.isprintable()}
    names = [".notdef", *codes.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(codes)
    pen = TTGlyphPen(None)
    for step, point in enumerate(((50, 0), (50, 700), (450, 700), (450, 0))):
        (pen.lineTo if step else pen.moveTo)(point)
    pen.closePath()
    box = pen.glyph()
    builder.setupGlyf(dict.fromkeys(names, box))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (500, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Box", "styleName": "Regular", "psName": "Box"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    place = folder / "box.ttf"
    builder.save(place)
    return place


def text_of(data: bytes) -> str:
    """The shown text in order, without the spaces that lines and cells put in."""
    streams = streams_of(data)
    codes = _codes(next(one for one in streams if b"beginbfchar" in one or b"beginbfrange" in one))
    shown = [
        "".join(codes.get(unit, "") for unit in _units(match))
        for one in streams
        for match in _SHOWN.findall(one)
    ]
    return "".join(shown).replace(" ", "").replace("　", "")


def streams_of(data: bytes) -> list[bytes]:
    """Every stream, inflated where it is deflated."""
    found = []
    for raw in _STREAM.findall(data):
        try:
            found.append(zlib.decompress(raw))
        except zlib.error:
            found.append(raw)
    return found


def _codes(cmap: bytes) -> dict[int, str]:
    return {
        int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be")
        for code, text in _CHARS.findall(cmap)
    }


def _units(raw: bytes) -> list[int]:
    plain = re.sub(rb"\\([\\()])", rb"\1", raw.replace(b"\\r", b"\r").replace(b"\\n", b"\n"))
    return [int.from_bytes(plain[i : i + 2], "big") for i in range(0, len(plain), 2)]


def _strings(value: object) -> str:
    if isinstance(value, dict):
        return "".join(_strings(item) for item in value.values())
    if isinstance(value, list | tuple):
        return "".join(_strings(item) for item in value)
    return value if isinstance(value, str) else ""
