"""JSON at the border: one strict parser for all that is foreign, one canonical form for all that is ours.

`parse_json` refuses what different readers read differently (protocol section 1); `canonical` is RFC 8785.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from functools import partial
from typing import Any, TypeAlias, TypeVar

import msgspec
import rfc8785

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_instant
from sekisho.model.quick_json import NotQuick, encode_own, read_quickly, write_quickly

__all__ = [
    "MAX_DEPTH",
    "MAX_DOCUMENT",
    "JsonValue",
    "canonical",
    "decode_base64",
    "decode_hex",
    "decoder_of",
    "encode_base64",
    "from_json",
    "parse_canonical",
    "parse_json",
    "sha256_hex",
    "to_plain",
]

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
T = TypeVar("T")

# Possessive, and an end is not asked for: a string that is never closed costs one walk and not one for each quote.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
MAX_DEPTH = 64
MAX_DOCUMENT = 16 * 1024 * 1024
MAX_SAFE_NUMBER = 2**53
# How the patterns of model.statements.shapes begin inside msgspec's message, and what a person is told instead.
_FORMS = (
    ("'^(0|[1-9][0-9]{0,37})", 'is not whole FLOP in digits, as a string: "1000", not 1e3'),
    ("'^[0-9a-f]{64}", "is not a digest of 64 hexadecimal digits"),
    ("'^[A-Z]{2}(-", "is not a jurisdiction such as JP or US-CA"),
    (
        "[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}",
        "is not a name of at most 128 letters, digits and . _ : / @ + -",
    ),
)


def parse_json(
    data: bytes | str,
    *,
    path: str = "",
    limit: int = MAX_DOCUMENT,
    largest: int = MAX_SAFE_NUMBER,
    any_float: bool = False,
) -> JsonValue:
    """Read one foreign JSON document into plain values.

    Refuses: more than `limit` bytes, bytes that are not UTF-8, a byte-order mark, duplicate names, NaN and
    infinities, numbers beyond 2^53, lone surrogates, nesting deeper than 64. Raises InvalidInput with `path`.
    `largest` admits larger integers where a format of others writes them (64-bit sizes of proofs), `any_float`
    larger numbers with a fraction or an exponent where a format measures and does not count.
    """
    text = _to_text(data, path, limit)
    _check_depth(text, path)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_pairs,
            parse_constant=_refuse_constant,
            parse_int=partial(_parse_int, largest=largest),
            parse_float=_parse_any_float if any_float else _parse_float,
        )
    except _Refused as refusal:
        raise InvalidInput(str(refusal), path=path) from None
    except ValueError as error:
        raise InvalidInput(
            f"not JSON: {error}", path=path, remedy="give one whole JSON document"
        ) from None
    if "\\u" in text or not _is_encodable(text):  # else no string can hold one
        _check_surrogates(value, path)
    return value  # type: ignore[no-any-return]  # json.loads is untyped; the hooks above fix the shape


def parse_canonical(data: bytes, *, path: str = "", limit: int = MAX_DOCUMENT) -> JsonValue:
    """Read a document that must already be in RFC 8785 form, byte for byte."""
    if len(data) <= limit:
        try:
            quick: JsonValue = read_quickly(data)
        except NotQuick:
            pass
        else:
            return quick
    value = parse_json(data, path=path, limit=limit)
    if canonical(value) != data:
        raise InvalidInput(
            "not in canonical form (RFC 8785)", path=path, remedy="write it canonically"
        )
    return value


def from_json(kind: type[T], value: JsonValue, *, path: str = "") -> T:
    """Turn parsed JSON into a model value; unknown fields are passed over, wrong ones named by their path."""
    try:
        return msgspec.convert(value, kind, strict=True, dec_hook=_decode_own)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        raise InvalidInput(
            _in_words(message), path=f"{path}{where.rstrip('`')}".strip().lstrip(".")
        ) from None


def decoder_of(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Reads a model value straight from bytes that are known to be canonical; raises msgspec's errors, without words.

    Takes what `from_json` takes: a caller whose bytes it refuses asks that one, for the error that a person reads.
    """
    return msgspec.json.Decoder(kind, dec_hook=_decode_own)


def _in_words(message: str) -> str:
    """What a person wrote wrongly in the commonest fields, instead of the pattern that it did not match."""
    return next((words for form, words in _FORMS if form in message), message)


def to_plain(value: Any) -> JsonValue:
    """A model value as plain JSON values (exact amounts and instants become their strings)."""
    plain: JsonValue = msgspec.to_builtins(value, enc_hook=encode_own)
    return plain


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a model value or of plain JSON."""
    try:
        return write_quickly(value)
    except NotQuick:
        pass
    try:
        return rfc8785.dumps(to_plain(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InvalidInput(f"has no canonical form: {error}") from None


def sha256_hex(data: bytes) -> str:
    """SHA-256 as statements write it: 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


_COPY_AGAIN = "take it again from where it comes, whole and unchanged"


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding, in its one canonical form."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: str, *, path: str = "") -> bytes:
    """Standard base64 that re-encodes to the same text; anything else could be two texts for one value."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error is one
        raise InvalidInput("not base64", path=path, remedy=_COPY_AGAIN) from None
    if encode_base64(data) != text:
        raise InvalidInput("base64 is not in its canonical form", path=path, remedy=_COPY_AGAIN)
    return data


def decode_hex(text: str, *, size: int | None = None, path: str = "") -> bytes:
    """Lower-case hexadecimal of exactly `size` bytes."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise InvalidInput("not hexadecimal", path=path) from None
    if data.hex() != text or (size is not None and len(data) != size):
        raise InvalidInput(f"expected {size} bytes in lower-case hexadecimal", path=path)
    return data


def _decode_own(kind: type, value: Any) -> Any:
    if kind is Instant and isinstance(value, str):
        try:
            return parse_instant(value)
        except InvalidInput as error:
            raise ValueError(str(error)) from None  # msgspec adds the field's path
    raise ValueError(f"expected {kind.__name__.lower()} as text")


class _Refused(ValueError):
    pass


def _to_text(data: bytes | str, path: str, limit: int) -> str:
    if len(data) > limit:
        raise InvalidInput(f"longer than {limit} bytes", path=path)
    if isinstance(data, str):
        return data
    if data.startswith(b"\xef\xbb\xbf"):
        raise InvalidInput(
            "starts with a byte-order mark", path=path, remedy="save it as plain UTF-8"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"not UTF-8 at byte {error.start}", path=path, remedy="save it as plain UTF-8"
        ) from None


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Refused(f"the name {name!r} stands twice in one object")
        found[name] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise _Refused(f"{name} is not a JSON number")


def _parse_int(text: str, *, largest: int) -> int:
    # Length first: int() of a million digits is itself an attack.
    if len(text) > 21 or abs(int(text)) > largest:
        raise _Refused(f"a number beyond 2^{largest.bit_length() - 1}: write amounts as strings")
    return int(text)


def _parse_float(text: str) -> float:
    value = float(text) if len(text) <= 64 else float("inf")
    if abs(value) > MAX_SAFE_NUMBER:
        raise _Refused("a number beyond 2^53: write amounts as strings")
    return value


def _parse_any_float(text: str) -> float:
    value = float(text) if len(text) <= 64 else float("inf")
    if abs(value) == float("inf"):
        raise _Refused("a number beyond all floating point")
    return value


def _check_depth(text: str, path: str) -> None:
    """Count brackets outside strings before json.loads recurses into them."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # too few brackets to be too deep: spares the walk through most documents
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise InvalidInput(f"nested deeper than {MAX_DEPTH}", path=path)


def _check_surrogates(value: Any, path: str) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if not _is_encodable(item):
                raise InvalidInput("a lone surrogate in a string", path=path)
        elif isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def _is_encodable(text: str) -> bool:
    """Whether UTF-8 can write it: lone surrogates are the only code points that it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
