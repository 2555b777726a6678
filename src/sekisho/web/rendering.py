"""From values to HTML: the templates, the choice of language, and how instants, amounts and digests are written.

Amounts bear their unit, instants are UTC with Asia/Tokyo beside, nothing is loaded from elsewhere.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sekisho.catalogue import Language, say
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant

__all__ = ["Asset", "PageRequest", "Renderer", "choose_language", "say_flop", "say_span"]

_HERE: Final = Path(__file__).parent
# Japan has kept UTC+9 without summer time since 1951, so no zone table is needed.
_TOKYO: Final = timezone(timedelta(hours=9), "Asia/Tokyo")
_CONTENT_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_LANGUAGES: Final[dict[str | None, Language]] = {"en": "en", "ja": "ja"}
ASSETS: Final = ("console.css", "console.js", "favicon.svg", "vendor/htmx.min.js")


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file that pages load, with the digest that its address carries."""

    content: bytes
    content_type: str
    digest: str


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a page's frame needs to know: language, address, and whether only its live part is asked for."""

    language: Language
    path: str
    query: str = ""
    is_fragment: bool = False


class Renderer:
    """Templates and assets, read once."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.assets = {
            name: _load_asset(name) for name in ASSETS if (_HERE / "static" / name).exists()
        }
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            when=say_when,
            clock=say_clock,
            flop=say_flop,
            hexes=say_digest,
            part=lambda name: str(name).replace("/", "~"),
        )
        self._environment.globals.update(
            asset=self._address, instant=Instant.from_seconds, flop_per_s=_say_peak
        )

    def render(self, template: str, request: PageRequest, **values: Any) -> str:
        """The page of `template`, or its live part alone. Raises KeyError for words missing in the catalogue."""

        def t(key: str, **words: object) -> str:
            return say(f"web.{key}", request.language, **words)

        def span(seconds: float) -> str:
            return say_span(seconds, request.language)

        frame = "fragment.html" if request.is_fragment else "base.html"
        return self._environment.get_template(template).render(
            t=t, span=span, request=request, frame=frame, **values
        )

    def _address(self, name: str) -> str:
        """Where an asset is served; empty where it was not fetched at set-up."""
        found = self.assets.get(name)
        return f"/static/{name}?v={found.digest}" if found else ""


def choose_language(
    query: str | None, cookie: str | None, accept: str, default: Language
) -> Language:
    """The language asked for by address, else remembered, else the browser's first that we have, else the server's."""
    for wish in (query, cookie):
        if wish in _LANGUAGES:
            return _LANGUAGES[wish]
    weighed = [_parse_wish(part) for part in accept.split(",")[:20]]
    for tag, weight in sorted(weighed, key=lambda wish: -wish[1]):
        if weight > 0 and tag[:2] in _LANGUAGES:
            return _LANGUAGES[tag[:2]]
    return default


def say_flop(flop: int) -> Markup:
    """Three significant digits with the power of ten, as 1.25 x 10^21 FLOP; below 10,000 in full."""
    if flop < 10_000:
        return Markup("{} FLOP").format(flop)
    exponent = len(str(flop)) - 1
    mantissa = (flop * 1000 // 10**exponent + 5) // 10
    if mantissa >= 1000:
        mantissa, exponent = mantissa // 10, exponent + 1
    return Markup('<span title="{} FLOP">{}.{:02d}\u202f×\u202f10<sup>{}</sup> FLOP</span>').format(
        flop, mantissa // 100, mantissa % 100, exponent
    )


def say_when(at: Instant) -> Markup:
    """Date and time to the second in UTC, and in Asia/Tokyo beside it."""
    moment = at.to_datetime().astimezone(UTC)
    tokyo = moment.astimezone(_TOKYO)
    return Markup(
        '<time datetime="{}">{:%Y-%m-%d %H:%M:%S} UTC</time> <span class="tokyo">{:%H:%M:%S} Asia/Tokyo</span>'
    ).format(str(at), moment, tokyo)


def say_clock(at: Instant) -> Markup:
    """The time of day alone, in both zones; the whole instant in its title."""
    moment = at.to_datetime().astimezone(UTC)
    tokyo = moment.astimezone(_TOKYO)
    return Markup(
        '<time datetime="{}" title="{}">{:%H:%M:%S} UTC</time> <span class="tokyo">{:%H:%M:%S} Asia/Tokyo</span>'
    ).format(str(at), str(at), moment, tokyo)


def say_digest(digest: str, length: int = 12) -> Markup:
    """The first characters of a digest, the whole in its title."""
    return Markup('<code class="digest" title="{}">{}…</code>').format(digest, digest[:length])


def say_span(seconds: float, language: Language) -> str:
    """A length of time as people say it: the two largest units."""
    whole = max(0, round(seconds))
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, whole = divmod(whole, size)
        if count:
            parts.append(say(f"web.span.{name}", language, n=count))
    return " ".join(parts[:2]) or say("web.span.s", language, n=0)


def _say_peak(flop_per_s: str) -> Markup:
    return Markup("{}/s").format(say_flop(parse_flop(flop_per_s)))


def _parse_wish(part: str) -> tuple[str, float]:
    tag, _, weight = part.strip().partition(";q=")
    try:
        return tag.lower(), float(weight) if weight else 1.0
    except ValueError:
        return tag.lower(), 0.0


def _load_asset(name: str) -> Asset:
    path = _HERE / "static" / name
    content = path.read_bytes()
    return Asset(
        content=content,
        content_type=_CONTENT_TYPES[path.suffix],
        digest=hashlib.sha256(content).hexdigest()[:16],
    )
