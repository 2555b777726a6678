"""One page of numbered QR codes, as SVG or HTML by the file's name; it needs segno, which the extra `server` has."""

from __future__ import annotations

from html import escape
from typing import Any

from sekisho.model.errors import InvalidInput, Unavailable

__all__ = ["draw_page"]

SCALE, BORDER, COLUMNS, GAP, CAPTION = 4, 4, 2, 24, 28


def draw_page(parts: tuple[str, ...], name: str, out: str) -> bytes:
    """The page of these parts. Raises InvalidInput for another ending than .svg or .html, Unavailable without segno."""
    codes = [_code(part) for part in parts]
    if out.endswith(".svg"):
        return _svg(codes, name).encode()
    if out.endswith((".html", ".htm")):
        return _html(codes, name, parts).encode()
    raise InvalidInput("is neither .svg nor .html", path="--out", remedy="name the page page.svg")


def _code(text: str) -> Any:
    """One code (Any: segno has no types); every character of a part is in the alphanumeric mode."""
    try:
        import segno
    except ImportError:
        raise Unavailable(
            "segno is not installed", remedy="pip install 'sekisho[server]', or carry the file"
        ) from None
    return segno.make(text, error="m", micro=False, mode="alphanumeric")


def _drawn(code: Any, place: str = "") -> str:
    drawn = code.svg_inline(scale=SCALE, border=BORDER, dark="#000", light="#fff")
    return str(drawn).replace("<svg ", f"<svg {place}", 1)


def _svg(codes: list[Any], name: str) -> str:
    """All codes in a grid of two columns, each with its number below."""
    side = max(code.symbol_size(scale=SCALE, border=BORDER)[0] for code in codes)
    rows = -(-len(codes) // COLUMNS)
    width, height = COLUMNS * (side + GAP), rows * (side + GAP + CAPTION)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, code in enumerate(codes):
        x, y = number % COLUMNS * (side + GAP), number // COLUMNS * (side + GAP + CAPTION)
        drawn.append(_drawn(code, f'x="{x}" y="{y}" '))
        caption = f"{name} {number + 1}/{len(codes)}"
        drawn.append(
            f'<text x="{x + BORDER * SCALE}" y="{y + side + CAPTION // 2}" '
            f'font-family="monospace" font-size="14">{escape(caption)}</text>'
        )
    return "\n".join([*drawn, "</svg>", ""])


def _html(codes: list[Any], name: str, parts: tuple[str, ...]) -> str:
    """One figure a code; no code is parted by the end of a sheet."""
    digest = parts[0].split(":")[3].lower()
    title = escape(name)
    figures = [
        f"<figure>{_drawn(code)}<figcaption>{title} {number}/{len(codes)}</figcaption></figure>"
        for number, code in enumerate(codes, 1)
    ]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            f"<title>{title}</title>",
            "<style>body{font-family:monospace}figure{display:inline-block;break-inside:avoid}</style>",
            f"<p>{title}, sha256 {digest}</p>",
            *figures,
            "</html>",
            "",
        ]
    )
