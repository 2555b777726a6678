"""The font that a sheet is set in: one that the system has and that holds every character, since it is embedded.

TrueType outlines only, at the places where Debian's packages put them; a sheet in English can do without Japanese.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sekisho.model.errors import Unavailable

try:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # it ships no types
except ImportError as error:  # the extra `paper`
    raise Unavailable(
        f"the package {error.name} is not installed", remedy="pip install 'sekisho[paper]'"
    ) from None

__all__ = ["FONT_PACKAGE", "FONT_PLACES", "find_font"]

FONT_PACKAGE: Final = "fonts-ipafont-gothic"
_SHARE: Final = Path("/usr/share/fonts")
# Japanese first: they hold Latin letters too, and a company's name may be in either.
FONT_PLACES: Final[tuple[Path, ...]] = tuple(
    _SHARE / place
    for place in (
        "opentype/ipafont-gothic/ipagp.ttf",
        "truetype/fonts-japanese-gothic.ttf",
        "opentype/ipaexfont-gothic/ipaexg.ttf",
        "truetype/takao-gothic/TakaoPGothic.ttf",
        "truetype/vlgothic/VL-PGothic-Regular.ttf",
        "truetype/droid/DroidSansFallbackFull.ttf",
        "truetype/dejavu/DejaVuSans.ttf",
    )
)


def find_font(characters: Iterable[str], places: Iterable[Path] = FONT_PLACES) -> Path:
    """The first font of the system that holds every one of the characters.

    Raises Unavailable naming the package that brings one: a sheet with holes in it is worse than none.
    """
    wanted = {ord(character) for character in characters if character not in " \n"}
    missing: set[int] = wanted
    for place in places:
        if not place.is_file():
            continue
        absent = wanted - _held_by(place)
        if not absent:
            return place
        missing = min(missing, absent, key=len)
    shown = " ".join(chr(code) for code in sorted(missing)[:5])
    raise Unavailable(
        f"no font of this system holds every character of the sheet ({shown})",
        remedy=f"on Debian: apt-get install {FONT_PACKAGE}",
    )


def _held_by(place: Path) -> set[int]:
    with TTFont(place, lazy=True) as font:
        return set(font.getBestCmap() or {})
