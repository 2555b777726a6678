"""The few shapes that our charts are made of, as SVG text: no scripts, nothing fetched, every foreign name escaped.

Colours stand as attributes, so that a page whose policy lets no style in still shows them on a light ground; the style
element turns them for a dark one. What a colour says, a pattern, a place or a word says too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

__all__ = [
    "INK",
    "MUTED",
    "Anchor",
    "Fill",
    "box",
    "clipped",
    "escape",
    "line",
    "picture",
    "rule_line",
    "text",
]

Fill: TypeAlias = Literal["caught", "freed", "unsure", "plain", "ground"]
Anchor: TypeAlias = Literal["start", "middle", "end"]
INK: Final = "#1b1f24"
MUTED: Final = "#57606a"
_GRID: Final = "#d0d7de"
# Okabe and Ito's vermilion and blue, and a purple for what is not known: told apart by colour-blind eyes, and no green.
_LIGHT: Final = {
    "caught": "#c2520c",
    "freed": "#0072b2",
    "unsure": "#8f5a9e",
    "plain": "#8c959f",
    "ground": "#eef1f4",
}
_DARK: Final = {
    "caught": "#f0883e",
    "freed": "#58a6ff",
    "unsure": "#d2a8ff",
    "plain": "#9198a1",
    "ground": "#21262d",
}
_PATTERNED: Final = ("freed", "unsure")


def escape(content: str) -> str:
    """Text for XML: marks escaped, control and direction characters replaced, since they could hide or turn words."""
    shown = "".join(c if _is_shown(c) else "\ufffd" for c in content)
    for mark, name in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#39;"),
    ):
        shown = shown.replace(mark, name)
    return shown


def _is_shown(c: str) -> bool:
    return c.isprintable() or c == "　" or unicodedata.category(c) == "Zs"


def clipped(content: str, most: int) -> str:
    """At most so many characters, the rest as three dots."""
    return content if len(content) <= most else content[: most - 1] + "…"


def picture(
    name: str, size: tuple[int, int], title: str, description: str, shapes: Iterable[str]
) -> str:
    """A whole SVG document; `name` keeps the ids of several charts on one page apart."""
    width, height = size
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'font-family="system-ui, sans-serif" font-size="13">\n'
        f'<title id="{name}-title">{escape(title)}</title>\n'
        f'<desc id="{name}-desc">{escape(description)}</desc>\n'
        f"{_style()}\n<defs>{_patterns(name)}</defs>\n"
        f'<rect class="wi-paper" width="{width}" height="{height}" fill="#ffffff"/>\n'
        f"{body}\n</svg>\n"
    )


def box(name: str, fill: Fill, place: tuple[float, float, float, float], opacity: float = 1) -> str:
    """A rectangle (x, y, width, height) in a colour and its pattern; `name` is the chart's."""
    x, y, width, height = (_number(value) for value in place)
    shade = f' fill-opacity="{_number(opacity)}"' if opacity < 1 else ""
    at = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    shapes = f'<rect class="wi-{fill}" {at} fill="{_LIGHT[fill]}"{shade}/>'
    if fill in _PATTERNED:
        shapes += f'<rect {at} fill="url(#{name}-{fill})"/>'
    return shapes


def text(
    content: str,
    at: tuple[float, float],
    *,
    anchor: Anchor = "start",
    bold: bool = False,
    muted: bool = False,
) -> str:
    """One line of words, foreign or ours."""
    weight = ' font-weight="600"' if bold else ""
    tone, colour = ("wi-muted", MUTED) if muted else ("wi-ink", INK)
    return (
        f'<text class="{tone}" x="{_number(at[0])}" y="{_number(at[1])}" text-anchor="{anchor}" '
        f'fill="{colour}"{weight}>{escape(content)}</text>'
    )


def line(start: tuple[float, float], end: tuple[float, float]) -> str:
    """An axis."""
    return _line(start, end, "wi-grid", _GRID, "1")


def rule_line(start: tuple[float, float], end: tuple[float, float]) -> str:
    """The line that a rule draws."""
    return _line(start, end, "wi-rule", INK, "2")


def _line(
    start: tuple[float, float], end: tuple[float, float], tone: str, colour: str, width: str
) -> str:
    x1, y1, x2, y2 = (_number(value) for value in (*start, *end))
    return (
        f'<line class="{tone}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" '
        f'stroke="{colour}" stroke-width="{width}"/>'
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _patterns(name: str) -> str:
    return (
        f'<pattern id="{name}-freed" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="2" height="6" fill="#ffffff" fill-opacity="0.55"/>'
        f'</pattern><pattern id="{name}-unsure" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<circle cx="3" cy="3" r="1.5" fill="#ffffff" fill-opacity="0.8"/></pattern>'
    )


def _style() -> str:
    tones = {"paper": "#0d1117", "ink": "#e6edf3", "muted": "#9198a1", **_DARK}
    fills = "".join(f".wi-{name}{{fill:{colour}}}" for name, colour in tones.items())
    strokes = ".wi-grid{stroke:#3d444d}.wi-rule{stroke:#e6edf3}"
    return f"<style>@media (prefers-color-scheme:dark){{{fills}{strokes}}}</style>"
