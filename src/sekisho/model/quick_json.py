"""The canonical form of the values that statements are made of, read and written at the speed of C.

RFC 8785 is hard where numbers are not whole and where names hold characters beyond the basic plane; nearly no statement
has either. Here is the rest: objects with text, truth, null, lists and whole numbers below 2^53, nested at most
nine deep. Whatever is not that is `NotQuick`: the caller goes the long way, whose answers and errors count. That
the two agree is a property test, and that every character is escaped alike an exhaustive one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Final

import msgspec

from sekisho.model.instants import Instant

__all__ = ["NotQuick", "encode_own", "read_quickly", "write_quickly"]

_DEEPEST: Final = 9  # each level doubles the types that msgspec builds when this module is imported
_WHOLE: Final = Annotated[int, msgspec.Meta(ge=1 - 2**53, le=2**53 - 1)]
# UTF-8 of characters beyond the basic plane begins with one of these: RFC 8785 sorts names by UTF-16, where such come
# before U+E000 and not after U+FFFF.
_BEYOND: Final = bytes(range(0xF0, 0xF5))
_PLACES: Final = 10**12


class NotQuick(ValueError):
    """Not one of the values for which the short way is known to be right; it may well be sound."""


def write_quickly(value: Any) -> bytes:
    """The RFC 8785 bytes of a model value or of plain JSON. Raises NotQuick."""
    try:
        written = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError):
        raise NotQuick from None
    if b"null" in written:  # also what becomes of infinities and NaN
        raise NotQuick
    read_quickly(written)
    return written


def read_quickly(data: bytes) -> Any:
    """The value of a document that is in RFC 8785 form, byte for byte. Raises NotQuick."""
    if not data.isascii() and len(data.translate(None, _BEYOND)) != len(data):
        raise NotQuick
    try:
        value = _DECODER.decode(data)
        is_same = _ENCODER.encode(value) == data
    except (ValueError, RecursionError):  # malformed, not UTF-8, or of another shape
        raise NotQuick from None
    # Spaces, another order, a name that stands twice, needless escapes and fractions all end here.
    if not is_same:
        raise NotQuick
    return value


def encode_own(value: Any) -> str:
    """The wire form of our own types, for msgspec's encoders."""
    if isinstance(value, Instant):
        return str(value)
    if isinstance(value, Fraction):
        return _exact_text(value)
    raise TypeError(f"{type(value).__name__} has no wire form")


def _exact_text(value: Fraction) -> str:
    """An exact amount: a decimal number where it ends within twelve places, else a fraction."""
    scaled = value * _PLACES
    if scaled.denominator > 1:
        return f"{value.numerator}/{value.denominator}"
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(scaled.numerator), _PLACES)
    return f"{sign}{whole}.{part:012d}".rstrip("0").rstrip(".") if part else f"{sign}{whole}"


def _shape(depth: int) -> Any:
    """The type of values nested at most so deep; Any, since it is built, and read by msgspec alone."""
    shape: Any = None | bool | _WHOLE | str
    for _ in range(depth):
        shape = None | bool | _WHOLE | str | list[shape] | dict[str, shape]
    return shape


_ENCODER: Final = msgspec.json.Encoder(order="sorted", enc_hook=encode_own)
_DECODER: Final = msgspec.json.Decoder(_shape(_DEEPEST))
