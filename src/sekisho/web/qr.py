"""A QR code as inline SVG: attributes only, since the pages' policy lets no style stand in the page."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

__all__ = ["qr_code"]

_MOST_BYTES: Final = 800
_SCALE: Final = 4


def qr_code(text: str, label: str) -> Markup | None:
    """The code of a text, dark on light in every colour scheme; None where it would be too dense to be read.

    `label` is what is read out instead; both texts may be a stranger's.
    """
    if not text or len(text.encode("utf-8", "replace")) > _MOST_BYTES:
        return None
    import segno  # noqa: PLC0415  # here, so that who looks at no passport does without it

    code = segno.make(text, error="m", micro=False, encoding="utf-8", eci=False)
    width, height = code.symbol_size(scale=_SCALE, border=4)
    drawn = code.svg_inline(
        scale=_SCALE,
        border=4,
        dark="#000",
        light="#fff",
        svgclass=None,
        lineclass=None,
        omitsize=True,
    )
    # `drawn` holds numbers and colours only: the text itself stands nowhere in it.
    head = Markup('<svg class="qr" width="{}" height="{}" role="img" aria-label="{}" ').format(
        width, height, label
    )
    return head + Markup(drawn.removeprefix("<svg "))  # noqa: S704  # segno's own drawing
